package reactor

import (
	"time"

	"sipreactor/reactor/internal/kernel"
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
	if c.phase == handshaking && !c.hs.busy {
		l.handshakeOverdue(c, now)
	}
	if c.phase == established && past(c.msgDue, now) && !l.behind(c, now) {
		l.close(c, because(MessageTimeout, "a message was not complete after "+l.eng.cfg.MaxMessageTime.String()+" (tcp_max_msg_time)"))
	}
	if c.phase != closed && past(c.sendDue, now) {
		l.sendOverdue(c, now)
	}
	if c.phase == established && past(c.ackDue, now) {
		l.look(c)
	}
	if c.phase == established && past(c.halfDue, now) {
		l.abandoned(c)
	}
	if c.phase == closed {
		return
	}
	for _, due := range [...]int64{c.msgDue, c.sendDue, c.ackDue, c.halfDue} {
		if due != 0 {
			c.arm(due)
		}
	}
}

// behind tells whether the rest of an overdue message may be in the kernel: then
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

// wheelSlots is the seconds a wheel looks ahead; a later expiry is looked at
// again when the wheel has come round.
const wheelSlots = 256

// wheel expires idle connections: a list for each second. A connection that was
// active is not moved: when its second comes it goes to the one it now has. So
// expiry costs O(1) a connection, and activity costs nothing. Loop only.
type wheel struct {
	at    int64
	slots [wheelSlots]*conn
}

// wheelLink is a connection's place in its loop's wheel.
type wheelLink struct {
	prev, next *conn
	slot       int32 // the list it is in, plus one; 0 = none
}

func (w *wheel) start(now int64) { w.at = now }

// put lists c under the second due.
func (w *wheel) put(c *conn, due int64) {
	due = min(max(due, w.at+1), w.at+wheelSlots-1)
	slot := int32(due % wheelSlots)
	head := w.slots[slot]
	c.wheel = wheelLink{next: head, slot: slot + 1}
	if head != nil {
		head.wheel.prev = c
	}
	w.slots[slot] = c
}

// remove takes c off its list.
func (w *wheel) remove(c *conn) {
	k := &c.wheel
	if k.slot == 0 {
		return
	}
	if k.prev != nil {
		k.prev.wheel.next = k.next
	} else {
		w.slots[k.slot-1] = k.next
	}
	if k.next != nil {
		k.next.wheel.prev = k.prev
	}
	*k = wheelLink{}
}

// advance works off the seconds up to now. expire closes a connection or puts
// it back.
func (w *wheel) advance(now int64, expire func(*conn, int64)) {
	// Seconds that were missed by more than a round would visit lists twice.
	w.at = max(w.at, now-wheelSlots)
	for w.at < now {
		w.at++
		slot := w.at % wheelSlots
		for c := w.slots[slot]; c != nil; c = w.slots[slot] {
			w.remove(c)
			expire(c, now)
		}
	}
}

// expire closes a connection that was idle for its lifetime.
func (l *loop) expire(c *conn, now int64) {
	due := c.active.Load() + l.eng.lifetime
	if due > now {
		l.idle.put(c, due)
		return
	}
	l.close(c, because(IdleTimeout, ""))
}
