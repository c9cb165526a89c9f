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

// swampedAt is how many bytes may wait behind a socket that takes no more until
// its connection is not read.
const swampedAt = 128 << 10

// handled takes a message out of the count. Any goroutine.
func (c *conn) handled() {
	if c.reading.Handled() {
		c.loop.post(c, evRead)
	}
}

// hold ends the reading of a connection that has too much in hand, or brought
// what is too much for all. Loop only.
func (l *loop) hold(c *conn) {
	defer l.guard(c)
	if c.life.At() != phase.Established {
		return
	}
	held, excess := c.reading.Hold(l.swamped(c))
	if !held {
		return
	}
	l.stat.Held.Add(1)
	c.sock.PauseReading()
	l.answersWait(c, true)
	if excess {
		l.pause(c)
	}
	if c.reading.WorkedOff() {
		l.readOn(c)
	}
}

// resumeReading goes on reading, unless something keeps it from that. Loop only.
func (l *loop) resumeReading(c *conn) {
	if c.reading.Resume() {
		l.readOn(c)
	}
}

// readOn has a connection read that is not held any more. Loop only.
func (l *loop) readOn(c *conn) {
	if c.life.At() == phase.Established {
		l.answersWait(c, false)
		c.sock.ResumeReading()
	}
}

// swamped reports whether much waits for a peer that takes nothing. One that takes
// nothing for half of the send timeout is read all the same: it may be waiting for
// us to do so, as a peer does that is swamped by us. Loop only.
func (l *loop) swamped(c *conn) bool {
	if !c.waits.For(deadlines.Send) || c.stall.Lasts(l.eng.now(), c.cfg.SendTimeout/2) {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.out.Waiting != nil && len(c.out.Waiting.Text) >= swampedAt
}

// unswamp reads a connection again whose socket took what waited, or has taken
// nothing for too long. Loop only.
func (l *loop) unswamp(c *conn) {
	if c.reading.Unswamp() {
		l.readOn(c)
	}
}
