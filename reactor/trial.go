package reactor

import (
	"errors"
	"strings"

	"sipreactor/tlsstate"
)

// trial keeps what was written on a connection of ours until the peer's first
// bytes. In TLS 1.3 our handshake is over before the peer has looked at our
// certificate, or seen that we have none: if it refuses us, it has thrown away
// what we sent behind it, and the messages must come back as undelivered rather
// than count as written.
type trial struct {
	batches  []*batch
	messages int
	bytes    int
}

// trialBytes bounds what is kept; a connection that carried more is trusted.
const trialBytes = 256 << 10

// onTrial reports whether the peer may still refuse us when the handshake is
// over for us: it asked for a certificate.
func onTrial(s *tlsstate.State) bool {
	return s.Client && s.Asked && s.VersionName() == "TLSv1.3"
}

// keep takes a batch that is written.
func (t *trial) keep(b *batch) {
	t.batches = append(t.batches, b)
	t.bytes += len(b.text)
}

// acquit ends the trial: the peer has spoken, so it took our certificate and
// what came behind it.
func (l *loop) acquit(c *conn) {
	if c.trial != nil {
		c.delivered(c.trial.messages)
		c.trial.free()
		c.trial = nil
	}
}

func (t *trial) free() {
	for _, b := range t.batches {
		b.free()
	}
}

// judge ends the trial with the connection. What the peer refused with an alert
// comes back; a peer that just went away may have taken it.
func (c *conn) judge(why *Error) {
	t := c.trial
	if t == nil {
		return
	}
	c.trial = nil
	var refused *tlsstate.Error
	if !errors.As(why, &refused) || !strings.HasPrefix(refused.Reason, "alert received") {
		c.delivered(t.messages)
		t.free()
		return
	}
	for _, b := range t.batches {
		c.eng.undeliver(c, b, 0, why)
	}
}
