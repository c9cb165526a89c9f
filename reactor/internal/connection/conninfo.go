package connection

import (
	"crypto/x509"
	"time"

	"sipreactor/reactor/internal/figures"
	"sipreactor/reactor/internal/message"
	"sipreactor/reactor/internal/phase"
	"sipreactor/tlsstate"
)

// ConnInfo describes one connection at one moment, for management.
type ConnInfo struct {
	message.Source
	Phase phase.Phase
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
	Carried figures.Traffic
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

// CipherDescription returns the cipher as SSL_CIPHER_description writes it; "" without TLS.
func (i *ConnInfo) CipherDescription() string {
	s := tlsstate.State{Version: i.version, Cipher: i.suite}
	return s.CipherDescription()
}

// Info describes the connection; false when it is over, and only its end is
// still being told.
func (c *Conn) Info(now int64) (i ConnInfo, there bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.life.At() == phase.Closed {
		return i, false
	}
	i = ConnInfo{Source: c.Src, Phase: c.life.At(), Queue: c.out.Len(), Stuck: c.blocked,
		Unanswered: int(c.Owed.Ours()), Age: time.Since(c.Born), Domain: c.tls.Domain, Carried: c.Carried.Read(), Handshake: c.tls.Took, Resumed: c.tls.Resumed}
	if last := c.active.Load(); last != 0 {
		i.Idle = time.Duration(now-last) * time.Second
	}
	if c.tls.Version != 0 {
		s := tlsstate.State{Version: c.tls.Version, Cipher: c.tls.Cipher}
		i.TLSVersion, i.Cipher, i.CipherBits = s.VersionName(), s.CipherName(), s.CipherBits()
		i.version, i.suite = c.tls.Version, c.tls.Cipher
	}
	if w := c.tls.Whole; w != nil {
		i.Peer = w.Peer[0]
	}
	return i, true
}
