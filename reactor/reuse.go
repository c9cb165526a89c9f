package reactor

import (
	"sipreactor/reactor/internal/reuse"
)

// match is what a connection must be to serve a send.
type match struct {
	reuse.Want
	socket *Socket
	now    int64 // the engine's second
}

// serves reports whether a send may use the connection: it lives, it is what the
// send asks for, and where the send's client domain verifies, its peer is known
// to be the one that the send means. Any goroutine; the peer index's lock may be
// held.
func (c *conn) serves(m *match) bool {
	if m.socket != nil && c.src.Socket != m.socket || !c.proof.SameSelf(&m.Want, c.src.Outbound) {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.life.Ends() || c.half {
		return false
	}
	return c.proof.Vouched(&m.Want, &reuse.Peer{Outbound: c.src.Outbound, From: c.src.Remote.Addr(), Shown: c.tls.whole,
		UserKnown: c.userKnown.Load() > m.now})
}
