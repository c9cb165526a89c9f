package scheduler

import (
	"runtime"
	"time"

	"sipreactor/reactor/internal/poller"
)

// sleep is what a loop knows of its sleeps.
type sleep struct {
	stirred bool  // callbacks since the last yield may have set other goroutines to work
	skip    int   // callbacks that do without a look
	skipped int   // how many did the last time
	yielded int64 // when the runtime last had the goroutine
	sleeps  uint64
	yields  uint64
}

const (
	// sleepTime is how long a loop sleeps before its poller does, and how often the
	// runtime gets the goroutine at least: from one that it has not scheduled for
	// 10 ms it takes the processor, and watches for that every 20 µs.
	sleepTime = 8 * time.Millisecond
	// sleepRounds is how many times it sleeps for that before its poller does, and with
	// that Gosched; see poller.Yield.
	sleepRounds = 8
	// sleepSkip is how many callbacks of a busy loop do without a look.
	sleepSkip = 6
	// noSleep is what the kernel takes to answer at once, in ns.
	noSleep = 5000
)

// Stirred notes that the callback under way may have set other goroutines to work.
func (s *Scheduler[C]) Stirred() { s.sleep.stirred = true }

// Slept returns how often the loop slept by itself, and how often it yielded.
func (s *Scheduler[C]) Slept() (sleeps, yields uint64) { return s.sleep.sleeps, s.sleep.yields }

// Rest is the last thing in a callback: it sleeps until there is something for the
// loop to do, but no longer than sleepRounds times sleepTime. It reports whether there was
// nothing.
func (s *Scheduler[C]) Rest() (idle bool) {
	a, atWake := &s.sleep, s.atWake
	s.atWake = false
	if s.attended {
		return false
	}
	if a.skip > 0 {
		a.skip--
		return false
	}
	if !s.nothing() {
		return false
	}
	for range sleepRounds {
		began := s.now()
		s.weigh(began)
		if s.leaves(began) {
			if !atWake {
				s.Return()
				return false
			}
			s.leave()
			return false
		}
		if a.stirred || began-a.yielded >= int64(sleepTime) {
			if a.stirred {
				runtime.Gosched()
			} else {
				poller.Yield()
			}
			a.stirred = false
			a.yields++
			began = s.now()
			a.yielded = began
		}
		s.turn.Unlock()
		some := s.loop.Sleep(sleepTime)
		s.turn.Lock()
		slept := s.now() - began
		s.window.slept += slept
		switch {
		case !some:
			continue
		case slept < noSleep:
			a.skipped = min(2*a.skipped+1, sleepSkip)
			a.skip = a.skipped
			return false
		default:
			a.skipped = 0
			a.sleeps++
			return true
		}
	}
	a.yielded = s.now() // the poller yields next, and sleeps
	return true
}

// nothing reports whether all is done that is known.
func (s *Scheduler[C]) nothing() bool {
	if !s.loop.MaySleep() {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.woken && !s.asked()
}
