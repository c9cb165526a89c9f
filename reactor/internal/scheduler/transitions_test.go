package scheduler

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor/internal/poller"
)

// fake is a loop and the program on it, with a clock.
type fake struct {
	Scheduler[int]
	clock       int64
	wakes       int // not come yet: at most one, as an eventfd has it
	wakeUps     int
	reads       bool // there is something to be read
	busy        bool // a sleep would hold something up
	served      []int
	signals     Signals
	effect      Effect
	during      func() // called while serving
	slept       []time.Duration
	handed      []Job
	done        []Job
	rested      int
	attendances int
}

func newFake() *fake {
	f := &fake{clock: 1}
	f.start(f, new(Company))
	return f
}

// start makes the fake the program on a loop of a company.
func (f *fake) start(l Loop, c *Company) {
	f.Start(l, f, func() int64 { return f.clock }, time.Millisecond, c)
	last := f.clock
	f.jobs.lap = func(now int64) int64 {
		spent := now - last
		last = now
		return spent
	}
}

func (f *fake) Wake()          { f.wakes, f.wakeUps = 1, f.wakeUps+1 }
func (f *fake) Idle() bool     { return !f.reads }
func (f *fake) MaySleep() bool { return !f.busy }

func (f *fake) Sleep(most time.Duration) poller.Found {
	f.slept = append(f.slept, most)
	f.clock += int64(most)
	return 0
}

func (f *fake) HandOver() bool { return false }
func (f *fake) TakeBack()      {}
func (f *fake) Look() bool     { return true }

func (f *fake) Serve(list []int, signals Signals) Effect {
	f.served = append(f.served, list...)
	f.signals |= signals
	if g := f.during; g != nil {
		f.during = nil
		g()
	}
	return f.effect
}

func (f *fake) HandOff(j Job)  { f.handed = append(f.handed, j) }
func (f *fake) Computed(j Job) { f.done = append(f.done, j) }
func (f *fake) Rested()        { f.rested++ }
func (f *fake) Attended()      { f.attendances++ }

// come has the wake-up come, if there is one.
func (f *fake) come() {
	if f.wakes > 0 {
		f.wakes = 0
		f.Woken()
	}
}

func (f *fake) state() string {
	switch {
	case f.woken:
		return "woken"
	case f.deferred:
		return "deferred"
	default:
		return "free"
	}
}

// The table of doc.go, row by row.
func TestTransitions(t *testing.T) {
	bring := map[string]func(f *fake){
		"free":     func(*fake) {},
		"deferred": func(f *fake) { f.Defer() },
		"woken":    func(f *fake) { f.Post(100) },
	}
	for _, row := range []struct {
		from    string
		event   func(f *fake)
		name    string
		to      string
		wakeUps int
		served  []int
	}{
		{"free", func(f *fake) { f.Post(1) }, "Post", "woken", 1, nil},
		{"free", func(f *fake) { f.Raise(1) }, "Raise", "woken", 1, nil},
		{"free", func(f *fake) { f.Defer() }, "Defer", "deferred", 0, nil},
		{"free", func(f *fake) { f.Return() }, "Return", "woken", 1, nil},
		{"free", func(f *fake) { f.Settle() }, "Settle", "free", 0, nil},
		{"deferred", func(f *fake) { f.Post(1) }, "Post", "deferred", 0, nil},
		{"deferred", func(f *fake) { f.Raise(1) }, "Raise", "deferred", 0, nil},
		{"deferred", func(f *fake) { f.Defer() }, "Defer", "deferred", 0, nil},
		{"deferred", func(f *fake) { f.Settle() }, "Settle, nothing asked", "free", 0, nil},
		{"deferred", func(f *fake) { f.Post(1); f.gather.score = 1; f.Settle() }, "Settle, gathering", "woken", 1, nil},
		{"deferred", func(f *fake) { f.Post(1); f.Settle() }, "Settle", "free", 0, []int{1}},
		{"woken", func(f *fake) { f.Post(1) }, "Post", "woken", 1, nil},
		{"woken", func(f *fake) { f.Raise(1) }, "Raise", "woken", 1, nil},
		{"woken", func(f *fake) { f.Defer() }, "Defer", "woken", 1, nil},
		{"woken", func(f *fake) { f.Defer(); f.Post(1); f.Settle() }, "Settle", "woken", 1, nil},
		{"woken", func(f *fake) { f.come() }, "Woken", "free", 1, []int{100}},
	} {
		f := newFake()
		bring[row.from](f)
		row.event(f)
		if f.state() != row.to || f.wakeUps != row.wakeUps || fmt.Sprint(f.served) != fmt.Sprint(row.served) {
			t.Errorf("%s, %s: becomes %s, %d wake-ups, served %v; want %s, %d, %v",
				row.from, row.name, f.state(), f.wakeUps, f.served, row.to, row.wakeUps, row.served)
		}
	}
}

// What is asked while the loop serves at a callback's end has a wake-up of its own.
func TestAskedWhileServing(t *testing.T) {
	f := newFake()
	f.Defer()
	f.Post(1)
	f.during = func() { f.Defer(); f.Post(2) }
	f.Settle()
	if f.wakeUps != 1 || fmt.Sprint(f.served) != "[1]" {
		t.Errorf("%d wake-ups, served %v", f.wakeUps, f.served)
	}
	f.come()
	if fmt.Sprint(f.served) != "[1 2]" {
		t.Errorf("served %v", f.served)
	}
}

// What is asked while the loop serves behind a wake-up has another one.
func TestAskedWhileServingAWakeUp(t *testing.T) {
	f := newFake()
	f.Post(1)
	f.during = func() { f.Post(2) }
	f.come()
	if f.come(); f.wakeUps != 2 || fmt.Sprint(f.served) != "[1 2]" {
		t.Errorf("%d wake-ups, served %v", f.wakeUps, f.served)
	}
}

// Whatever is asked whenever: all of it is served once, in order, and a loop that
// sleeps has nothing to serve.
func TestNothingIsForgotten(t *testing.T) {
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 3))
		f := newFake()
		posted := 0
		var raised Signals
		post := func() {
			posted++
			f.Post(posted)
		}
		var steps strings.Builder
		for range 200 {
			n := rng.IntN(8)
			fmt.Fprint(&steps, n)
			switch n {
			case 0, 1:
				post()
			case 2:
				raised |= 1 << rng.IntN(8)
				f.Raise(raised)
			case 3, 4: // a callback that reads
				f.Defer()
				for range rng.IntN(3) {
					post()
				}
				if rng.IntN(3) == 0 {
					f.during = func() { f.Defer(); post() }
				}
				f.Settle()
				f.during = nil
				f.Soon()
				f.Rest()
			case 5:
				f.Compute(&job{takes: int64(rng.IntN(3)) * int64(time.Millisecond), f: f})
				f.reads = rng.IntN(2) == 0
				f.Soon()
				f.Rest()
			default:
				f.come()
				f.Rest()
			}
			if len(f.slept) > 0 && (f.state() != "free" || f.asked()) {
				t.Fatalf("seed %d: it slept with something to do: %s", seed, steps.String())
			}
			f.slept = nil
		}
		for range 100 {
			f.come()
		}
		if len(f.served) != posted || f.signals != raised || len(f.jobs.queue) != 0 {
			t.Fatalf("seed %d: served %d of %d, signals %b of %b, %d jobs are left", seed, len(f.served), posted, f.signals, raised, len(f.jobs.queue))
		}
		for i, n := range f.served {
			if n != i+1 {
				t.Fatalf("seed %d: served %v", seed, f.served)
			}
		}
	}
}

// job is a Job that takes a while on the fake's clock.
type job struct {
	takes    int64
	kind     int
	gone     bool
	f        *fake
	computed int
}

func (j *job) Kind() int  { return j.kind }
func (j *job) Gone() bool { return j.gone }
func (j *job) Compute()   { j.computed++; j.f.clock += j.takes }

// A round computes what it has time for, keeps a few and hands off the rest.
func TestRound(t *testing.T) {
	f := newFake()
	f.reads = true
	var all []*job
	for range 20 {
		j := &job{takes: int64(300 * time.Microsecond), f: f}
		all = append(all, j)
		f.Compute(j)
	}
	f.Soon()
	if f.wakeUps != 1 || len(f.done) != 0 {
		t.Fatalf("with something to read: %d wake-ups, %d computed", f.wakeUps, len(f.done))
	}
	f.come()
	if len(f.done) != 4 || len(f.jobs.queue) != keptJobs || len(f.handed) != 20-4-keptJobs {
		t.Errorf("%d computed, %d kept, %d handed off", len(f.done), len(f.jobs.queue), len(f.handed))
	}
	if f.wakeUps != 2 {
		t.Error("the loop does not come back to the rest")
	}
	f.come()
	f.come()
	if len(f.done) != 4+keptJobs || f.rested != 3 {
		t.Errorf("%d computed, rested %d times", len(f.done), f.rested)
	}
	for _, j := range all {
		if j.computed > 1 {
			t.Error("a job was computed twice")
		}
	}
}

// A loop with nothing to read computes at once; a job that nobody wants is not
// computed and told all the same.
func TestSoon(t *testing.T) {
	f := newFake()
	a, b := &job{f: f}, &job{f: f, gone: true}
	f.Compute(a)
	f.Compute(b)
	f.Soon()
	if f.wakeUps != 0 || a.computed != 1 || b.computed != 0 || len(f.done) != 2 || f.rested != 1 {
		t.Errorf("%d wake-ups, computed %d and %d, %d told, rested %d", f.wakeUps, a.computed, b.computed, len(f.done), f.rested)
	}
}

// Kinds that take too long are left to others, but for a try now and then.
func TestLongKindIsHandedOff(t *testing.T) {
	f := newFake()
	on := 0
	for range 3 * leaveMany {
		j := &job{takes: int64(20 * time.Millisecond), kind: 1, f: f}
		f.Compute(j)
		f.Soon()
		on += j.computed
	}
	if on < 3 || on > 3*leaveMany/16 {
		t.Errorf("%d of %d on the loop", on, 3*leaveMany)
	}
	short := &job{f: f}
	f.Compute(short)
	if f.Soon(); short.computed != 1 {
		t.Error("another kind suffers from it")
	}
	off := newFake()
	off.jobs.round = 0
	if off.Compute(&job{f: off}); len(off.handed) != 1 {
		t.Error("without a time the loop computes")
	}
}

// Before it sleeps a loop yields if others may have work, and else once in a while.
func TestYields(t *testing.T) {
	for _, c := range []struct {
		effect Effect
		own    bool
		yields uint64
	}{{Stirs, false, 1}, {Stirs, true, 1}, {Usual, false, 1}, {Usual, true, 0}, {Silent, false, 0}} {
		f := newSleeper()
		f.some, f.after = poller.Own, noSleep
		f.effect = c.effect
		if c.own {
			f.gather.score = 2
			f.Defer()
			f.Post(1)
			f.Settle()
		} else {
			f.Post(1)
		}
		f.come()
		f.Rest()
		if _, n := f.Slept(); n != c.yields || len(f.slept) != 1 {
			t.Errorf("%+v: yielded %d times, slept %d", c, n, len(f.slept))
		}
	}
	f := newSleeper()
	f.some, f.after = poller.Own, noSleep
	f.sleep.yielded -= int64(sleepTime)
	if f.Rest(); f.sleep.yields != 1 {
		t.Error("it does not yield once in a while")
	}
	f.busy = true
	if f.Rest(); len(f.slept) != 1 {
		t.Error("it slept though that holds something up")
	}
}
