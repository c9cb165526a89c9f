package transaction

import "time"

// What ends a branch besides its response: a CANCEL, another branch's answer, time, a transport.

// Cancel says that the caller has canceled the request. It reports whether that changed anything.
func (t *Transaction) Cancel(now time.Duration) bool {
	t.enter(now)
	defer t.leave()
	if !t.Invite() || t.status != 0 || t.canceled {
		return false
	}
	t.canceled = true
	t.cancelOthers(nil)
	if t.pending() == 0 { // what the user decides meanwhile is no longer wanted
		t.respond(nil, 487)
	}
	return true
}

// CancelBranch ends a branch whose answer is no longer wanted.
func (t *Transaction) CancelBranch(now time.Duration, b *Branch) {
	t.enter(now)
	defer t.leave()
	b.abandon()
}

// cancelOthers ends every branch but one.
func (t *Transaction) cancelOthers(but *Branch) {
	for _, b := range t.Branches() {
		if b != but {
			b.abandon()
		}
	}
}

// Fire has a timer of the transaction's do what it was armed for, unless it was armed or stopped since it went off. Who
// advances the wheel calls it with those that go off, at once or when the transaction is free.
func (t *Transaction) Fire(now time.Duration, timer *Timer) {
	if t.wheel.claim(timer) {
		t.fire(now, timer)
	}
}

func (t *Transaction) fire(now time.Duration, timer *Timer) {
	t.enter(now)
	defer t.leave()
	e := ResendTimer
	if timer.part == partLife || timer.part == partCancelLife {
		e = LifeTimer
	}
	switch {
	case timer.part == partWait:
		t.waits, t.waited = 0, true
		t.conclude()
	case timer.branch < 0:
		do := t.drive(e)
		if do&SendResponse != 0 {
			t.user.Again(t)
		}
		if do&TimeOut != 0 {
			t.user.Lost(t, LostAck)
		}
	case timer.part >= partCancelResend:
		t.branches[timer.branch].driveCancel(e)
	default:
		b := t.branches[timer.branch]
		t.ended(b, b.drive(e))
	}
}

// ended gives a branch that was not answered, or could not be reached, a final response of ours.
func (t *Transaction) ended(b *Branch, do Action) {
	switch {
	case b.status != 0:
		return
	case do&TimeOut != 0:
		b.status, b.local = 408, true
	case do&Unreachable != 0:
		b.status, b.local = 503, true
	default:
		return
	}
	t.completed(b)
}
