package loops

import (
	"sipreactor/reactor/internal/connection"
	"sipreactor/reactor/internal/dispatch"
	"sipreactor/reactor/internal/kernel"
	"sipreactor/reactor/internal/peek"
	"sipreactor/reactor/internal/poller"
)

// Admission. To refuse a request costs a good part of what it costs to serve it:
// it is read, decrypted, answered, encrypted and written. So where more comes
// than is handled, an engine that refuses all the rest serves less and less. It
// takes from the kernel what it can handle soon instead: connections that bring
// more are not read (pause) until there is room, TCP slows their peers down, and what
// waits there is served when it is read. That is the bulk. When there is too much, and
// how much of it is refused, package admission decides. While it goes on, one
// in a few new requests of those connections is refused as soon as it is read: on
// the loop, without a worker and without the script, so that their senders hear
// of it and go elsewhere.
//
// What belongs to a dialog or a transaction that is under way is never refused,
// and responses go first (dispatch.Item.First): they end what was begun.

// overloaded reports whether there is no time for more of a connection's new
// requests: the loop takes too long to come round, or more of them wait unread, or it
// has brought too much a moment ago and goes on. Loop only.
func (l *Loop) overloaded(c *connection.Conn) bool {
	now := l.common.Conns.Now()
	switch {
	case l.policy.Overloaded(now):
		return true
	case !l.more:
		return false
	case c.Reading.Overloads() && l.policy.Above():
		return true
	default:
		return l.deep(c, now)
	}
}

// deep reports whether what a connection has unread will wait for too long. Loop
// only, in a read that has left something.
func (l *Loop) deep(c *connection.Conn, now int64) bool {
	return c.Reading.Full != 0 && l.policy.Deep(kernel.Unread(c.Own.Sock.Fd()), poller.ReadBytes, now-c.Reading.Full)
}

// take reads what the socket of a connection brought, and notes whether it may have left
// something. Loop only.
func (l *Loop) take(c *connection.Conn, in []byte) {
	var began int64
	if l.more = len(in) >= poller.ReadBytes; l.more {
		began = l.common.Conns.Now()
	}
	l.Input(c, in)
	l.AnswersWait(c, l.more && l.deep(c, began))
	c.Reading.Full = began
}

// AnswersWait notes whether answers wait on a connection, for their being read or for
// what was read before. Loop only.
func (l *Loop) AnswersWait(c *connection.Conn, wait bool) {
	l.policy.Answers(&c.Reading.AnswersWait, wait && c.Owed.Ours() > 0)
}

// mark has the loop find out how long it takes to come round. Loop only.
func (l *Loop) mark() {
	if l.policy.Mark(l.common.Conns.Now()) {
		l.Sched.Return()
	}
}

// marked is the wake-up that mark asked for, or another. Loop only.
func (l *Loop) marked() {
	now := l.common.Conns.Now()
	l.policy.Came(now)
	if l.paused.Len() > 0 && l.policy.Roomy(now) && l.common.Dispatcher.Calm() {
		l.goOn()
	}
}

// weigh notes that a connection brings too much: new requests where there is no
// time for more of its messages. Loop only.
func (l *Loop) weigh(c *connection.Conn) {
	if c == nil || l.common.QueueDelay == 0 {
		return
	}
	overloaded := l.overloaded(c)
	for i, b := range l.frames {
		if len(b) != 0 && (overloaded || l.common.Dispatcher.Shards[i].Exceeds(c.Reading.LowPriority(), len(b))) && begins(b) {
			c.Reading.Exceed()
			return
		}
	}
}

// begins reports whether a new request is among the items.
func begins(b []dispatch.Item) bool {
	for _, it := range b {
		if it.Kind == dispatch.Message && !peek.Urgent(it.Data) {
			return true
		}
	}
	return false
}

// Pause puts a connection that is held into the list of those that go on when
// there is room for more. Loop only.
func (l *Loop) Pause(c *connection.Conn) {
	l.paused.Push(c)
	l.common.Paused.Add(1) // before rest's look: a shard that becomes calm behind that sees it
}

// unpause has what is paused go on while there is nothing else to be read and room
// in the shards: responses and what is calm go first. Loop only.
func (l *Loop) unpause() {
	for l.paused.Len() > 0 && l.common.Dispatcher.Calm() && l.policy.Roomy(l.common.Conns.Now()) && l.Poll.Idle() {
		l.goOn()
	}
}

// goOn reads the connection again that has been paused for the longest time. Loop
// only.
func (l *Loop) goOn() {
	c := l.paused.Pop()
	l.common.Paused.Add(-1)
	if c.Reading.Room() {
		l.ReadOn(c)
	}
}

// sift refuses new requests: all while the engine drains; where there has been
// too much for a while, as many of those of connections that brought it as the
// budget allows, and all of such datagrams, which nothing else slows down. The rest it leaves. Loop only.
func (l *Loop) sift(c *connection.Conn) {
	a := l.common
	if !a.Refuses {
		return
	}
	ends := a.Draining.Load()
	much := c != nil && c.Reading.Exceeds() || a.Paused.Load() > 0 || a.Dispatcher.Late()
	if much || l.policy.Above() {
		l.policy.Look(a.Conns.Now(), much)
	}
	if c != nil && !l.policy.Over() {
		c.Reading.Calm()
	}
	if !ends && (!l.policy.Over() || c != nil && !c.Reading.Overloads()) {
		return
	}
	for i, b := range l.frames {
		kept := b[:0]
		for _, it := range b {
			switch {
			case it.Kind != dispatch.Message, peek.Urgent(it.Data), !ends && c != nil && !l.policy.Refuse():
				kept = append(kept, it)
				continue
			case ends:
				l.Stat.Drained.Add(1)
			default:
				l.Stat.Late.Add(1)
			}
			l.refuse(it)
		}
		clear(b[len(kept):])
		l.frames[i] = kept
	}
}

// refuse has the Handler answer a message that no worker is to have, here and
// now. Loop only.
func (l *Loop) refuse(it dispatch.Item) {
	l.Sched.Defer()
	if l.refuser == nil {
		l.refuser = l.common.Dispatcher.Place()
	}
	if it.Kind == dispatch.Message {
		it.Kind = dispatch.Overload
	}
	l.refuser.DoFixed(l.common.Dispatcher.Shards[l.common.Dispatcher.Of(it.Data)], it)
}
