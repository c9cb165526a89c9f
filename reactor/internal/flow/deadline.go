package flow

import (
	"time"

	"sipreactor/reactor/internal/connection"
	"sipreactor/reactor/internal/deadlines"
	"sipreactor/reactor/internal/handshakes"
	"sipreactor/reactor/internal/kernel"
	"sipreactor/reactor/internal/phase"
	"sipreactor/reactor/internal/reason"
)

// Overdue acts on the deadlines that are past and arms the timer for the rest.
func (l *Flow) Overdue(c *connection.Conn) {
	c.Own.Waits.WentOff()
	now := l.all.Now()
	if c.At() == phase.Handshaking && !c.Own.Handshake.Is(handshakes.Away) {
		l.handshakeOverdue(c, now)
	}
	if c.At() == phase.Established && c.Own.Waits.Past(deadlines.Message, now) && !l.Behind(c, now) {
		l.Close(c, reason.Because(reason.MessageTimeout, "a message was not complete after "+l.all.Limits.MessageTime.String()+" (tcp_max_msg_time)"))
	}
	if c.At() != phase.Closed && c.Own.Waits.Past(deadlines.Send, now) {
		l.SendOverdue(c, now)
	}
	if c.At() == phase.Established && c.Own.Waits.Past(deadlines.Acknowledgement, now) {
		l.look(c)
	}
	if c.At() == phase.Established && c.Own.Waits.Past(deadlines.HalfClosed, now) {
		l.abandoned(c)
	}
	if c.At() != phase.Closed {
		c.Own.Waits.Rest(c)
	}
}

// Behind reports whether the rest of an overdue message may be in the kernel: then
// it is we who are late. The loop gets a moment to read it, once a message. Of a
// connection that is held nothing was read: its time begins anew.
func (l *Flow) Behind(c *connection.Conn, now int64) bool {
	if c.Reading.Held() {
		c.Own.Waits.PutOff(deadlines.Message, now+int64(l.all.Limits.MessageTime))
		return true
	}
	if c.Own.MessageLate || kernel.Unread(c.Own.Sock.Fd()) == 0 {
		return false
	}
	c.Own.MessageLate = true
	c.Own.Waits.PutOff(deadlines.Message, now+int64(100*time.Millisecond))
	return true
}

// expire closes a connection that was idle for its lifetime.
func (l *Flow) expire(c *connection.Conn, now int64) {
	defer l.Guard(c)
	due := c.IdleDue(l.all.Limits.Lifetime)
	if due > now {
		l.Idle.Put(c, due)
		return
	}
	l.Close(c, reason.Because(reason.IdleTimeout, ""))
}
