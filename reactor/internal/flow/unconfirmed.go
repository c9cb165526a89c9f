package flow

import (
	"sipreactor/reactor/internal/connection"
	"sipreactor/tlsstate"
)

// What is written on a connection of ours is unconfirmed until the peer's first bytes. In TLS 1.3 our
// handshake is over before the peer has looked at our certificate, or seen that
// we have none: if it refuses us, it has thrown away what we sent behind it,
// acknowledged or not, and the messages must come back as undelivered rather
// than count as written.

// UnconfirmedBytes bounds what is kept; a connection that carried more is taken as
// confirmed.
const UnconfirmedBytes = 256 << 10

// mayBeRefused reports whether the peer may still refuse us when the handshake is
// over for us: it asked for a certificate. s is nil without TLS.
func mayBeRefused(s *tlsstate.State) bool {
	return s != nil && s.Client && s.Asked && s.VersionName() == "TLSv1.3"
}

// confirm ends that: the peer has spoken, so it took our certificate and
// what came behind it. Loop only.
func (l *Flow) confirm(c *connection.Conn) {
	if c.Own.Unacked.Unconfirmed {
		c.Own.Unacked.Unconfirmed = false
		c.Own.Unacked.Forget()
		c.Reached()
	}
}
