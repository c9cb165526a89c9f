package connection

import (
	"sipreactor/reactor/internal/endpoint"
	"sipreactor/reactor/internal/message"
	"sipreactor/reactor/internal/peers"
	"sipreactor/reactor/internal/phase"
	"sipreactor/reactor/internal/reuse"
	"sipreactor/reactor/internal/sendqueue"
)

// Index finds connections by their remote end point, for senders that name an
// address: the newest first, and behind those the one that stands for it, by its alias (peers.Index.Stand).
type Index struct{ peers.Index[Conn, *Conn] }

// Find returns the first connection to the end point that matches, or nil. If
// there is none and begin is given, the connection that begin makes is put in
// under the lock, so that many senders open one. made tells that it was.
func (x *Index) Find(key endpoint.Key, m *Match, begin func() *Conn) (c *Conn, made bool) {
	if c := first(x.Lookup(key), m); c != nil || begin == nil {
		return c, false
	}
	x.Lock()
	defer x.Unlock()
	if c := first(x.Lookup(key), m); c != nil {
		return c, false
	}
	if c = begin(); c == nil {
		return nil, false
	}
	x.Enter(c)
	return c, true
}

// first returns the first connection of a list that matches.
func first(list []*Conn, m *Match) *Conn {
	for _, c := range list {
		if c.serves(m) {
			return c
		}
	}
	return nil
}

// Key is the connection's remote end point.
func (c *Conn) Key() endpoint.Key { return endpoint.Of(c.Src.Proto, c.Src.Remote) }

// Place is the connection's in the index.
func (c *Conn) Place() *peers.Place { return &c.indexed }

// Add puts a connection in.
func (x *Index) Add(c *Conn) {
	x.Lock()
	x.Enter(c)
	x.Unlock()
}

// AliasPorts returns the ports of the aliases of a connection; nil for none.
func (x *Index) AliasPorts(c *Conn) (ports []uint16) {
	for _, a := range x.Aliases(c) {
		ports = append(ports, a.Port())
	}
	return ports
}

// TakeAlias makes a connection the holder of an alias. It gives the connections that
// carried messages to that end point so far: the holder before, and ours.
func (x *Index) TakeAlias(c *Conn, key endpoint.Key) (holders []*Conn, err error) {
	return x.Stand(c, key,
		func(holder *Conn) bool { return holder.yields(c) },
		func(q *Conn) bool { return q.Src.Outbound })
}

// yields reports whether the holder of an alias gives it to another connection
// from its address. The peer index's lock is held.
func (c *Conn) yields(to *Conn) bool {
	c.mu.Lock()
	ends, held := c.life.Ends() || c.half, c.tls.Whole
	c.mu.Unlock()
	if ends {
		return true
	}
	if !to.Born.After(c.Born) {
		return false
	}
	to.mu.Lock()
	claims := to.tls.Whole
	to.mu.Unlock()
	return reuse.Succeeds(held, claims)
}

// Probe writes a CRLF that means nothing (RFC 3261 7.5) to a connection whose
// peer may be gone. The peer's TCP acknowledges it, or the connection ends by
// the clock of what is unacknowledged. Any goroutine.
func (c *Conn) Probe() {
	c.mu.Lock()
	ready := c.life.Why() == nil && c.life.At() == phase.Established && !c.blocked && !c.half
	if ready {
		c.out.Add(message.Bytes("\r\n"), sendqueue.Entry{Pong: true})
	}
	c.mu.Unlock()
	if ready {
		c.Loop.Post(c, EvFlush)
	}
}
