package reactor

import (
	"time"

	"sipreactor/reactor/internal/deadlines"
	"sipreactor/reactor/internal/handshakes"
	"sipreactor/reactor/internal/kernel"
	"sipreactor/reactor/internal/phase"
	"sipreactor/reactor/internal/reason"
)

// Now is the engine's clock, which a connection's deadlines are on.
func (c *conn) Now() int64 { return c.eng.now() }

// TimeIsUp has the loop look at the connection's deadlines.
func (c *conn) TimeIsUp() { c.loop.post(c, evTimer) }

// overdue acts on the deadlines that are past and arms the timer for the rest.
func (l *loop) overdue(c *conn) {
	c.waits.WentOff()
	now := l.eng.now()
	if c.life.At() == phase.Handshaking && !c.hs.Is(handshakes.Away) {
		l.handshakeOverdue(c, now)
	}
	if c.life.At() == phase.Established && c.waits.Past(deadlines.Message, now) && !l.behind(c, now) {
		l.close(c, reason.Because(MessageTimeout, "a message was not complete after "+l.eng.cfg.MaxMessageTime.String()+" (tcp_max_msg_time)"))
	}
	if c.life.At() != phase.Closed && c.waits.Past(deadlines.Send, now) {
		l.sendOverdue(c, now)
	}
	if c.life.At() == phase.Established && c.waits.Past(deadlines.Acknowledgement, now) {
		l.look(c)
	}
	if c.life.At() == phase.Established && c.waits.Past(deadlines.HalfClosed, now) {
		l.abandoned(c)
	}
	if c.life.At() != phase.Closed {
		c.waits.Rest(c)
	}
}

// behind reports whether the rest of an overdue message may be in the kernel: then
// it is we who are late. The loop gets a moment to read it, once a message. Of a
// connection that is held nothing was read: its time begins anew.
func (l *loop) behind(c *conn, now int64) bool {
	if c.reading.Held() {
		c.waits.PutOff(deadlines.Message, now+int64(l.eng.cfg.MaxMessageTime))
		return true
	}
	if c.msgLate || kernel.Unread(c.sock.Fd()) == 0 {
		return false
	}
	c.msgLate = true
	c.waits.PutOff(deadlines.Message, now+int64(100*time.Millisecond))
	return true
}

// expire closes a connection that was idle for its lifetime.
func (l *loop) expire(c *conn, now int64) {
	defer l.guard(c)
	due := max(c.active.Load()+l.eng.lifetime, c.keep.Load())
	if due > now {
		l.idle.Put(c, due)
		return
	}
	l.close(c, reason.Because(IdleTimeout, ""))
}
