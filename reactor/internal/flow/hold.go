package flow

import (
	"sipreactor/reactor/internal/connection"
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
// Nor is a connection read whose responses have no room: a peer that asks and does
// not read gets no more questions in, and loses none of its answers.

// swampedAt is how many bytes may wait behind a socket that takes no more until
// its connection is not read.
const swampedAt = 128 << 10

// Hold ends the reading of a connection that has too much in hand, or brought
// what is too much for all. Loop only.
func (l *Flow) Hold(c *connection.Conn) {
	defer l.Guard(c)
	if c.At() != phase.Established {
		return
	}
	held, excess := c.Reading.Hold(l.swamped(c))
	if !held {
		return
	}
	l.Stat.Held.Add(1)
	c.Own.Sock.PauseReading()
	l.program.AnswersWait(c, true)
	if excess {
		l.program.Pause(c)
	}
	if c.Reading.WorkedOff() {
		l.ReadOn(c)
	}
}

// ResumeReading goes on reading, unless something keeps it from that. Loop only.
func (l *Flow) ResumeReading(c *connection.Conn) {
	if c.Reading.Resume() {
		l.ReadOn(c)
	}
}

// ReadOn has a connection read that is not held any more. Loop only.
func (l *Flow) ReadOn(c *connection.Conn) {
	if c.At() == phase.Established {
		l.program.AnswersWait(c, false)
		c.Own.Sock.ResumeReading()
	}
}

// swamped reports whether much waits for a peer that takes nothing. One that takes
// nothing for half of the send timeout is read all the same: it may be waiting for
// us to do so, as a peer does that is swamped by us. Loop only.
func (l *Flow) swamped(c *connection.Conn) bool {
	if !c.Own.Waits.For(deadlines.Send) || c.Own.Stall.Lasts(l.all.Now(), c.Config.SendTimeout/2) {
		return false
	}
	return c.WaitingBytes() >= swampedAt
}

// unswamp reads a connection again whose socket took what waited, or has taken
// nothing for too long. Loop only.
func (l *Flow) unswamp(c *connection.Conn) {
	if c.Reading.Unswamp() {
		l.ReadOn(c)
	}
}
