package reactor

import (
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// await is how a loop sleeps until something comes. gnet's poller, when it finds
// nothing to do, calls runtime.Gosched before it sleeps, and that wakes a second
// thread which finds nothing to do either. So a loop sleeps at the end of its
// callbacks instead, until gnet's epoll set is readable; what it is readable for
// gnet finds at once, and in its order. All belongs to the loop's goroutine.
//
// A callback that sleeps holds up what else gnet has found in the same look.
// Descriptors keep the set readable until they are served, so for those nobody
// sleeps; tasks of gnet's do not, so nobody sleeps while it has some
// (Engine.tasks). A reactor of gnet's that accepts for several loops has tasks
// for them at any time: there gnet sleeps.
type await struct {
	set     [1]unix.PollFd // gnet's epoll set
	here    bool           // else gnet does all the sleeping
	stirred bool           // callbacks since the last yield may have set other goroutines to work
	skip    int            // callbacks that leave it to gnet
	skipped int            // how many did the last time
	yielded int64          // when the runtime last had the goroutine, on the engine's clock
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
	if !a.here {
		return
	}
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
			yield()
		}
		a.stirred = false
		a.yields++
		began = l.eng.now()
		a.yielded = began
	}
	n, _ := unix.Poll(a.set[:], int(sleepTime/time.Millisecond))
	now := l.eng.now()
	switch {
	case n == 0:
		a.yielded = now // gnet yields next, and sleeps
	case now-began < noSleep:
		a.skipped = min(2*a.skipped+1, sleepSkip)
		a.skip = a.skipped
	default:
		a.skipped = 0
		a.sleeps++
	}
}

// quiet tells whether gnet would find nothing in a look at its set. Loop only.
func (l *loop) quiet() bool {
	a := &l.awaiting
	if !a.here {
		return false
	}
	return l.quietSet()
}

// quietSet reports whether nothing is there to be read, whoever sleeps. The set
// is known. Loop only.
func (l *loop) quietSet() bool {
	n, err := unix.Poll(l.awaiting.set[:], 0)
	return n == 0 && err == nil
}

// learn finds gnet's epoll set by a descriptor that is in it. Loop only.
func (l *loop) learn(fd int) {
	set, err := watcher(fd)
	if err != nil {
		l.eng.log.Info("gnet's epoll set is not known", "error", err)
		return
	}
	l.set = set
	l.awaiting.set[0] = unix.PollFd{Fd: int32(set), Events: unix.POLLIN}
	l.awaiting.here = l.eng.cfg.shares()
}

// nothing tells whether all is done that the loop knows of.
func (l *loop) nothing() bool {
	if l.eng.tasks.Load() != 0 {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.woken && len(l.dirty) == 0 && !l.ticked && !l.calmed
}

// watcher finds the epoll set of this process that watches a descriptor, and
// knows it by its number: gnet, built with poll_opt, gives the kernel a pointer
// instead. The kernel lists what a set watches.
func watcher(fd int) (set int, err error) {
	dir, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return -1, err
	}
	for _, d := range dir {
		to, err := os.Readlink(filepath.Join("/proc/self/fd", d.Name()))
		if err != nil || to != "anon_inode:[eventpoll]" {
			continue
		}
		info, err := os.ReadFile(filepath.Join("/proc/self/fdinfo", d.Name()))
		if err == nil && lists(string(info), fd) {
			return strconv.Atoi(d.Name())
		}
	}
	return -1, fmt.Errorf("no epoll set watches descriptor %d", fd)
}

// lists tells whether a descriptor is among those that an epoll set watches.
func lists(info string, fd int) bool {
	for w := range watchedBy(info) {
		if w.fd == fd {
			return true
		}
	}
	return false
}

// watchedFD is a descriptor that an epoll set watches, and for what.
type watchedFD struct {
	fd     int
	events uint32
}

// watchedBy gives the descriptors that the kernel's description of an epoll set
// has under their numbers: lines "tfd: 12 events: 19 data: c …", the last two in
// hexadecimal.
func watchedBy(info string) iter.Seq[watchedFD] {
	return func(yield func(watchedFD) bool) {
		for line := range strings.Lines(info) {
			var w watchedFD
			var data uint64
			n, err := fmt.Sscanf(line, "tfd: %d events: %x data: %x", &w.fd, &w.events, &data)
			if n == 3 && err == nil && data == uint64(w.fd) && !yield(w) {
				return
			}
		}
	}
}
