package reactor

import (
	"sipreactor/reactor/internal/glance"
	"sipreactor/reactor/internal/kernel"
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
// and replies go first (item.First): they end what was begun.

// overloaded reports whether there is no time for more of a connection's new
// requests: the loop takes too long to come round, or more of them wait unread, or it
// has brought too much a moment ago and goes on. Loop only.
func (l *loop) overloaded(c *conn) bool {
	now := l.eng.now()
	switch {
	case l.policy.Overloaded(now):
		return true
	case !l.more:
		return false
	case c.reading.Overloads() && l.policy.Above():
		return true
	default:
		return l.deep(c, now)
	}
}

// deep reports whether what a connection has unread will wait for too long. Loop
// only, in a read that has left something.
func (l *loop) deep(c *conn, now int64) bool {
	return c.reading.Full != 0 && l.policy.Deep(kernel.Unread(c.sock.Fd()), poller.ReadBytes, now-c.reading.Full)
}

// answersWait notes whether answers wait on a connection, for their being read or for
// what was read before. Loop only.
func (l *loop) answersWait(c *conn, wait bool) {
	l.policy.Answers(&c.reading.AnswersWait, wait && c.owed.Ours() > 0)
}

// mark has the loop find out how long it takes to come round. Loop only.
func (l *loop) mark() {
	if l.policy.Mark(l.eng.now()) {
		l.sched.Return()
	}
}

// marked is the wake-up that mark asked for, or another. Loop only.
func (l *loop) marked() {
	now := l.eng.now()
	l.policy.Came(now)
	if l.paused.Len() > 0 && l.policy.Roomy(now) && l.eng.calm() {
		l.goOn()
	}
}

// weigh notes that a connection brings too much: new requests where there is no
// time for more of its messages. Loop only.
func (l *loop) weigh(c *conn) {
	if c == nil || l.eng.cfg.QueueDelay == 0 {
		return
	}
	overloaded := l.overloaded(c)
	for i, b := range l.frames {
		if len(b) != 0 && (overloaded || l.eng.shards[i].Exceeds(c.reading.LowPriority(), len(b))) && begins(b) {
			c.reading.Exceed()
			return
		}
	}
}

// begins reports whether a new request is among the items.
func begins(b []item) bool {
	for _, it := range b {
		if it.kind == itemMessage && !glance.Urgent(it.data) {
			return true
		}
	}
	return false
}

// late reports whether something waits for too long in a shard.
func (e *Engine) late() bool {
	target := e.cfg.QueueDelay
	for _, s := range e.shards {
		if target != 0 && s.Wait() >= target {
			return true
		}
	}
	return false
}

// calm reports whether there is room for more in every shard.
func (e *Engine) calm() bool {
	for _, s := range e.shards {
		if s.Wait() > e.cfg.QueueDelay/2 {
			return false
		}
	}
	return true
}

// eased has the loops read what they have paused, if there is room for that.
func (e *Engine) eased() {
	if e.paused.Load() == 0 || !e.calm() {
		return
	}
	e.eachLoop((*loop).roomAgain)
}

// pause puts a connection that is held into the list of those that go on when
// there is room for more. Loop only.
func (l *loop) pause(c *conn) {
	l.paused.Push(c)
	l.eng.paused.Add(1) // before rest's look: a shard that becomes calm behind that sees it
}

// unpause has what is paused go on while there is nothing else to be read and room
// in the shards: replies and what is calm go first. Loop only.
func (l *loop) unpause() {
	for l.paused.Len() > 0 && l.eng.calm() && l.policy.Roomy(l.eng.now()) && l.poll.Idle() {
		l.goOn()
	}
}

// goOn reads the connection again that has been paused for the longest time. Loop
// only.
func (l *loop) goOn() {
	c := l.paused.Pop()
	l.eng.paused.Add(-1)
	if c.reading.Room() {
		l.readOn(c)
	}
}

// sift refuses new requests: all while the engine drains; where there has been
// too much for a while, as many of those of connections that brought it as the
// budget allows, and all of such datagrams, which nothing else slows down. The rest it leaves. Loop only.
func (l *loop) sift(c *conn) {
	e := l.eng
	if !e.refuses {
		return
	}
	ends := e.draining.Load()
	much := c != nil && c.reading.Exceeds() || e.paused.Load() > 0 || e.late()
	if much || l.policy.Above() {
		l.policy.Look(e.now(), much)
	}
	if c != nil && !l.policy.Over() {
		c.reading.Calm()
	}
	if !ends && (!l.policy.Over() || c != nil && !c.reading.Overloads()) {
		return
	}
	for i, b := range l.frames {
		kept := b[:0]
		for _, it := range b {
			switch {
			case it.kind != itemMessage, glance.Urgent(it.data), !ends && c != nil && !l.policy.Refuse():
				kept = append(kept, it)
				continue
			case ends:
				l.stat.Drained.Add(1)
			default:
				l.stat.Late.Add(1)
			}
			l.refuse(it)
		}
		clear(b[len(kept):])
		l.frames[i] = kept
	}
}

// refuse has the Handler answer a message that no worker is to have, here and
// now. Loop only.
func (l *loop) refuse(it item) {
	l.sched.Defer()
	if l.refuser == nil {
		l.refuser = &Worker{eng: l.eng, fixed: true}
	}
	if it.kind == itemMessage {
		it.kind = itemOverload
	}
	w := l.refuser
	w.shard = l.eng.shards[l.eng.shardOf(it.data)]
	w.shard.Begin()
	w.do(it)
}
