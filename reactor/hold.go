package reactor

import (
	"sipreactor/reactor/internal/deadlines"
	"sipreactor/reactor/internal/phase"
)

// A connection that brings more than is handled costs the others nothing. The
// loop does not read it while many of its messages are in hand: TCP then slows
// the peer down. And what it brings beyond a few goes into the low-priority queue of
// its shard, which messages of calmer connections pass. A message whose Handler
// waits is not in hand: that a destination is slow is no fault of whoever sent
// it.
//
// Nor is a connection read whose replies have no room: a peer that asks and does
// not read gets no more questions in, and loses none of its answers.

const (
	// holdAt is how many messages in hand end the reading of a connection, and
	// holdUntil how few of them let it go on.
	holdAt, holdUntil = 128, 32
	// lowPriorityAt is from how many in hand on a connection's messages join the
	// low-priority queue.
	lowPriorityAt = 16
	// swampedAt is how many bytes may wait behind a socket that takes no more until
	// its connection is not read.
	swampedAt = 128 << 10
)

// handled takes a message out of the count. Any goroutine.
func (c *conn) handled() {
	if c.inHand.Add(-1) == holdUntil && c.held.Load() {
		c.loop.post(c, evRead)
	}
}

// lowPriority reports whether the connection's next messages join the low-priority
// queue: behind what is there of it, or because there are many.
func (c *conn) lowPriority() bool { return c.low.Load() > 0 || c.inHand.Load() > lowPriorityAt }

// hold ends the reading of a connection that has too much in hand, or brought
// what is too much for all. Loop only.
func (l *loop) hold(c *conn) {
	excess, swamped := c.excess, l.swamped(c)
	c.excess = false
	if !excess && !swamped && c.inHand.Load() < holdAt || c.held.Load() || c.phase != phase.Established {
		return
	}
	l.stat.Held.Add(1)
	c.sock.PauseReading()
	c.held.Store(true)
	l.answersWait(c, true)
	c.swamped = swamped
	switch {
	case excess:
		l.pause(c)
	case swamped:
	case c.inHand.Load() <= holdUntil: // they were worked off just now, perhaps before held was seen
		l.resumeReading(c)
	}
}

// resumeReading goes on reading. Loop only.
func (l *loop) resumeReading(c *conn) {
	if c.paused || c.swamped {
		return // unpause or unswamp will
	}
	if c.held.CompareAndSwap(true, false) {
		l.answersWait(c, false)
		c.sock.ResumeReading()
	}
}

// swamped reports whether much waits for a peer that takes nothing. One that takes
// nothing for half of the send timeout is read all the same: it may be waiting for
// us to do so, as a peer does that is swamped by us. Loop only.
func (l *loop) swamped(c *conn) bool {
	if !c.waits.For(deadlines.Send) || l.eng.now()-c.sendSince >= int64(c.cfg.SendTimeout)/2 {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.out.Waiting != nil && len(c.out.Waiting.Text) >= swampedAt
}

// unswamp reads a connection again whose socket took what waited, or has taken
// nothing for too long. Loop only.
func (l *loop) unswamp(c *conn) {
	if !c.swamped {
		return
	}
	c.swamped = false
	if c.phase == phase.Established && c.inHand.Load() < holdAt { // else handled has it released
		l.resumeReading(c)
	}
}
