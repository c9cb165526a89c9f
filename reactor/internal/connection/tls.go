package connection

import (
	"crypto/x509"
	"time"

	"sipreactor/reactor/internal/codec"
	"sipreactor/reactor/internal/message"
	"sipreactor/reactor/internal/phase"
	"sipreactor/reactor/internal/transport"
	"sipreactor/tlsstate"
)

// QueryOf is what the TLS layer is asked to choose a client domain for a target.
func QueryOf(t *message.Target) tlsstate.ClientQuery {
	return tlsstate.ClientQuery{Domain: t.Domain, SIPDomain: t.Name, Addr: t.Addr}
}

// Side numbers who has opened the connection, for arrays of two: 0 the peer, 1 we.
func (c *Conn) Side() int {
	if c.Src.Outbound {
		return 1
	}
	return 0
}

// TLSState describes the TLS connection; nil on a plain one.
func (c *Conn) TLSState() *tlsstate.State {
	if m := codec.Machine(c.Own.Codec); m != nil {
		return m.State()
	}
	return nil
}

// Secrets takes what the TLS machine has kept of them; "" mostly.
func (c *Conn) Secrets() string {
	if m := codec.Machine(c.Own.Codec); m != nil {
		return m.Secrets()
	}
	return ""
}

// Kind numbers what the next step of a handshake is like: the first of an accepted
// connection signs, the first of ours does not, later ones verify or compute little; HTTP
// alone is another matter.
func (c *Conn) Kind() int {
	kind := 0
	switch {
	case c.Src.Proto == transport.WS:
		return 4
	case c.Src.Outbound:
		kind = 2
	}
	if c.Own.Handshake.Begun() {
		kind++
	}
	return kind
}

// Compute computes the next step of the handshake. Its owner calls it.
func (c *Conn) Compute() { c.Own.Handshake.Compute() }

// Computed gives the machine back to the loop. A goroutine of the pool calls it.
func (c *Conn) Computed() { c.Loop.Post(c, EvHandshake) }

// Gone reports whether the connection has ended.
func (c *Conn) Gone() bool { return c.life.At() == phase.Closed }

// Talk returns the opening handshake of WebSocket, as Event has it. Loop only.
func (c *Conn) Talk() (request, answer string) {
	if u, ok := c.Own.Codec.(*codec.Upgrade); ok {
		request, answer = u.Talk()
	}
	return request, answer
}

// tlsSummary is what a connection keeps of its TLS state where others than its
// loop can read it. The whole state is large: it is kept only for a peer that
// showed a certificate.
type tlsSummary struct {
	Whole           *tlsstate.State
	Own             *x509.Certificate
	Domain          string
	Version, Cipher uint16
	Client, Resumed bool
	Took            time.Duration // of the handshake
}

// Set takes what is kept; s is nil on a plain connection.
func (t *tlsSummary) Set(s *tlsstate.State) {
	if s == nil {
		return
	}
	if len(s.Peer) > 0 {
		t.Whole = s
	}
	t.Own, t.Domain, t.Version, t.Cipher = s.Own, s.Domain, s.Version, s.Cipher
	t.Client, t.Resumed = s.Client, s.Resumed
}

// HandshakeTime is the time that the peer may take over the whole handshake.
func (c *Conn) HandshakeTime() time.Duration {
	if t := c.Config.Web.AcceptTimeout; t > 0 && c.Src.Proto.Web() && !c.Src.Outbound {
		return t
	}
	return c.Config.HandshakeTimeout
}

// HandshakeParameter is what the configuration calls that.
func (c *Conn) HandshakeParameter() string {
	if c.Src.Proto.Web() && !c.Src.Outbound {
		return c.Src.Proto.String() + "_accept_timeout"
	}
	return c.Src.Proto.String() + "_handshake_timeout"
}
