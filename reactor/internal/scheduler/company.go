package scheduler

import (
	"sync"
	"sync/atomic"
	"time"
)

// Company is the schedulers of an engine's loops, of which the first attends to the others
// while there is little to do: see "Attended loops". Its methods are for any goroutine.
type Company struct {
	// Idle returns how many processors had nothing to do since it was called last, on
	// average. It is called a few times a second, on the first loop, while that is busy.
	Idle func() float64

	mu     sync.Mutex
	first  bool  // there is a first loop
	busy   int64 // its last window
	over   bool
	others []*member
}

// member is what a Company has of a loop that is not the first.
type member struct {
	loop  Loop
	alone atomic.Bool   // it is not attended to until there is less to do
	away  bool          // it is attended to; the Company's mutex guards it
	back  chan struct{} // tells its goroutine to go on
}

const (
	// windowTime is for how long a loop adds up its sleeps, in ns.
	windowTime = int64(50 * time.Millisecond)
	// wholeWindow is a window without a sleep: what a loop was awake is told in
	// thousandths.
	wholeWindow = 1000
	// busyWindow is a window of a loop that has no time for others.
	busyWindow = 900
	// busyWindows is how many of those in a row end an attendance: the system tells in
	// steps of 10 ms what processors did.
	busyWindows = 4
	// idleEnough is how many processors must have had nothing to do meanwhile: in a closed
	// loop of few, two processors leave half of one idle however many loops there are.
	idleEnough = 0.75
	// together is of how much the first loop and another may be awake in all to share a
	// goroutine.
	together = 500
)

// join takes a loop in. It returns nil for the first one.
func (c *Company) join(l Loop) *member {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.first {
		c.first = true
		return nil
	}
	m := &member{loop: l, back: make(chan struct{}, 1)}
	c.others = append(c.others, m)
	return m
}

// leave has the first loop attend to another, until its goroutine is told to go on. It
// reports whether it does.
func (c *Company) leave(m *member) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	m.away = !c.over && m.loop.HandOver()
	return m.away
}

// turnOf waits for the turn of a loop that is attended to, and reports whether it is: its own
// goroutine stands still then, and whoever else is in its place is so for a moment.
func (c *Company) turnOf(m *member, turn *sync.Mutex) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if m.away {
		turn.Lock()
	}
	return m.away
}

// recall has a loop's own goroutine go on.
func (c *Company) recall(m *member) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.back(m)
}

func (c *Company) back(m *member) {
	if m.away {
		m.away = false
		m.loop.TakeBack()
		m.back <- struct{}{}
	}
}

// Recall has the goroutines of all loops go on, for good.
func (c *Company) Recall() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.over = true
	for _, m := range c.others {
		c.back(m)
	}
}

// firstWindow is the end of a window of the first loop's. Before it, so many in a row were
// busy; it returns how many are now.
func (c *Company) firstWindow(awake int64, busy int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.busy = awake
	if awake < busyWindow || len(c.others) == 0 {
		return 0
	}
	if busy++; busy > 1 && busy < busyWindows {
		return busy
	}
	idle := c.Idle()
	if busy == 1 {
		return busy
	}
	if idle >= idleEnough {
		c.send(max(int(idle), 1))
	}
	return 1
}

// send has so many loops that are attended to be on their own.
func (c *Company) send(n int) {
	for _, m := range c.others {
		if m.away && n > 0 {
			n--
			m.alone.Store(true)
			c.back(m)
		}
	}
}

// window is the end of one of a loop's that is on its own.
func (c *Company) window(m *member, awake int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.busy+awake < together {
		m.alone.Store(false)
	}
}

// window adds up a loop's sleeps.
type window struct {
	began int64 // 0: none has
	slept int64
	busy  int // of the first loop, in a row
}

// end ends a window that has lasted for long enough, and returns what of it the loop was
// awake.
func (w *window) end(now int64) (awake int64, over bool) {
	lasted := now - w.began
	switch {
	case w.began == 0:
	case lasted < windowTime:
		return 0, false
	default:
		awake, over = wholeWindow-wholeWindow*w.slept/lasted, true
	}
	w.began, w.slept = now, 0
	return awake, over
}

// Attend does what is to be done for the loop while that is attended to; the first loop
// calls it. It reports whether other goroutines may have been set to work.
func (s *Scheduler[C]) Attend() (stirred bool) {
	if !s.turn.TryLock() && !s.company.turnOf(s.member, &s.turn) {
		return false
	}
	s.attended = true
	s.program.Attended()
	all := s.loop.Look()
	s.attended = false
	stirred, s.sleep.stirred = s.sleep.stirred, false
	s.turn.Unlock()
	if !all {
		s.company.recall(s.member)
	}
	return stirred
}

// weigh is at the end of a window.
func (s *Scheduler[C]) weigh(now int64) {
	awake, over := s.window.end(now)
	switch {
	case !over:
	case s.member == nil:
		s.window.busy = s.company.firstWindow(awake, s.window.busy)
	case s.member.alone.Load():
		s.company.window(s.member, awake)
	}
}

// leaves reports whether the loop has itself attended to.
func (s *Scheduler[C]) leaves() bool { return s.member != nil && !s.member.alone.Load() }

// leave has the first loop do what is to be done until somebody wants this goroutine. It is
// called in a wake-up: no socket is in the middle of something then.
func (s *Scheduler[C]) leave() {
	s.turn.Unlock()
	if s.company.leave(s.member) {
		<-s.member.back
	}
	s.turn.Lock()
}
