package scheduler

import "testing"

// Of the callbacks that write, one in many tries to gather; it goes on as long
// as others share the wake-up.
func TestGather(t *testing.T) {
	var g gather
	wait := 0
	for !g.now() {
		if wait++; wait > gatherTry {
			t.Fatal("never tries")
		}
	}
	g.ran()
	if g.now() {
		t.Error("gathers, though nobody joined")
	}
	for !g.now() {
	}
	g.join()
	g.ran()
	for i := range gatherAgain {
		if !g.now() {
			t.Fatalf("gathers no more after %d", i)
		}
		g.ran()
	}
	if g.now() {
		t.Error("goes on, though nobody joins any more")
	}
}
