package flow

import (
	"testing"
	"time"

	"sipreactor/reactor/internal/message"
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
