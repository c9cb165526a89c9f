package reactor

import (
	"sipreactor/reactor/internal/endpoint"
	"sipreactor/reactor/internal/peers"
)

// index finds connections by their remote end point, for senders that name an
// address: the newest first, and behind those the one that stands for it (alias.go).
type index struct{ peers.Index[conn, *conn] }

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
	x.Enter(c)
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

// Key is the connection's remote end point.
func (c *conn) Key() endpoint.Key { return endpoint.Of(c.src.Proto, c.src.Remote) }

// Place is the connection's in the index.
func (c *conn) Place() *peers.Place { return &c.indexed }

// add puts a connection in.
func (x *index) add(c *conn) {
	x.Lock()
	x.Enter(c)
	x.Unlock()
}

// aliasPorts returns the ports of the aliases of a connection; nil for none.
func (x *index) aliasPorts(c *conn) (ports []uint16) {
	for _, a := range x.Aliases(c) {
		ports = append(ports, a.Port())
	}
	return ports
}
