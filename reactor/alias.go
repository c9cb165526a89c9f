package reactor

import (
	"net/netip"

	"sipreactor/reactor/internal/endpoint"
	"sipreactor/reactor/internal/peers"
	"sipreactor/reactor/internal/phase"
	"sipreactor/reactor/internal/reuse"
	"sipreactor/reactor/internal/sendqueue"
)

// AddAlias lets sends to a port of the peer's own address use its connection
// (RFC 5923): the port it listens on, where that is not the one it calls from.
// The address is the one the peer proved by calling from it, so nobody claims
// another's. Of several connections from there the newest holds the port: the
// peer has come back, and the one before may lead nowhere. That loses the alias,
// a line at level warning says so, and it is sent a CRLF, which its TCP must
// acknowledge: if it does not, the connection ends. An older connection does not
// get the alias back while the newer one lives. Where the holder has shown a
// certificate that was verified, only a connection whose verified certificate
// names a SIP domain of that one takes its alias.
//
// It fails when the connection is gone, when another connection has the address
// or keeps the alias, or with one alias too many. The alias ends with the
// connection. Any goroutine.
func (e *Engine) AddAlias(h Handle, port uint16) error {
	c := e.table.Get(h)
	if c == nil || !c.src.Proto.Stream() {
		return peers.ErrGone
	}
	alias := netip.AddrPortFrom(c.src.Remote.Addr(), port)
	holders, err := e.peers.stand(c, endpoint.Of(c.src.Proto, alias))
	for _, old := range holders {
		if !old.src.Outbound {
			e.connlog.AliasMoved(alias, old.called(), c.called())
		}
		old.probe()
	}
	return err
}

// stand makes a connection the holder of an alias. It gives the connections that
// carried messages to that end point so far: the holder before, and ours.
func (x *index) stand(c *conn, key endpoint.Key) (holders []*conn, err error) {
	return x.Stand(c, key,
		func(holder *conn) bool { return holder.yields(c) },
		func(q *conn) bool { return q.src.Outbound })
}

// yields reports whether the holder of an alias gives it to another connection
// from its address. The peer index's lock is held.
func (c *conn) yields(to *conn) bool {
	c.mu.Lock()
	ends, held := c.life.Ends() || c.half, c.tls.whole
	c.mu.Unlock()
	if ends {
		return true
	}
	if !to.born.After(c.born) {
		return false
	}
	to.mu.Lock()
	claims := to.tls.whole
	to.mu.Unlock()
	return reuse.Succeeds(held, claims)
}

// probe writes a CRLF that means nothing (RFC 3261 7.5) to a connection whose
// peer may be gone. The peer's TCP acknowledges it, or the connection ends by
// the clock of what is unacknowledged. Any goroutine.
func (c *conn) probe() {
	c.mu.Lock()
	ready := c.life.Why() == nil && c.life.At() == phase.Established && !c.blocked && !c.half
	if ready {
		c.out.Add(Bytes("\r\n"), sendqueue.Entry{Pong: true})
	}
	c.mu.Unlock()
	if ready {
		c.loop.post(c, evFlush)
	}
}
