package admission

import (
	"testing"
	"time"
)

func TestLook(t *testing.T) {
	p := New(time.Second)
	now := int64(time.Second)
	step := func(after int64, much, want bool) {
		t.Helper()
		now += after
		p.Look(now, much)
		if p.Over() != want || p.Above() != much {
			t.Errorf("at %v: over %v, above %v", time.Duration(now), p.Over(), p.Above())
		}
	}
	step(0, false, false)
	step(1, true, false) // the machine was away
	step(interval-1, true, false)
	step(0, false, false) // a burst is worked off
	step(1, true, false)
	step(interval-1, true, false)
	step(1, true, true)
	step(interval, true, true)
	step(1, false, false)
	step(memory/2, true, true) // taken at its word
	step(1, false, false)
	step(memory, true, false)
	step(interval, true, true)
}

// One in a few is refused, however many come.
func TestRefuse(t *testing.T) {
	var p Policy
	refused := 0
	const n = 1000 * (refuseEvery + 1)
	for range n {
		if p.Refuse() {
			refused++
		}
	}
	if refused != 1000 {
		t.Errorf("%d of %d", refused, n)
	}
}

func TestMark(t *testing.T) {
	p := New(100 * time.Millisecond)
	ms := int64(time.Millisecond)
	now := 10 * ms
	if !p.Mark(now) || p.Mark(now+50*ms) {
		t.Fatal("one mark at a time")
	}
	if p.Wait(now+20*ms) != 20*ms || p.Overloaded(now+50*ms) || !p.Overloaded(now+51*ms) {
		t.Errorf("under way: %v", p.Wait(now+20*ms))
	}
	p.Came(now + 30*ms)
	p.Came(now + 99*ms) // no mark was sent
	if p.Wait(now+90*ms) != 30*ms || p.Roomy(now) {
		t.Errorf("back: %v", p.Wait(now+90*ms))
	}
	if !p.Mark(now+31*ms) || p.Wait(now+32*ms) != 30*ms {
		t.Error("the last one counts until the next has taken longer")
	}
	p.Came(now + 32*ms)
	if p.Wait(0) != ms || p.Mark(now+32*ms) || !p.Roomy(0) {
		t.Error("a mark each five milliseconds at most")
	}
	p.Idle(now + 40*ms)
	if p.Wait(0) != 0 || p.Mark(now+44*ms) || !p.Mark(now+45*ms) {
		t.Error("nothing waits, and no mark is sent until the loop has been busy for a while")
	}
	none := New(0)
	if none.Mark(now) || none.Overloaded(now) {
		t.Error("without a target")
	}
}

// Who is served by another's goroutine had nothing to do when that had nothing to do.
func TestIdleWith(t *testing.T) {
	p, first := New(100*time.Millisecond), New(100*time.Millisecond)
	ms := int64(time.Millisecond)
	p.Mark(10 * ms)
	p.Came(40 * ms)
	if p.IdleWith(&first); p.Wait(0) != 30*ms {
		t.Errorf("the other has never been idle: %v", p.Wait(0))
	}
	first.Idle(50 * ms)
	if p.IdleWith(&first); p.Wait(0) != 0 || p.Mark(54*ms) || !p.Mark(55*ms) {
		t.Error("nothing waits, and no mark is sent until there was something for a while")
	}
	p.Came(75 * ms)
	if p.IdleWith(&first); p.Wait(0) != 20*ms {
		t.Errorf("it was idle before that: %v", p.Wait(0))
	}
}

// While answers wait anywhere, no new requests are wanted.
func TestAnswers(t *testing.T) {
	p := New(time.Second)
	var a, b bool
	for _, step := range []struct {
		at   *bool
		wait bool
		want bool
	}{{&a, false, false}, {&a, true, true}, {&a, true, true}, {&b, true, true}, {&a, false, true}, {&b, false, false}} {
		if p.Answers(step.at, step.wait); p.Overloaded(1) != step.want || p.Roomy(1) == step.want {
			t.Errorf("%+v: overloaded %v, roomy %v", step, p.Overloaded(1), p.Roomy(1))
		}
	}
}

func TestDeep(t *testing.T) {
	p := New(100 * time.Millisecond)
	for _, tt := range []struct {
		unread, got int
		gap         time.Duration
		want        bool
	}{{0, 64, time.Second, false}, {64, 64, 50 * time.Millisecond, false}, {64, 64, 51 * time.Millisecond, true}, {640, 64, 6 * time.Millisecond, true}, {640, 64, 5 * time.Millisecond, false}, {1, 0, time.Hour, false}} {
		if got := p.Deep(tt.unread, tt.got, int64(tt.gap)); got != tt.want {
			t.Errorf("%+v", tt)
		}
	}
}
