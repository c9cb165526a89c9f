package reactor

import (
	"time"

	"sipreactor/reactor/internal/kernel"
	"sipreactor/reactor/internal/phase"
)

// arm has the loop look at the connection's deadlines at a time on the engine's
// clock. A timer that goes off earlier is left: it arms the next one itself.
// Loop only.
func (c *conn) arm(at int64) {
	if c.armed != 0 && c.armed <= at {
		return
	}
	c.armed = at
	wait := time.Duration(at - c.eng.now())
	if c.timer == nil {
		c.timer = time.AfterFunc(wait, func() { c.loop.post(c, evTimer) })
		return
	}
	c.timer.Reset(wait)
}

// disarm stops the timer when no deadline is left. Those of messages come and go:
// for them it is left to go off. That of a handshake would, in a storm of
// connects, wake the loop once for each of them a moment later. Loop only.
func (c *conn) disarm() {
	if c.timer == nil || c.msgDue != 0 || c.sendDue != 0 || c.ackDue != 0 || c.halfDue != 0 {
		return
	}
	c.timer.Stop()
	c.timer, c.armed = nil, 0
}

// overdue acts on the deadlines that are past and arms the timer for the rest.
func (l *loop) overdue(c *conn) {
	c.armed = 0
	now := l.eng.now()
	if c.phase == phase.Handshaking && !c.hs.busy {
		l.handshakeOverdue(c, now)
	}
	if c.phase == phase.Established && past(c.msgDue, now) && !l.behind(c, now) {
		l.close(c, because(MessageTimeout, "a message was not complete after "+l.eng.cfg.MaxMessageTime.String()+" (tcp_max_msg_time)"))
	}
	if c.phase != phase.Closed && past(c.sendDue, now) {
		l.sendOverdue(c, now)
	}
	if c.phase == phase.Established && past(c.ackDue, now) {
		l.look(c)
	}
	if c.phase == phase.Established && past(c.halfDue, now) {
		l.abandoned(c)
	}
	if c.phase == phase.Closed {
		return
	}
	for _, due := range [...]int64{c.msgDue, c.sendDue, c.ackDue, c.halfDue} {
		if due != 0 {
			c.arm(due)
		}
	}
}

// behind reports whether the rest of an overdue message may be in the kernel: then
// it is we who are late. The loop gets a moment to read it, once a message. Of a
// connection that is held nothing was read: its time begins anew.
func (l *loop) behind(c *conn, now int64) bool {
	if c.held.Load() {
		c.msgDue = now + int64(l.eng.cfg.MaxMessageTime)
		return true
	}
	if c.msgLate || kernel.Unread(c.sock.Fd()) == 0 {
		return false
	}
	c.msgLate = true
	c.msgDue = now + int64(100*time.Millisecond)
	return true
}

func past(due, now int64) bool { return due != 0 && due <= now }

// expire closes a connection that was idle for its lifetime.
func (l *loop) expire(c *conn, now int64) {
	due := max(c.active.Load()+l.eng.lifetime, c.keep.Load())
	if due > now {
		l.idle.Put(c, due)
		return
	}
	l.close(c, because(IdleTimeout, ""))
}
