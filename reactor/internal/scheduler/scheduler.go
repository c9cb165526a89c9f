package scheduler

import (
	"sync"
	"time"

	"sipreactor/reactor/internal/poller"
)

// Loop is the event loop that is scheduled.
type Loop interface {
	// Wake has the loop call Scheduler.Woken, once for any number of calls. Any
	// goroutine.
	Wake()
	// Idle reports whether there is nothing to be read.
	Idle() bool
	// MaySleep reports whether a sleep holds nothing up.
	MaySleep() bool
	// Sleep waits until there is something to be read or somebody has woken the
	// loop, at most for a time, and tells what there is.
	Sleep(most time.Duration) poller.Found
	// HandOver has the first loop told when there is something, until TakeBack; it
	// reports whether it is. Any goroutine.
	HandOver() bool
	TakeBack()
	// Look does what there is to be done, on any goroutine that is in the loop's place,
	// and reports whether that was all: some is for the loop's own goroutine.
	Look() bool
}

// Program is what a loop runs: C is what it is asked to serve.
type Program[C any] interface {
	// Serve does what was asked for each of the list, and what the signals ask. The
	// list is the scheduler's again when it returns.
	Serve(list []C, signals Signals) Effect
	// HandOff gives a job to somebody else, who posts when it is computed.
	HandOff(j Job)
	// Computed takes a job back that the loop has computed.
	Computed(j Job)
	// Rested is told that the loop has nothing more to do at the moment.
	Rested()
	// Attended is told that the first loop is about to do what there is to be done.
	Attended()
}

// Signals are what a loop is asked that belongs to nothing in particular, as bits
// that the program names.
type Signals uint8

// Effect is what serving may have set going.
type Effect uint8

// The effects, the weaker first.
const (
	Silent Effect = iota // nobody was set to work: a timer only looked
	Usual                // writing: nobody, if the loop woke itself for it
	Stirs                // other goroutines may have work now
)

// Scheduler is the schedule of one loop.
type Scheduler[C any] struct {
	loop    Loop
	program Program[C]
	now     func() int64 // a clock in ns

	turn sync.Mutex // the loop's but for its sleeps; see Enter

	mu       sync.Mutex
	posted   []C
	spare    []C // the list that was worked off last
	signals  Signals
	woken    bool // Woken will be called
	deferred bool // the callback under way looks before it ends

	company  *Company
	member   *member // nil for the first loop
	attended bool    // the callback under way is on the first loop's goroutine
	atWake   bool    // it is the wake-up
	window   window

	looks  bool // the same as deferred, for the loop alone
	own    bool // the wake-up under way is the loop's own
	gather gather
	jobs   jobs
	sleep  sleep
}

// Start makes the scheduler that of a loop, the first of a company or another. step is
// for how long the loop may compute in a round; 0: not at all.
func (s *Scheduler[C]) Start(l Loop, p Program[C], now func() int64, step time.Duration, c *Company) {
	s.loop, s.program, s.now, s.company, s.member = l, p, now, c, c.join(l)
	s.turn.Lock()
	s.jobs.round, s.jobs.lap = int64(step), new(meter).lap
}

// Post asks the loop to serve c. Any goroutine.
func (s *Scheduler[C]) Post(c C) {
	s.mu.Lock()
	s.posted = append(s.posted, c)
	s.unlockAndWake()
}

// Raise asks the loop for what a signal means. Any goroutine.
func (s *Scheduler[C]) Raise(what Signals) {
	s.mu.Lock()
	s.signals |= what
	s.unlockAndWake()
}

// unlockAndWake wakes the loop for what was just noted, if that needs it.
func (s *Scheduler[C]) unlockAndWake() {
	must := !s.woken && !s.deferred
	s.woken = s.woken || must
	s.mu.Unlock()
	if must {
		s.loop.Wake()
	}
}

// Return has the loop's wake-up come once it has read what is there, with nothing
// that is asked of it.
func (s *Scheduler[C]) Return() {
	s.mu.Lock()
	s.own = s.own || !s.woken && !s.deferred
	s.unlockAndWake()
}

// asked reports whether there is something to serve. The lock is held.
func (s *Scheduler[C]) asked() bool { return len(s.posted) > 0 || s.signals != 0 }

// Defer has what is asked from now on wait for the end of the callback under way: no
// wake-up is needed for it, whoever asks.
func (s *Scheduler[C]) Defer() {
	if s.looks {
		return
	}
	s.looks = true
	s.mu.Lock()
	s.deferred = true
	s.mu.Unlock()
}

// Settle is the end of a callback: what was asked since Defer is served, or left to a
// wake-up.
func (s *Scheduler[C]) Settle() {
	if !s.looks {
		return
	}
	s.looks = false
	s.mu.Lock()
	s.deferred = false
	switch {
	case !s.asked():
		s.mu.Unlock()
	case s.woken:
		s.mu.Unlock()
		s.gather.join()
	case s.gather.now():
		s.own = true
		s.unlockAndWake()
	default:
		s.mu.Unlock()
		s.serve(false)
		s.endDefer()
	}
}

// endDefer ends a Defer that came while the loop served, for a message that was read
// behind a handshake perhaps.
func (s *Scheduler[C]) endDefer() {
	if !s.looks {
		return
	}
	s.looks = false
	s.mu.Lock()
	s.deferred = false
	if !s.asked() {
		s.mu.Unlock()
		return
	}
	s.unlockAndWake()
}

// Woken serves what was asked. The loop calls it behind Loop.Wake; Rest follows.
func (s *Scheduler[C]) Woken() {
	own := s.own
	s.own, s.atWake = false, true
	s.gather.ran()
	if e := s.serve(true); e == Stirs || e == Usual && !own {
		s.sleep.stirred = true
	}
	s.Settle()
	s.compute()
	s.Settle()
	s.program.Rested()
	s.again()
}

// serve has the program serve all that was asked.
func (s *Scheduler[C]) serve(woken bool) Effect {
	s.mu.Lock()
	list, signals := s.posted, s.signals
	s.posted, s.spare, s.signals = s.spare[:0], nil, 0
	if woken {
		s.woken = false
	}
	s.mu.Unlock()
	e := s.program.Serve(list, signals)
	clear(list)
	s.mu.Lock()
	s.spare = list[:0]
	s.mu.Unlock()
	return e
}

// Stop returns what was asked and not served. The loop has ended.
func (s *Scheduler[C]) Stop() (posted []C, jobs []Job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	jobs, s.jobs.queue = s.jobs.queue, nil
	return s.posted, jobs
}
