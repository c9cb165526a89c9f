package workers

import (
	"sync/atomic"
	"testing"
)

// The lead is lent only while nothing is under way, to one, and what comes meanwhile
// waits for its end.
func TestLoan(t *testing.T) {
	hold := make(chan struct{})
	var done atomic.Int64
	r := start(t, 2, func(_ *Member, it thing) {
		if it.n == 1 {
			<-hold
		}
		done.Add(1)
	})
	r.eventually("the leader sleeps", r.Asleep)
	r.Push([]thing{{n: 1}}, false, Unbounded)
	r.eventually("the leader works", func() bool { return !r.Asleep() })
	if r.Lend() {
		t.Fatal("the lead of a shard at work is lent")
	}
	close(hold)
	r.eventually("the leader sleeps", r.Asleep)
	if !r.Lend() {
		t.Fatal("the lead is not lent")
	}
	if r.Lend() {
		t.Fatal("the lead is lent twice")
	}
	r.Push(many(10, thing{}), false, Unbounded)
	r.mu.Lock()
	if r.waiting() != 10 || done.Load() != 1 {
		t.Errorf("%d wait, %d are done", r.waiting(), done.Load())
	}
	r.mu.Unlock()
	r.TakeBack()
	r.eventually("the leader does what came", func() bool { return done.Load() == 11 })
}

// A borrower that waits counts as one of those that may, and the leader goes on.
func TestBorrowerWaits(t *testing.T) {
	r := start(t, 2, func(*Member, thing) {})
	r.eventually("the leader sleeps", r.Asleep)
	if !r.Lend() || !r.LetGo() {
		t.Fatal("it may not wait")
	}
	if r.Waiting() != 1 {
		t.Errorf("%d wait", r.Waiting())
	}
	r.Push(many(3, thing{}), false, Unbounded)
	r.eventually("the leader works on", func() bool { return r.Busy() == 0 && r.Asleep() })
	if !r.Lend() {
		t.Fatal("the lead is not lent again")
	}
	if r.LetGo() {
		t.Fatal("more wait than may")
	}
	r.TakeBack()
	r.Returned()
	if r.Waiting() != 0 {
		t.Errorf("%d wait at the end", r.Waiting())
	}
}

// A shard that ends lends nothing, and ends only when it has its lead back, whether
// anything came meanwhile or not.
func TestCloseWaitsForTheLoan(t *testing.T) {
	for _, came := range []int{0, 1} {
		r := start(t, 2, func(*Member, thing) {})
		r.eventually("the leader sleeps", r.Asleep)
		if !r.Lend() {
			t.Fatal("the lead is not lent")
		}
		r.Push(many(came, thing{}), false, Unbounded)
		r.mu.Lock()
		r.asleep = false // it is again when the leader has seen that it is closed
		r.mu.Unlock()
		r.Close()
		r.eventually("the leader waits for the lead", r.Asleep)
		if r.Busy() != came {
			t.Error("it is done by somebody without the lead")
		}
		r.TakeBack()
		r.running.Wait()
		if r.Busy() != 0 {
			t.Error("what came is not done")
		}
		if r.Lend() {
			t.Error("the lead of a shard that has ended is lent")
		}
	}
}

// Nothing is lent that the leader is about to take, nor of a shard that ends.
func TestNothingIsLentThatIsWanted(t *testing.T) {
	for what, f := range map[string]func(*Shard[thing]){
		"something waits": func(s *Shard[thing]) { s.Push(many(1, thing{}), false, Unbounded) },
		"it ends":         func(s *Shard[thing]) { s.Close() },
	} {
		s := New[thing](Config{Members: 1})
		s.asleep = true // and is not awake yet
		if f(s); s.Lend() {
			t.Errorf("%s, and the lead is lent", what)
		}
	}
}
