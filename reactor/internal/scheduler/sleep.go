package scheduler

import (
	"runtime"
	"time"

	"sipreactor/reactor/internal/poller"
)

// sleep is what a loop knows of its sleeps.
type sleep struct {
	stirred bool  // callbacks since the last yield may have set other goroutines to work
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
	// noSleep is what the kernel takes to answer at once, in ns.
	noSleep = 5000
)

// Stirred notes that the callback under way may have set other goroutines to work.
func (s *Scheduler[C]) Stirred() { s.sleep.stirred = true }

// Slept returns how often the loop slept by itself, and how often it yielded.
func (s *Scheduler[C]) Slept() (sleeps, yields uint64) { return s.sleep.sleeps, s.sleep.yields }

// Rest is the last thing in a callback: it sleeps until there is something for the
// loop to do, but no longer than sleepRounds times sleepTime. It reports whether there was
// nothing, and what there is now, as far as it has looked: what is of loops that this one
// attends to is the caller's to do, who rests again if that is all.
func (s *Scheduler[C]) Rest() (idle bool, found poller.Found) {
	a, atWake := &s.sleep, s.atWake
	s.atWake = false
	if s.attended || !s.nothing() {
		return false, 0
	}
	for range sleepRounds {
		began := s.now()
		s.weigh(began)
		if s.leaves() {
			if atWake {
				s.leave()
			} else {
				s.Return()
			}
			return false, 0
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
		found = s.loop.Sleep(sleepTime)
		s.turn.Lock()
		slept := s.now() - began
		s.window.slept += slept
		if found == 0 {
			continue
		}
		if idle = slept >= noSleep; idle {
			a.sleeps++
		}
		return idle, found
	}
	a.yielded = s.now() // the poller yields next, and sleeps
	return true, 0
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
