package connection

import (
	"sipreactor/reactor/internal/message"
	"sipreactor/reactor/internal/reuse"
)

// Match is what a connection must be to serve a send.
type Match struct {
	reuse.Want
	Socket *message.Socket
	Now    int64 // the engine's second
}

// serves reports whether a send may use the connection: it lives, it is what the
// send asks for, and where the send's client domain verifies, its peer is known
// to be the one that the send means. Any goroutine; the peer index's lock may be
// held.
func (c *Conn) serves(m *Match) bool {
	if m.Socket != nil && c.Src.Socket != m.Socket || !c.proof.SameSelf(&m.Want, c.Src.Outbound) {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.life.Ends() || c.half {
		return false
	}
	return c.proof.Vouched(&m.Want, &reuse.Peer{Outbound: c.Src.Outbound, From: c.Src.Remote.Addr(), Shown: c.tls.Whole,
		UserKnown: c.userKnown.Load() > m.Now})
}
