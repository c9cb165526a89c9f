package scheduler

import (
	"testing"
	"time"

	"sipreactor/reactor/internal/poller"
)

// sleeper is a fake whose sleeps take what they are told.
type sleeper struct {
	*fake
	some  poller.Found
	after int64 // ns
}

func (s *sleeper) Sleep(most time.Duration) poller.Found {
	s.slept = append(s.slept, most)
	s.clock += s.after
	return s.some
}

func newSleeper() *sleeper {
	s := &sleeper{fake: newFake(), after: int64(sleepTime)}
	s.loop = s
	s.sleep.yielded = s.clock
	return s
}

// The table of Rest in doc.go, row by row.
func TestRest(t *testing.T) {
	for _, row := range []struct {
		name   string
		set    func(s *sleeper)
		sleeps int
		yields uint64
		idle   bool
		found  poller.Found
	}{
		{"holds something up", func(s *sleeper) { s.busy = true }, 0, 0, false, 0},
		{"woken", func(s *sleeper) { s.Return() }, 0, 0, false, 0},
		{"asked", func(s *sleeper) { s.Defer(); s.Post(1) }, 0, 0, false, 0},
		{"stirred", func(s *sleeper) { s.some, s.after = poller.Own, noSleep; s.Stirred() }, 1, 1, true, poller.Own},
		{"did not yield for long", func(s *sleeper) { s.some, s.after = poller.Own, noSleep; s.sleep.yielded -= int64(sleepTime) }, 1, 1, true, poller.Own},
		{"nothing came", func(*sleeper) {}, sleepRounds, sleepRounds - 1, true, 0},
		{"something came", func(s *sleeper) { s.some, s.after = poller.Own, noSleep }, 1, 0, true, poller.Own},
		{"something was there", func(s *sleeper) { s.some, s.after = poller.Own, noSleep-1 }, 1, 0, false, poller.Own},
		{"something came for others", func(s *sleeper) { s.some, s.after = poller.Others, noSleep }, 1, 0, true, poller.Others},
		{"something came for all", func(s *sleeper) { s.some, s.after = poller.Own|poller.Others, noSleep }, 1, 0, true, poller.Own | poller.Others},
		{"was there for others", func(s *sleeper) { s.some, s.after = poller.Others, noSleep-1 }, 1, 0, false, poller.Others},
	} {
		s := newSleeper()
		row.set(s)
		idle, found := s.Rest()
		if len(s.slept) != row.sleeps || s.sleep.yields != row.yields || idle != row.idle || found != row.found {
			t.Errorf("%s: slept %d times, yielded %d, idle %v, found %d; want %+v",
				row.name, len(s.slept), s.sleep.yields, idle, found, row)
		}
	}
}

// visited is a fake whose sleeps are the visitor's to use.
type visited struct {
	*fake
	visit func()
}

func (v *visited) Sleep(time.Duration) poller.Found {
	v.visit()
	return poller.Own
}

// Somebody else is in the loop's place only while it sleeps, one at a time, and not when it
// is about to wake.
func TestEnter(t *testing.T) {
	v := &visited{fake: newFake()}
	v.loop = v
	visits := 0
	v.visit = func() {
		visits++
		if !v.Enter() {
			t.Error("nobody may be in the place of a loop that sleeps")
			return
		}
		if v.Enter() {
			t.Error("two are in its place")
		}
		v.Leave()
		v.Post(1)
		if v.Enter() {
			t.Error("it is woken, and somebody is in its place")
		}
	}
	if v.Enter() {
		t.Error("somebody is in the place of a loop that is awake")
	}
	if v.Rest(); visits != 1 {
		t.Errorf("it slept %d times", visits)
	}
	if v.come(); v.Enter() {
		t.Error("somebody is in the place of a loop that was woken")
	}
}

// A loop that wakes while somebody is in its place waits for that.
func TestWakesBehindAVisit(t *testing.T) {
	v := &visited{fake: newFake()}
	v.loop = v
	in, left := make(chan struct{}), make(chan struct{})
	theirs := 0 // what is the loop's alone
	v.visit = func() {
		go func() {
			if !v.Enter() {
				t.Error("it sleeps, and nobody may be in its place")
			}
			close(in)
			theirs++
			time.Sleep(20 * time.Millisecond) // a loop that does not wait has counted by then; one that does takes no notice
			theirs++
			v.Leave()
			close(left)
		}()
		<-in
	}
	if v.Rest(); theirs != 2 {
		t.Error("it has not waited")
	}
	<-left
}

// The table of Soon in doc.go, row by row.
func TestSoonTable(t *testing.T) {
	for _, row := range []struct {
		name     string
		jobs     int
		set      func(f *fake)
		computed int
		woken    bool
	}{
		{"no job", 0, func(*fake) {}, 0, false},
		{"the wake-up comes anyway", 1, func(f *fake) { f.Return() }, 0, true},
		{"something to read", 1, func(f *fake) { f.reads = true }, 0, true},
		{"nothing to read", 1, func(*fake) {}, 1, false},
		{"more than a round's", 5, func(*fake) {}, 4, true},
	} {
		f := newFake()
		row.set(f)
		for range row.jobs {
			f.Compute(&job{takes: int64(300 * time.Microsecond), f: f})
		}
		f.Soon()
		if len(f.done) != row.computed || f.woken != row.woken || len(f.handed) != 0 {
			t.Errorf("%s: %d computed, woken %v, %d handed off; want %+v", row.name, len(f.done), f.woken, len(f.handed), row)
		}
	}
}
