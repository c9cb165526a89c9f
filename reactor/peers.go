package reactor

import (
	"sync"

	"sipreactor/reactor/internal/endpoint"
)

// peers finds connections by their remote end point, for senders that name an
// address. Connections to the same end point form a chain, newest first.
type peers struct {
	mu    sync.Mutex
	chain map[endpoint.Key]*conn
	alias map[endpoint.Key]*conn // end points that a connection stands for besides its own
}

// find gives the first connection to the end point that matches, or nil. If
// there is none and begin is given, the connection that begin makes is put in
// under the same lock, so that many senders open one. made tells that it was.
func (p *peers) find(key endpoint.Key, m *match, begin func() *conn) (c *conn, made bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := p.chain[key]; c != nil; c = c.sibling {
		if c.serves(m) {
			return c, false
		}
	}
	if c := p.alias[key]; c != nil && c.serves(m) {
		return c, false
	}
	if begin == nil {
		return nil, false
	}
	c = begin()
	if c == nil {
		return nil, false
	}
	p.link(key, c)
	return c, true
}

// add puts a connection in.
func (p *peers) add(c *conn) {
	p.mu.Lock()
	p.link(endpoint.Of(c.src.Proto, c.src.Remote), c)
	p.mu.Unlock()
}

// aliasPorts gives the ports of the aliases of a connection; nil for none.
func (p *peers) aliasPorts(c *conn) (ports []uint16) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, a := range c.aliases {
		ports = append(ports, a.Port())
	}
	return ports
}

// link puts c at the head of its chain. The lock is held.
func (p *peers) link(key endpoint.Key, c *conn) {
	if p.chain == nil {
		p.chain = make(map[endpoint.Key]*conn)
	}
	c.sibling = p.chain[key]
	c.linked = true
	p.chain[key] = c
}

// remove takes a connection out; one that is not in is left alone.
func (p *peers) remove(c *conn) {
	key := endpoint.Of(c.src.Proto, c.src.Remote)
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, a := range c.aliases {
		delete(p.alias, a)
	}
	c.aliases = nil
	if !c.linked {
		return
	}
	c.linked = false
	head := p.chain[key]
	if head == c {
		if c.sibling == nil {
			delete(p.chain, key)
		} else {
			p.chain[key] = c.sibling
		}
		c.sibling = nil
		return
	}
	for q := head; q != nil; q = q.sibling {
		if q.sibling == c {
			q.sibling = c.sibling
			c.sibling = nil
			return
		}
	}
}

// size is how many end points are known.
func (p *peers) size() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.chain)
}
