package reactor

import "sipreactor/reactor/internal/glance"

// What the peer's kernel has acknowledged and its program never reads, nothing
// in TCP tells. So the requests are counted that were written on a connection
// and that no final response has come for. It is a count, not a match: an answer
// by another connection is not seen, and one that comes twice counts twice. Only
// transactions know which request is owed what.

// asked counts requests that were written. Loop only.
func (l *loop) asked(c *conn, n int) {
	if n != 0 {
		c.stale.Add(l.seconds.Load(), c.unanswered.Load(), int64(n))
		c.unanswered.Add(int64(n))
		l.stat.Unanswered.Add(int64(n))
	}
}

// answered looks whether a message that came in is a final response. Loop only.
func (l *loop) answered(c *conn, m []byte) {
	if !glance.IsReply(m) || !glance.IsFinal(m) {
		return
	}
	c.finals++
	if c.unanswered.Load() > 0 {
		c.unanswered.Add(-1)
		l.stat.Unanswered.Add(-1)
	}
}
