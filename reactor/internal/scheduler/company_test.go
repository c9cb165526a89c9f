package scheduler

import (
	"fmt"
	"testing"
	"time"
)

// colleague is a loop of a company: what its poller does of that is the test's.
type colleague struct {
	*fake
	denied bool // it cannot be handed over
	handed chan struct{}
	taken  int
	look   func() bool
}

func (c *colleague) HandOver() bool {
	if c.denied {
		return false
	}
	c.handed <- struct{}{}
	return true
}

func (c *colleague) TakeBack() { c.taken++ }

func (c *colleague) Look() bool { return c.look() }

// companyOf returns the loops of a company, the first of them the first.
func companyOf(n int, idle func() float64) (c *Company, all []*colleague) {
	c = &Company{Idle: idle}
	for range n {
		f := &colleague{fake: &fake{clock: int64(time.Hour)}, handed: make(chan struct{}, 1)}
		f.start(f, c)
		f.sleep.yielded = f.clock
		all = append(all, f)
	}
	return c, all
}

// wake has a loop's wake-up come, on a goroutine of its own, and returns what tells its end.
func (c *colleague) wake() (back chan struct{}) {
	back = make(chan struct{})
	c.Return()
	go func() {
		defer close(back)
		c.come()
		c.Rest()
	}()
	return back
}

// away has a loop leave to be attended to.
func (c *colleague) away(t *testing.T) (back chan struct{}) {
	t.Helper()
	back = c.wake()
	select {
	case <-c.handed:
	case <-back:
		t.Fatal("it does not leave")
	}
	return back
}

func TestLeavesInAWakeUp(t *testing.T) {
	c, all := companyOf(2, nil)
	first, other := all[0], all[1]
	first.come()
	if first.Rest(); len(first.handed) != 0 {
		t.Error("the first loop has left")
	}
	if other.Rest(); len(other.handed) != 0 || other.wakes != 1 || len(other.slept) != 0 {
		t.Errorf("behind another callback: handed over %d times, %d wake-ups, %v slept; want one wake-up", len(other.handed), other.wakes, other.slept)
	}
	back := other.away(t)
	if !other.Enter() {
		t.Error("nobody may be in the place of a loop that is attended to")
	}
	other.Leave()
	c.Recall()
	<-back
	if other.taken != 1 {
		t.Errorf("it was taken back %d times", other.taken)
	}
	other.clock += int64(time.Hour)
	if <-other.wake(); len(other.handed) != 0 {
		t.Error("it has left again when all were called back for good")
	}
}

func TestComesBackForItsOwn(t *testing.T) {
	_, all := companyOf(2, nil)
	other := all[1]
	back := other.away(t)
	all[1].look = func() bool {
		other.Stirred()
		if other.Rest(); len(other.slept) != 0 {
			t.Error("it slept on the first loop's goroutine")
		}
		return true
	}
	if !other.Attend() || other.taken != 0 || other.attendances != 1 {
		t.Errorf("all was done: taken back %d times, the program told %d times; and others have work", other.taken, other.attendances)
	}
	if other.look = func() bool { return true }; other.Attend() {
		t.Error("nobody was set to work")
	}
	other.Enter()
	visits := 1
	go func() {
		visits++
		other.Leave()
	}()
	other.look = func() bool {
		if visits != 2 {
			t.Error("two are in its place")
		}
		return true
	}
	other.Attend()
	other.look = func() bool { return false }
	other.Attend()
	<-back
	if other.taken != 1 {
		t.Errorf("something is left: taken back %d times", other.taken)
	}
	if other.look = func() bool { t.Error("the first loop is in the place of one that is awake"); return true }; other.Attend() {
		t.Error("others were set to work")
	}
	other.look = func() bool { return false }
	other.busy = true
	if <-other.wake(); len(other.handed) != 0 {
		t.Error("it left while that would hold something up")
	}
	other.busy = false
	if other.Rest(); len(other.slept) != 0 || other.wakes != 1 {
		t.Errorf("it slept %v and was woken %d times; want its own wake-up", other.slept, other.wakes)
	}
	other.come()
	back = make(chan struct{})
	go func() {
		defer close(back)
		other.Rest()
	}()
	<-other.handed
	other.Attend()
	<-back
}

// The first loop's windows, as "Attended loops" has them.
func TestSendsWhereProcessorsAreIdle(t *testing.T) {
	for _, row := range []struct {
		name  string
		busy  int // windows before
		awake int64
		idle  float64
		then  int
		alone int // of three
	}{
		{"has time", 3, busyWindow - 1, 2, 0, 0},
		{"busy for the first time", 0, busyWindow, 2, 1, 0},
		{"busy for a while", 1, wholeWindow, 2, 2, 0},
		{"busy for long", busyWindows - 1, busyWindow, idleEnough, 1, 1},
		{"nobody is idle", busyWindows - 1, wholeWindow, idleEnough - 0.01, 1, 0},
		{"two are", busyWindows - 1, wholeWindow, 2.9, 1, 2},
		{"more than loops", busyWindows - 1, wholeWindow, 9, 1, 3},
	} {
		c, all := companyOf(4, func() float64 { return row.idle })
		var backs []chan struct{}
		for _, o := range all[1:] {
			backs = append(backs, o.away(t))
		}
		if then := c.firstWindow(row.awake, row.busy); then != row.then {
			t.Errorf("%s: %d busy windows, want %d", row.name, then, row.then)
		}
		alone := 0
		for i, o := range all[1:] {
			if o.member.alone.Load() {
				<-backs[i]
				alone++
			}
		}
		if alone != row.alone {
			t.Errorf("%s: %d are on their own, want %d", row.name, alone, row.alone)
		}
		c.Recall()
		for _, b := range backs {
			<-b
		}
	}
}

// Who is here for a moment is not sent in the place of one that is away.
func TestSendsWhoIsAway(t *testing.T) {
	c, all := companyOf(3, func() float64 { return 1 })
	here := all[1]
	back := all[2].away(t)
	c.firstWindow(wholeWindow, busyWindows-1)
	if <-back; here.member.alone.Load() {
		t.Error("it was not attended to, and is on its own")
	}
}

// A loop whose poller sleeps is not taken for busy.
func TestPollersSleepIsNotBusy(t *testing.T) {
	c, all := companyOf(2, func() float64 { return 1 })
	first, back := all[0], all[1].away(t)
	for range 2 * busyWindows {
		first.Rest()
		first.clock += int64(time.Second)
	}
	if all[1].member.alone.Load() || first.window.busy != 0 {
		t.Errorf("%d busy windows of a loop that has nothing to do", first.window.busy)
	}
	c.Recall()
	<-back
}

// A loop that is on its own is attended to again when it and the first have little to do.
func TestAloneUntilThereIsLittle(t *testing.T) {
	c, all := companyOf(2, func() float64 { return 1 })
	first, other := all[0], all[1]
	back := other.away(t)
	for range busyWindows { // the first never sleeps
		first.clock += windowTime
		first.weigh(first.clock)
	}
	first.clock += windowTime
	first.weigh(first.clock)
	<-back
	other.clock += int64(time.Hour)
	if <-other.wake(); len(other.handed) != 0 {
		t.Fatal("it leaves while the first is busy")
	}
	c.firstWindow(300, 0)
	for _, step := range []struct {
		slept int64 // of a window, in thousandths
		alone bool
	}{{700, true}, {799, true}, {801, false}} {
		other.window = window{began: other.clock, slept: windowTime * step.slept / wholeWindow}
		other.clock += windowTime
		other.weigh(other.clock)
		if alone := other.member.alone.Load(); alone != step.alone {
			t.Errorf("it slept %d: on its own %v", step.slept, alone)
		}
	}
	back = other.away(t)
	c.Recall()
	<-back
}

func TestCannotLeave(t *testing.T) {
	_, all := companyOf(2, nil)
	other := all[1]
	other.denied = true
	<-other.wake()
	if len(other.slept) != 0 {
		t.Errorf("it slept %v where its poller sleeps", other.slept)
	}
	if other.look = func() bool { t.Error("the first loop is in the place of one that has not left"); return true }; other.Attend() {
		t.Error("others were set to work")
	}
}

func TestWindow(t *testing.T) {
	var w window
	var got []string
	note := func(now int64) {
		awake, over := w.end(now)
		got = append(got, fmt.Sprint(awake, over))
	}
	note(1)
	w.slept = windowTime / 4
	note(windowTime)
	note(windowTime + 1)
	note(windowTime + 2)
	note(2*windowTime + 1)
	if want := fmt.Sprint([]string{"0 false", "0 false", "750 true", "0 false", "1000 true"}); fmt.Sprint(got) != want {
		t.Errorf("%v, want %v", got, want)
	}
}
