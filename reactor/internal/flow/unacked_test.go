package flow

import (
	"testing"
	"time"

	"sipreactor/reactor/internal/deadlines"
	"sipreactor/reactor/internal/kernel"
	"sipreactor/reactor/internal/message"
	"sipreactor/reactor/internal/waittest"
)

// A program that was stopped for a while, or whose machine was, holds that time against no peer.
func TestTimeThatNobodyLooked(t *testing.T) {
	r := newRig(t)
	c, peer := r.plain()
	r.give(c, "hello", message.Final)
	r.Flush(c)
	r.reads(peer, "hello")
	since := c.Own.Unacked.Since
	r.later(10 * time.Second)
	r.Tick()
	if put := time.Duration(c.Own.Unacked.Since - since); put < 8*time.Second || put > 30*time.Second {
		t.Errorf("10 s are %v", put)
	}
	r.lives(c, "behind a stop")
}

// What is written when nothing else is under way is unacknowledged since then, and a connection is
// looked at as long as something is.
func TestUnackedSinceItWasWritten(t *testing.T) {
	r := newRig(t)
	c, peer := r.plain()
	r.give(c, "hello", message.Final)
	r.Flush(c)
	r.reads(peer, "hello")
	waittest.For(t, "all is acknowledged", func() bool {
		r.lookAll()
		return len(r.unacked) == 0
	})
	r.later(time.Minute)
	before := r.all.Now()
	r.give(c, "again", message.Final)
	if r.Flush(c); c.Own.Unacked.Since < before {
		t.Error("it is unacknowledged since before it was written")
	}
	_ = peer.SetReadBuffer(1 << 14)
	kernel.BoundSend(c.Own.Sock.Fd())
	r.fill(c)
	for range 3 {
		if r.lookAll(); len(r.unacked) != 1 {
			t.Fatalf("%d are looked at again", len(r.unacked))
		}
	}
}

// Requests that are written are owed an answer, and nothing else is.
func TestWrittenRequestsAreOwed(t *testing.T) {
	r := newRig(t)
	c, _ := r.plain()
	r.give(c, "one", message.NewRequest)
	r.give(c, "two", message.Final)
	r.give(c, "three", message.LaterRequest)
	r.Flush(c)
	if n, all := c.Owed.Ours(), r.Stat.Unanswered.Load(); n != 2 || all != 2 {
		t.Errorf("%d are owed, %d are counted", n, all)
	}
}

// A look ends the wait for it, when all is acknowledged and nothing has a time any more.
func TestAllIsAcknowledged(t *testing.T) {
	r := newRig(t)
	c, peer := r.plain()
	r.acknowledged(c, peer, message.NewRequest)
	c.Own.Waits.Set(deadlines.Acknowledgement, r.all.Now()+int64(time.Hour), c)
	c.Own.Stall.Shut(r.all.Now(), 0)
	idle := c.IdleDue(100)
	r.later(time.Minute)
	r.Seconds.Store(r.all.Seconds())
	if r.look(c); c.Own.Waits.For(deadlines.Acknowledgement) {
		t.Error("it is looked at again, for nothing")
	}
	if c.IdleDue(100) < idle+59 {
		t.Error("an acknowledgement is no life")
	}
	c.Own.Stall.Shut(r.all.Now(), 0)
	if r.look(c); c.Own.Stall.ShutFor(r.all.Now()) != 0 {
		t.Error("its window is closed, though all is acknowledged")
	}
}
