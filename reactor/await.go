package reactor

import (
	"runtime"
	"time"

	"sipreactor/reactor/internal/poller"
)

// await is how a loop sleeps until something comes. gnet's poller, when it finds
// nothing to do, calls runtime.Gosched before it sleeps, and that wakes a second
// thread which finds nothing to do either. So a loop sleeps at the end of its
// callbacks instead (poller.Loop.Sleep). All belongs to the loop's goroutine.
type await struct {
	stirred bool  // callbacks since the last yield may have set other goroutines to work
	skip    int   // callbacks that leave it to gnet
	skipped int   // how many did the last time
	yielded int64 // when the runtime last had the goroutine, on the engine's clock
	sleeps  uint64
	yields  uint64
}

const (
	// sleepTime is how long a loop sleeps before gnet does. It is also how often
	// the runtime gets the goroutine at least: from one that it has not scheduled
	// for 10 ms it takes the processor at each system call, and watches for that
	// every 20 µs.
	sleepTime = 8 * time.Millisecond
	// sleepSkip is how many callbacks of a busy loop do without a look.
	sleepSkip = 6
	// noSleep is what the kernel takes to answer at once, in ns.
	noSleep = 5000
)

// rest is the last thing in a callback that has read something.
func (l *loop) rest() {
	l.soon()
	l.await()
}

// await sleeps until there is something for the loop to do, but no longer than
// sleepTime.
func (l *loop) await() {
	l.unpause()
	a := &l.awaiting
	if a.skip > 0 {
		a.skip--
		return
	}
	if !l.nothing() {
		return
	}
	began := l.eng.now()
	// Goroutines that were set to work may wait for the processor that this one
	// would take along into its sleep.
	if a.stirred || began-a.yielded > int64(sleepTime) {
		if a.stirred {
			runtime.Gosched()
		} else {
			poller.Yield()
		}
		a.stirred = false
		a.yields++
		began = l.eng.now()
		a.yielded = began
	}
	some := l.poll.Sleep(sleepTime)
	now := l.eng.now()
	switch {
	case !some:
		l.policy.Idle(now)
		a.yielded = now // gnet yields next, and sleeps
	case now-began < noSleep:
		a.skipped = min(2*a.skipped+1, sleepSkip)
		a.skip = a.skipped
	default:
		l.policy.Idle(now)
		a.skipped = 0
		a.sleeps++
	}
}

// nothing tells whether all is done that the loop knows of.
func (l *loop) nothing() bool {
	if !l.poll.MaySleep() {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.woken && len(l.dirty) == 0 && !l.ticked && !l.calmed
}
