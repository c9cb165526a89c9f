package transaction

import "time"

// Wait has the transaction wait for n more branches after all that it has are done, for Timing.NoFinal; 0 ends that: what
// there is then is the answer. A 2xx ends it, too.
func (t *Transaction) Wait(now time.Duration, n int) {
	t.enter(now)
	defer t.leave()
	if t.status != 0 || t.silent || t.server.Over() { // there is nothing to wait with
		n = 0
	}
	waited := t.waits > 0
	if t.waits = int8(max(0, min(n, MaxBranches))); n > 0 {
		if t.waiting == nil {
			t.waiting = new(Timer)
			t.waiting.belong(-1, partWait)
		}
		if !t.waiting.Armed() {
			t.arm(t.waiting, t.timing.NoFinal)
		}
	}
	if n <= 0 {
		t.noMore()
		if waited {
			t.conclude()
		}
	}
}

// noMore has the transaction no longer wait.
func (t *Transaction) noMore() {
	if t.waiting != nil {
		t.wheel.Stop(t.waiting)
	}
}

// conclude decides if nothing is pending any more.
func (t *Transaction) conclude() {
	if t.status == 0 && !t.silent && !t.deciding && t.pending() == 0 && !t.server.Over() {
		t.decide()
	}
}
