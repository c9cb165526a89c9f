package workers

import (
	"slices"
	"testing"
)

// onCaller runs items of a rig where the test is, on a clock that each item moves by one.
type onCaller struct {
	*rig
	*Inline[thing]
	clock int64
	ran   []int
	wait  func(n int) // nil: no item waits
}

func newOnCaller(r *rig) *onCaller {
	o := &onCaller{rig: r}
	o.Inline = NewInline(new(Member), func() int64 { return o.clock }, func(it thing) {
		o.ran = append(o.ran, it.n)
		o.clock++
		if o.wait != nil {
			o.wait(it.n)
		}
		r.Done()
	})
	return o
}

// run borrows the lead and runs items until a time.
func (o *onCaller) run(todo []thing, until int64) int {
	o.Helper()
	o.eventually("the leader sleeps", o.Asleep)
	if !o.Lend() {
		o.Fatal("the lead is not lent")
	}
	return o.Inline.Run(o.Shard, todo, until)
}

func numbered(n int) (all []thing) {
	for i := range n {
		all = append(all, thing{n: i})
	}
	return all
}

// Items run in order for as long as there is time, at least one of them; the lead comes
// back, and the leader does what came meanwhile.
func TestInlineRunsWhatItHasTimeFor(t *testing.T) {
	done := make(chan int, 10)
	o := newOnCaller(start(t, 2, func(_ *Member, it thing) { done <- it.n }))
	defer o.Stop()
	if n := o.run(numbered(10), 4); n != 4 || !slices.Equal(o.ran, []int{0, 1, 2, 3}) || o.Left() {
		t.Errorf("%d, %v", n, o.ran)
	}
	if !o.member.Leading {
		t.Error("it does not lead while it has the lead")
	}
	o.Push(numbered(1), false, Unbounded)
	if len(done) != 0 {
		t.Error("the leader works while the lead is lent")
	}
	o.Return()
	if <-done != 0 || o.member.Leading {
		t.Error("the lead did not come back")
	}
	if n := o.run(numbered(3), 0); n != 1 { // there is no time
		t.Errorf("%d", n)
	}
	o.Return()
	if n := o.run(numbered(3), 100); n != 3 || o.Busy() != 0 {
		t.Errorf("%d; %d are under way", n, o.Busy())
	}
	o.Return()
}

// An item that waits leaves, with the rest of its stack: the caller goes on at once, the
// leader leads again, and what is behind the wait runs where it is carried on.
func TestInlineLeaves(t *testing.T) {
	o := newOnCaller(start(t, 2, func(*Member, thing) {}))
	hold, behind := make(chan struct{}), 0
	o.wait = func(n int) {
		if n == 1 {
			if !o.Leave() {
				t.Error("it may not leave")
			}
			o.Pause()
			<-hold
			behind++
		}
	}
	if n := o.run(numbered(5), 100); n != 2 || !o.Left() || behind != 0 {
		t.Fatalf("%d ran, left: %v, %d behind the wait", n, o.Left(), behind)
	}
	if o.member.Leading || o.Waiting() != 1 {
		t.Errorf("it leads: %v; %d wait", o.member.Leading, o.Waiting())
	}
	carried := make(chan struct{})
	go func() {
		o.Carry()
		if !o.Over() {
			t.Error("it is not over")
		}
		o.Stop()
		close(carried)
	}()
	o.Push(numbered(3), false, Unbounded)
	o.eventually("the leader works on", func() bool { return o.Busy() == 1 })
	close(hold)
	<-carried
	if behind != 1 || o.Busy() != 0 || o.Waiting() != 0 || !slices.Equal(o.ran, []int{0, 1}) {
		t.Errorf("%d behind the wait, %d under way, %d wait, ran %v", behind, o.Busy(), o.Waiting(), o.ran)
	}
}

// What has left may pause again and again, and its Inline runs others when it is over, for
// which nothing is allocated.
func TestInlineCarriesOn(t *testing.T) {
	o := newOnCaller(start(t, 2, func(*Member, thing) {}))
	defer o.Stop()
	o.wait = func(int) {
		for range 3 {
			if !o.Leave() {
				t.Error("it may not leave")
			}
			o.Pause()
		}
	}
	todo := numbered(1)
	round := func() {
		if n := o.run(todo, 100); n != 1 || !o.Left() || o.Waiting() != 1 {
			t.Fatalf("%d ran, left: %v, %d wait", n, o.Left(), o.Waiting())
		}
		for range 3 {
			if o.Over() {
				t.Fatal("it is over before its waits are")
			}
			o.Carry()
		}
		if !o.Over() {
			t.Fatal("it is not over")
		}
		if o.Again(); o.Left() || o.Over() || o.Waiting() != 0 || o.Busy() != 0 {
			t.Fatalf("%d wait, %d are under way", o.Waiting(), o.Busy())
		}
		o.ran = o.ran[:0]
	}
	if n := testing.AllocsPerRun(100, round); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// Where as many wait as may be an item stays, and the rest runs behind it.
func TestInlineStays(t *testing.T) {
	r := start(t, 1, func(*Member, thing) {})
	o := newOnCaller(r)
	defer o.Stop()
	stayed := 0
	o.wait = func(int) {
		if !o.Leave() {
			stayed++
		}
	}
	if n := o.run(numbered(3), 100); n != 3 || stayed != 3 || o.Left() || !o.member.Leading {
		t.Errorf("%d ran, %d stayed, left: %v", n, stayed, o.Left())
	}
	o.Return()
}

// What runs in place costs no memory.
func TestInlineAllocatesNothing(t *testing.T) {
	r := start(t, 2, func(*Member, thing) {})
	h := NewInline(new(Member), func() int64 { return 0 }, func(thing) { r.Done() })
	defer h.Stop()
	todo := numbered(10)
	r.eventually("the leader sleeps", r.Asleep)
	if n := testing.AllocsPerRun(100, func() {
		if !r.Lend() {
			t.Fatal("the lead is not lent")
		}
		h.Run(r.Shard, todo, 1)
		h.Return()
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// An item that has left and need not wait after all is the last one all the same: the lead is not lent any more.
func TestInlineEndsWithWhoLeaves(t *testing.T) {
	o := newOnCaller(start(t, 2, func(*Member, thing) {}))
	o.wait = func(n int) {
		if n == 1 && !o.Leave() {
			t.Error("it may not leave")
		}
	}
	if n := o.run(numbered(5), 100); n != 2 || !slices.Equal(o.ran, []int{0, 1}) || !o.Left() || !o.Over() {
		t.Errorf("%d: %v ran; left: %v, over: %v", n, o.ran, o.Left(), o.Over())
	}
	o.Stop()
}
