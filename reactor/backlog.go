package reactor

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	gneterrors "github.com/panjf2000/gnet/v2/pkg/errors"
	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/kernel"
)

// Whatever accept(2) says, the engine goes on. Linux tells the errors of a
// connection that is gone by it (EPROTO, ENETDOWN, EHOSTUNREACH, …: accept(2)),
// those of a firewall (EPERM), and that descriptors or memory are short.
//
// gnet accepts, and ends when accept says anything but a few of those: its loops
// return as soon as a callback's error is gneterrors.ErrAcceptSocket. An error
// that cannot be compared is equal to none, so with one of those in that place
// they go on. What accept has said reaches us by gnet's log line.

// notFatal cannot be compared: errors.Is finds it nowhere.
type notFatal []string

func (e notFatal) Error() string { return strings.Join(e, "") }

func init() { gneterrors.ErrAcceptSocket = notFatal{"accept failed"} }

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

// backlog is what the engine knows of its listeners' queues: the listeners as
// gnet's epoll sets have them, and what to do when none can be accepted from.
// Any goroutine.
type backlog struct {
	eng *Engine

	mu      sync.Mutex
	ears    []ear
	spare   []int // descriptors that are kept for when there are none
	paused  *time.Timer
	over    bool  // the listeners may be closed
	quiet   int64 // until when on the engine's clock nothing is said
	untold  int   // failures since the last line
	since   int64 // when this row of failures began
	last    int64 // and its last one
	ordered bool  // spare and ears are what they are to be
}

// ear is a listener in an epoll set of gnet's.
type ear struct {
	set, fd int
	events  uint32
}

// open learns the listeners; called when gnet is wholly up, once.
func (b *backlog) open() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ordered || b.over {
		return
	}
	b.ordered = true
	b.keepSpare()
	var err error
	if b.ears, err = b.eng.listening(); err != nil {
		b.eng.log.Info("the listeners' epoll sets are not known", "error", err)
	}
}

// close ends it, before gnet closes the listeners.
func (b *backlog) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.over = true
	b.ears = nil
	if b.paused != nil {
		b.paused.Stop()
	}
	for _, fd := range b.spare {
		unix.Close(fd)
	}
	b.spare = nil
}

// failed is told what accept has said. gnet calls it where it accepts.
func (b *backlog) failed(err error) {
	e := b.eng
	e.stat.acceptFailed.Add(1)
	b.mu.Lock()
	defer b.mu.Unlock()
	now := e.now()
	if now >= b.quiet {
		e.log.Warn("connections cannot be accepted", "error", err, "again_after", acceptPause.String(), "more", b.untold)
		b.quiet, b.untold = now+int64(acceptQuiet), 0
	} else {
		b.untold++
	}
	if b.over {
		return
	}
	if now-b.last > int64(turnAfter) {
		b.since = now
	}
	b.last = now
	if (errors.Is(err, unix.EMFILE) || errors.Is(err, unix.ENFILE)) && now-b.since >= int64(turnAfter) {
		b.turnAway()
	}
	if b.paused == nil {
		b.paused = time.AfterFunc(acceptPause, b.resume)
	} else {
		b.paused.Reset(acceptPause)
	}
	for _, l := range b.ears {
		watch(l, 0)
	}
}

// resume lets gnet accept again. Where it is told of a change only, this is one.
func (b *backlog) resume() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.over {
		return
	}
	if b.ordered {
		b.keepSpare()
	}
	for _, l := range b.ears {
		watch(l, l.events)
	}
}

func watch(l ear, events uint32) {
	_ = unix.EpollCtl(l.set, unix.EPOLL_CTL_MOD, l.fd, &unix.EpollEvent{Fd: int32(l.fd), Events: events})
}

// turnAway closes what waits to be accepted, with the descriptor that was kept
// for this: a peer that is told goes elsewhere, one that waits does not. The lock
// is held.
func (b *backlog) turnAway() {
	last := len(b.spare) - 1
	if last < 0 {
		return
	}
	unix.Close(b.spare[last])
	b.spare = b.spare[:last]
	for _, l := range b.ears {
		for range turnedAtOnce {
			fd, _, err := unix.Accept4(l.fd, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
			if err != nil {
				break
			}
			unix.Close(fd)
			b.eng.stat.turnedAway.Add(1)
		}
	}
	b.keepSpare()
}

// keepSpare takes the descriptors that are missing of those to be kept, as far as there are any. The lock is held.
func (b *backlog) keepSpare() {
	for len(b.spare) < spares {
		fd, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return
		}
		b.spare = append(b.spare, fd)
	}
}

// listening finds the engine's listeners in gnet's epoll sets, which the kernel
// describes. gnet opens a listener once for each loop, or once at all.
func (e *Engine) listening() ([]ear, error) {
	dir, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return nil, err
	}
	var found []ear
	for _, d := range dir {
		to, err := os.Readlink(filepath.Join("/proc/self/fd", d.Name()))
		if err != nil || to != "anon_inode:[eventpoll]" {
			continue
		}
		set, err := strconv.Atoi(d.Name())
		if err != nil {
			continue
		}
		info, err := os.ReadFile(filepath.Join("/proc/self/fdinfo", d.Name()))
		if err != nil {
			continue
		}
		for w := range watchedBy(string(info)) {
			if e.listensAt(w.fd) {
				found = append(found, ear{set: set, fd: w.fd, events: w.events})
			}
		}
	}
	if len(found) == 0 && slices.ContainsFunc(e.sockets, func(s *Socket) bool { return s.Proto.stream() }) {
		return nil, errors.New("no epoll set watches them")
	}
	return found, nil
}

// listensAt tells whether a descriptor is a listener at one of the engine's
// addresses.
func (e *Engine) listensAt(fd int) bool {
	if is, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN); err != nil || is == 0 {
		return false
	}
	addr, err := kernel.LocalAddr(fd)
	return err == nil && slices.ContainsFunc(e.sockets, func(s *Socket) bool {
		return s.Proto.stream() && kernel.Unmap(s.Addr) == addr
	})
}
