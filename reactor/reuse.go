package reactor

import (
	"strings"

	"sipreactor/reactor/internal/phase"
	"sipreactor/tlsstate"
)

// match is what a connection must be to serve a send.
type match struct {
	socket *Socket
	// checkCert asks that we show a peer on a connection of ours what self shows.
	checkCert bool
	// self is the client domain of the send; zero for plain TCP.
	self tlsstate.ClientIdentity
	// name is the SIP domain that the send means, as plainName writes it. It
	// counts only where self verifies.
	name string
	// now is the engine's second.
	now int64
}

// serves reports whether a send may use the connection: it lives, it is what the
// send asks for, and where the send's client domain verifies, its peer is known
// to be the one that the send means. Any goroutine; the peer index's lock may be
// held.
func (c *conn) serves(m *match) bool {
	if m.socket != nil && c.src.Socket != m.socket {
		return false
	}
	if m.checkCert && c.src.Outbound && !c.self.SameSelf(&m.self) {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closeReason != nil || c.phase >= phase.Closing || c.half {
		return false
	}
	return !m.self.Verify || c.vouched(m)
}

// vouched reports whether the peer was verified, and for the SIP domain that a
// send means: on a connection of ours by the handshake, under the demands that
// the send has, or because the same leaf names that domain, too; on an accepted
// one by the certificate that the peer showed, or as that of a user who is known
// (Know), if no name is meant but the address it came from. What came from the
// peer's address and showed nothing has proved nothing. The lock is held.
func (c *conn) vouched(m *match) bool {
	if !c.src.Outbound {
		if c.userKnown.Load() > m.now && m.name == c.src.Remote.Addr().Unmap().String() {
			return true
		}
		return c.tls.whole != nil && c.tls.whole.Verified && c.speaksFor(m.name)
	}
	switch {
	case !c.self.Verify || c.self.Trust != m.self.Trust:
		return false
	case !m.self.VerifyName, c.self.VerifyName && c.meant == m.name:
		return true // so its handshake says, or will
	default:
		return c.tls.whole != nil && c.speaksFor(m.name)
	}
}

// spoken is a SIP domain that was looked for in the peer's certificate.
type spoken struct {
	name string
	yes  bool
}

// maxSpoken bounds what a connection remembers of that.
const maxSpoken = 8

// speaksFor reports whether the peer's certificate names a SIP domain. It is read
// once for a name. The lock is held, and c.tls.whole is not nil.
func (c *conn) speaksFor(name string) bool {
	for i := range c.spoken {
		if c.spoken[i].name == name {
			return c.spoken[i].yes
		}
	}
	s := spoken{name, c.tls.whole.SpeaksFor(name)}
	if len(c.spoken) >= maxSpoken {
		c.spoken = append(c.spoken[:0], c.spoken[1:]...)
	}
	c.spoken = append(c.spoken, s)
	return s.yes
}

// plainName writes a SIP domain as they are compared: without case, an address
// without brackets, a name without the dot of the root.
func plainName(s string) string {
	return strings.ToLower(strings.TrimSuffix(strings.Trim(s, "[]"), "."))
}
