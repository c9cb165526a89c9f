package reactor

import (
	"crypto/x509"
	"time"

	"sipreactor/reactor/internal/kernel"
	"sipreactor/reactor/internal/phase"
	"sipreactor/tlsstate"
)

// ConnInfo describes one connection at one moment, for management.
type ConnInfo struct {
	Source
	Phase Phase
	// Queue is how many messages wait to be written, Stuck whether the peer
	// takes nothing at the moment.
	Queue int
	Stuck bool
	// Age is the time since the connection was accepted or begun, Idle since
	// the last message, ping or write, in whole seconds.
	Age, Idle time.Duration
	// Unanswered is how many requests were written that have had no final response
	// by this connection.
	Unanswered int
	// Carried is what the connection carried so far.
	Carried Traffic
	// Domain, TLSVersion and Cipher are of an established TLS connection, as
	// OpenSSL writes them; "" else.
	Domain, TLSVersion, Cipher string
	// AliasPorts are the ports of the peer that the connection stands for besides
	// its own (RFC 5923), for Conns; nil without.
	AliasPorts []uint16
	// CipherBits is the length of the cipher's key, Handshake how long the
	// handshake took, and Resumed tells that it was with a session ticket.
	CipherBits int
	Handshake  time.Duration
	Resumed    bool
	// Peer is the peer's certificate, nil when it showed none; not to be changed.
	Peer *x509.Certificate

	version, suite uint16 // of the TLS connection; 0 else
}

// tlsSummary is what a connection keeps of its TLS state where others than its
// loop can read it. The whole state is large: it is kept only for a peer that
// showed a certificate.
type tlsSummary struct {
	whole           *tlsstate.State
	own             *x509.Certificate
	domain          string
	version, cipher uint16
	client, resumed bool
	took            time.Duration // of the handshake
}

// set takes what is kept; s is nil on a plain connection.
func (t *tlsSummary) set(s *tlsstate.State) {
	if s == nil {
		return
	}
	if len(s.Peer) > 0 {
		t.whole = s
	}
	t.own, t.domain, t.version, t.cipher = s.Own, s.Domain, s.Version, s.Cipher
	t.client, t.resumed = s.Client, s.Resumed
}

// CipherDescription returns the cipher as SSL_CIPHER_description writes it; "" without TLS.
func (i *ConnInfo) CipherDescription() string {
	s := tlsstate.State{Version: i.version, Cipher: i.suite}
	return s.CipherDescription()
}

// TLS describes an established TLS connection; nil when the handle's connection
// is gone, not TLS or not established. The name that a client without a
// certificate asked for is not kept. Any goroutine.
func (e *Engine) TLS(h Handle) *tlsstate.State {
	c := e.table.Get(h)
	if c == nil {
		return nil
	}
	c.mu.Lock()
	t := c.tls
	c.mu.Unlock()
	switch {
	case t.whole != nil:
		return t.whole
	case t.version == 0:
		return nil
	}
	return &tlsstate.State{Client: t.client, Domain: t.domain, Version: t.version, Cipher: t.cipher,
		Resumed: t.resumed, Own: t.own}
}

// Conns calls f for each connection there is; f gets a copy, good until it
// returns, and may stop by answering false. Connections that come or go
// meanwhile may be seen or not. Any goroutine but a loop; it takes each
// connection's lock for a moment.
func (e *Engine) Conns(f func(*ConnInfo) bool) {
	var info ConnInfo
	more, there := true, false
	now := e.seconds()
	e.table.Each(func(c *conn) {
		if more {
			if info, there = c.info(now); there {
				info.AliasPorts = e.peers.aliasPorts(c)
				more = f(&info)
			}
		}
	})
}

// Unread adds up the bytes that wait in the kernel for accepted connections of
// TCP or TLS. Any goroutine but a loop; it takes each connection's lock for a
// moment.
func (e *Engine) Unread(p Proto) (bytes uint64) {
	e.table.Each(func(c *conn) {
		if c.src.Proto != p || c.src.Outbound {
			return
		}
		c.mu.Lock()
		if c.life.At() != phase.Closed { // only then may its descriptor be somebody else's
			bytes += uint64(kernel.Unread(c.sock.Fd()))
		}
		c.mu.Unlock()
	})
	return bytes
}

// Conn describes one connection; false when it is gone.
func (e *Engine) Conn(h Handle) (ConnInfo, bool) {
	c := e.table.Get(h)
	if c == nil {
		return ConnInfo{}, false
	}
	return c.info(e.seconds())
}

// info describes the connection; false when it is over, and only its end is
// still being told.
func (c *conn) info(now int64) (i ConnInfo, there bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.life.At() == phase.Closed {
		return i, false
	}
	i = ConnInfo{Source: c.src, Phase: c.life.At(), Queue: c.out.Len(), Stuck: c.blocked,
		Unanswered: int(c.owed.Ours()), Age: time.Since(c.born), Domain: c.tls.domain, Carried: c.carried.Read(), Handshake: c.tls.took, Resumed: c.tls.resumed}
	if last := c.active.Load(); last != 0 {
		i.Idle = time.Duration(now-last) * time.Second
	}
	if c.tls.version != 0 {
		s := tlsstate.State{Version: c.tls.version, Cipher: c.tls.cipher}
		i.TLSVersion, i.Cipher, i.CipherBits = s.VersionName(), s.CipherName(), s.CipherBits()
		i.version, i.suite = c.tls.version, c.tls.cipher
	}
	if w := c.tls.whole; w != nil {
		i.Peer = w.Peer[0]
	}
	return i, true
}

// Crew is how many goroutines of each kind work in the engine, not counting
// workers that wait.
type Crew struct{ Loops, Handshakers, Workers int }

// Crew tells what the configuration came to.
func (e *Engine) Crew() Crew {
	return Crew{Loops: e.cfg.Loops, Handshakers: e.cfg.Handshakers, Workers: e.cfg.Workers}
}
