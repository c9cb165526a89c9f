package handshakes

import (
	"testing"
	"time"
)

// The limit is for all waits together, and what passes between them is ours.
func TestClockRunsOnlyWhileWeWait(t *testing.T) {
	const second = int64(time.Second)
	c := NewClock(5*time.Second, second)
	none := func() time.Duration { t.Error("asked for the round-trip time"); return 0 }
	if due := c.Start(second, false); due != 6*second || !c.Runs() {
		t.Errorf("due at %d, runs %v", due, c.Runs())
	}
	c.Stop(4 * second)
	c.Stop(5 * second) // twice is once
	if c.Runs() {
		t.Error("runs though the peer has answered")
	}
	if due := c.Start(100*second, false); due != 102*second {
		t.Errorf("due at %d", due)
	}
	if due := c.Due(101*second, none, time.Second); due != 102*second {
		t.Errorf("due at %d", due)
	}
	if due := c.Due(102*second, none, time.Second); due != 102*second {
		t.Errorf("a flight that said nothing is granted time: due at %d", due)
	}
	if took := c.Took(101 * second); took != 100*time.Second {
		t.Errorf("took %v", took)
	}
}

// The path's round-trip time is added once for each flight of ours, when the time is
// over, and bounded in all.
func TestClockGrantsRoundTrips(t *testing.T) {
	const ms = int64(time.Millisecond)
	asked := 0
	path := func() time.Duration { asked++; return 200 * time.Millisecond }
	c := NewClock(time.Second, ms)
	c.Start(ms, true)
	if due := c.Due(500*ms, path, time.Second); due != 1001*ms || asked != 0 {
		t.Errorf("due at %d, asked %d times", due/ms, asked)
	}
	if due := c.Due(1001*ms, path, time.Second); due != 1201*ms || asked != 1 {
		t.Errorf("due at %d, asked %d times", due/ms, asked)
	}
	if due := c.Due(1201*ms, path, time.Second); due != 1201*ms || asked != 1 {
		t.Errorf("a flight counts twice: due at %d, asked %d times", due/ms, asked)
	}
	c.Stop(1201 * ms)
	for range 9 { // nothing is left but what is granted
		c.Start(2000*ms, true)
		c.Stop(2000 * ms)
	}
	c.Start(2000*ms, false)
	if due := c.Due(2000*ms, path, time.Second); due != 2800*ms {
		t.Errorf("due at %d", due/ms)
	}
}
