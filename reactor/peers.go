package reactor

import (
	"sipreactor/reactor/internal/endpoint"
	"sipreactor/reactor/internal/peers"
)

// index finds connections by their remote end point, for senders that name an
// address: the newest first, and behind those the one that stands for it (alias.go).
type index struct{ peers.Index[conn] }

// find returns the first connection to the end point that matches, or nil. If
// there is none and begin is given, the connection that begin makes is put in
// under the lock, so that many senders open one. made tells that it was.
func (x *index) find(key endpoint.Key, m *match, begin func() *conn) (c *conn, made bool) {
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
	x.link(key, c)
	return c, true
}

// first returns the first connection of a list that matches.
func first(list []*conn, m *match) *conn {
	for _, c := range list {
		if c.serves(m) {
			return c
		}
	}
	return nil
}

// key is the connection's remote end point.
func (c *conn) key() endpoint.Key { return endpoint.Of(c.src.Proto, c.src.Remote) }

// add puts a connection in.
func (x *index) add(c *conn) {
	x.Lock()
	x.link(c.key(), c)
	x.Unlock()
}

// link puts a connection in. The lock is held.
func (x *index) link(key endpoint.Key, c *conn) {
	c.linked = true
	x.Add(key, c)
}

// remove takes a connection out, with its aliases; one that is not in is left
// alone.
func (x *index) remove(c *conn) {
	x.Lock()
	defer x.Unlock()
	for _, a := range c.aliases {
		x.SetAlias(a, nil)
	}
	c.aliases = nil
	if c.linked {
		c.linked = false
		x.Remove(c.key(), c)
	}
}

// aliasPorts returns the ports of the aliases of a connection; nil for none.
func (x *index) aliasPorts(c *conn) (ports []uint16) {
	x.Lock()
	defer x.Unlock()
	for _, a := range c.aliases {
		ports = append(ports, a.Port())
	}
	return ports
}

// endsOf returns the end points that a connection stands for, its own first.
func (x *index) endsOf(c *conn) []endpoint.Key {
	x.Lock()
	defer x.Unlock()
	return append([]endpoint.Key{c.key()}, c.aliases...)
}
