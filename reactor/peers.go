package reactor

import (
	"errors"
	"net/netip"
	"sync"
)

// peerKey is a remote end point.
type peerKey struct {
	ip    [16]byte
	port  uint16
	proto Proto
}

func keyOf(p Proto, a netip.AddrPort) peerKey {
	return peerKey{ip: a.Addr().As16(), port: a.Port(), proto: p}
}

// peers finds connections by their remote end point, for senders that name an
// address. Connections to the same end point form a chain, newest first.
type peers struct {
	mu    sync.Mutex
	chain map[peerKey]*conn
	alias map[peerKey]*conn // end points that a connection stands for besides its own
}

// match is what a connection must be to serve a send.
type match struct {
	socket *Socket
	// checkCert asks that we are self on a connection of ours.
	checkCert bool
	self      self
}

// self is who we are to a peer: the client domain, and the SHA-256 of what it
// shows. A reload of the same files makes nobody else of us.
type self struct {
	domain string
	leaf   [32]byte
}

func (m *match) accepts(c *conn) bool {
	if m.socket != nil && c.src.Socket != m.socket {
		return false
	}
	return !m.checkCert || !c.src.Outbound || c.self == m.self
}

// find gives the first connection to the end point that matches, or nil. If
// there is none and begin is given, the connection that begin makes is put in
// under the same lock, so that many senders open one. made tells that it was.
func (p *peers) find(key peerKey, m *match, begin func() *conn) (c *conn, made bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := p.chain[key]; c != nil; c = c.sibling {
		if m.accepts(c) && !c.doomed() {
			return c, false
		}
	}
	if c := p.alias[key]; c != nil && m.accepts(c) && !c.doomed() {
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
	p.link(keyOf(c.src.Proto, c.src.Remote), c)
	p.mu.Unlock()
}

// link puts c at the head of its chain. The lock is held.
func (p *peers) link(key peerKey, c *conn) {
	if p.chain == nil {
		p.chain = make(map[peerKey]*conn)
	}
	c.sibling = p.chain[key]
	c.linked = true
	p.chain[key] = c
}

// remove takes a connection out; one that is not in is left alone.
func (p *peers) remove(c *conn) {
	key := keyOf(c.src.Proto, c.src.Remote)
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

// maxAliases is how many ports a connection may stand for besides its own.
const maxAliases = 3

// stand lets sends to a port of the peer's address use its connection.
func (p *peers) stand(c *conn, port uint16) error {
	key := keyOf(c.src.Proto, netip.AddrPortFrom(c.src.Remote.Addr(), port))
	p.mu.Lock()
	defer p.mu.Unlock()
	switch owner := p.alias[key]; {
	case !c.linked:
		return errGone
	case owner == c || key == keyOf(c.src.Proto, c.src.Remote):
		return nil
	case owner != nil || p.chain[key] != nil:
		return errTaken
	case len(c.aliases) >= maxAliases:
		return errAliases
	}
	if p.alias == nil {
		p.alias = make(map[peerKey]*conn)
	}
	p.alias[key] = c
	c.aliases = append(c.aliases, key)
	return nil
}

var (
	errGone    = errors.New("reactor: the connection is gone")
	errTaken   = errors.New("reactor: another connection has this address")
	errAliases = errors.New("reactor: the connection has aliases enough")
)

// AddAlias lets sends to a port of the peer's own address use its connection
// (RFC 5923): the port it listens on, where that is not the one it calls from.
// The address is the one the peer proved by calling from it. An address that
// another connection has is refused, or a peer could take its messages. The
// alias ends with the connection. Any goroutine.
func (e *Engine) AddAlias(h Handle, port uint16) error {
	c := e.table.get(h)
	if c == nil || !c.src.Proto.stream() {
		return errGone
	}
	return e.peers.stand(c, port)
}

// size is how many end points are known.
func (p *peers) size() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.chain)
}
