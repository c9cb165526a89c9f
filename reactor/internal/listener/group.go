package listener

import (
	"errors"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/kernel"
)

// Whatever accept(2) says, accepting goes on. Linux tells the errors of a
// connection that is gone by it (EPROTO, ENETDOWN, EHOSTUNREACH, …: accept(2)),
// those of a firewall (EPERM), and that descriptors or memory are short.

const (
	// acceptPause is how long nobody accepts when accept has failed: a listener
	// stays readable meanwhile, and a loop would do nothing but fail.
	acceptPause = 10 * time.Millisecond
	// acceptQuiet is how long the log is quiet about that behind a line.
	acceptQuiet = 10 * time.Second
	// turnAfter is how long descriptors must be short before what waits is turned
	// away.
	turnAfter = 200 * time.Millisecond
	// spares is how many descriptors are kept: one is given up for an accept, and another goroutine may be faster to
	// take it.
	spares = 8
	// turnedAtOnce is how many connections are turned away at a time when
	// descriptors are short.
	turnedAtOnce = 256
)

// Group is the sockets that are listened on, as epoll sets watch them: it pauses
// them all when one could not be accepted from, and ends them. Any goroutine. It is
// made by NewGroup.
type Group struct {
	// Failed counts how often the system let no connection be accepted, TurnedAway
	// the connections that were closed for lack of a descriptor.
	Failed, TurnedAway atomic.Uint64

	log  *slog.Logger
	born time.Time

	mu      sync.Mutex
	watched []kernel.Watched
	shared  map[int]bool // of watched: what is not ours to end
	spare   []int        // descriptors that are kept for when there are none
	paused  *time.Timer
	over    bool  // the sockets may be closed
	quiet   int64 // until when on the clock nothing is said
	untold  int   // failures since the last line
	since   int64 // when this row of failures began
	last    int64 // and its last one
	ordered bool  // spare and watched are what they are to be
}

// NewGroup returns a group without sockets. The logger must not block.
func NewGroup(log *slog.Logger) *Group {
	return &Group{log: log, born: time.Now(), shared: map[int]bool{}}
}

// now is a clock in nanoseconds; never 0.
func (g *Group) now() int64 { return int64(time.Since(g.born)) + 1 }

// Open gives the group its sockets, which do not block, once, when all are watched.
// Those of shared are others' as well.
func (g *Group) Open(watched []kernel.Watched, shared ...int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.over {
		return
	}
	g.ordered = true
	g.keepSpare()
	g.watched = watched
	for _, fd := range shared {
		g.shared[fd] = true
	}
}

// Close ends it, before the sockets are closed.
func (g *Group) Close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.over = true
	g.watched = nil
	if g.paused != nil {
		g.paused.Stop()
	}
	for _, fd := range g.spare {
		unix.Close(fd)
	}
	g.spare = nil
}

// Fail is told what accept has said: nobody accepts for a while, and when
// descriptors have been short for long, what waits is turned away.
func (g *Group) Fail(err error) {
	g.Failed.Add(1)
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	if now >= g.quiet {
		g.log.Warn("connections cannot be accepted", "error", err, "again_after", acceptPause.String(), "more", g.untold)
		g.quiet, g.untold = now+int64(acceptQuiet), 0
	} else {
		g.untold++
	}
	if g.over {
		return
	}
	if now-g.last > int64(turnAfter) {
		g.since = now
	}
	g.last = now
	if (errors.Is(err, unix.EMFILE) || errors.Is(err, unix.ENFILE)) && now-g.since >= int64(turnAfter) {
		g.turnAway()
	}
	if g.paused == nil {
		g.paused = time.AfterFunc(acceptPause, g.resume)
	} else {
		g.paused.Reset(acceptPause)
	}
	for _, l := range g.watched {
		watch(l, 0)
	}
}

// resume lets who watches accept again. Where it is told of a change only, this is one.
func (g *Group) resume() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.over {
		return
	}
	if g.ordered {
		g.keepSpare()
	}
	for _, l := range g.watched {
		watch(l, l.Events)
	}
}

func watch(l kernel.Watched, events uint32) {
	_ = unix.EpollCtl(l.Set, unix.EPOLL_CTL_MOD, l.FD, &unix.EpollEvent{Fd: int32(l.FD), Events: events})
}

// turnAway closes what waits to be accepted, with the descriptor that was kept
// for this: a peer that is told goes elsewhere, one that waits does not. The lock
// is held.
func (g *Group) turnAway() {
	last := len(g.spare) - 1
	if last < 0 {
		return
	}
	unix.Close(g.spare[last])
	g.spare = g.spare[:last]
	for _, l := range g.watched {
		for range turnedAtOnce {
			fd, _, err := unix.Accept4(l.FD, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
			if err != nil {
				break
			}
			unix.Close(fd)
			g.TurnedAway.Add(1)
		}
	}
	g.keepSpare()
}

// keepSpare takes the descriptors that are missing of those to be kept, as far as there are any. The lock is held.
func (g *Group) keepSpare() {
	for len(g.spare) < spares {
		fd, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return
		}
		g.spare = append(g.spare, fd)
	}
}

// Shut ends the accepting for good, behind those that have connected by now: they may
// have sent something. It takes shutTime. gnet cannot stop: so its epoll sets are told to
// forget the sockets, and another one is put in their places, which ends
// those that nobody else has. gnet closes that in its own time, behind Close: from
// then on the numbers may be anybody's. Any goroutine.
func (g *Group) Shut() {
	if !g.settle() {
		return
	}
	g.mu.Lock()
	list := g.watched
	g.watched = nil
	g.mu.Unlock()
	for _, l := range list {
		forget(l)
	}
	time.Sleep(acceptPause) // who accepts may be at it
	other, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		g.log.Warn("listeners stay open while draining", "error", os.NewSyscallError("socket", err))
		return
	}
	defer unix.Close(other)
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.over {
		return
	}
	for _, l := range list {
		if err := unix.Dup3(other, l.FD, unix.O_CLOEXEC); err != nil {
			g.log.Warn("a listener stays open while draining", "error", os.NewSyscallError("dup3", err))
		}
	}
}

const (
	// shutTime is how long a peer may take for the end of its connect when nobody
	// else may begin one: a round trip, in which it may send its first requests.
	shutTime = 250 * time.Millisecond
	// shutMost is how long what has connected may wait to be accepted.
	shutMost = 5 * time.Second
)

// settle lets nobody connect any more and waits until those who have are accepted. A
// socket that others have as well is left to them, with what waits there. It is false
// when there is nothing to be ended.
func (g *Group) settle() bool {
	g.mu.Lock()
	var own []int
	for _, l := range g.watched {
		if g.shared[l.FD] {
			forget(l)
		} else if err := kernel.IgnoreSYN(l.FD); err == nil {
			own = append(own, l.FD)
		}
	}
	goesOn := len(g.watched) > 0
	g.mu.Unlock()
	for began := time.Now(); len(own) > 0; time.Sleep(acceptPause) {
		g.mu.Lock()
		over, waiting := g.over, 0
		for _, fd := range own {
			if !over {
				waiting += kernel.Unaccepted(fd)
			}
		}
		g.mu.Unlock()
		if over {
			return false
		}
		if past := time.Since(began); past >= shutTime && waiting == 0 || past >= shutMost {
			break
		}
	}
	return goesOn
}

// forget has an epoll set tell nothing of a socket any more.
func forget(l kernel.Watched) { _ = unix.EpollCtl(l.Set, unix.EPOLL_CTL_DEL, l.FD, nil) }
