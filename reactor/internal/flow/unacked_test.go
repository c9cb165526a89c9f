package flow

import (
	"testing"
	"time"

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
