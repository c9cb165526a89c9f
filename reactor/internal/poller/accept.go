package poller

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	gneterrors "github.com/panjf2000/gnet/v2/pkg/errors"
	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/kernel"
)

// Whatever accept(2) says, accepting goes on. Linux tells the errors of a
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

// accepting is what is known of the listeners: how gnet's epoll sets have them,
// and what to do when none can be accepted from. Any goroutine.
type accepting struct {
	p *Poller

	mu      sync.Mutex
	watched []kernel.Watched // the listeners in gnet's epoll sets
	spare   []int            // descriptors that are kept for when there are none
	paused  *time.Timer
	over    bool  // the listeners may be closed
	quiet   int64 // until when on the clock nothing is said
	untold  int   // failures since the last line
	since   int64 // when this row of failures began
	last    int64 // and its last one
	ordered bool  // spare and watched are what they are to be
}

// open learns the listeners; called when gnet is wholly up, once. Each loop has its
// own of each.
func (b *accepting) open() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.over {
		return nil
	}
	b.ordered = true
	b.keepSpare()
	for w, err := range kernel.EpollSets() {
		if err != nil {
			return err
		}
		if b.p.listensAt(w.FD) {
			b.watched = append(b.watched, w)
		}
	}
	want := 0
	for i := range b.p.listeners {
		switch l := &b.p.listeners[i]; {
		case l.Datagrams:
		case l.Inherited != nil:
			want++
		default:
			want += b.p.cfg.Loops
		}
	}
	if len(b.watched) != want {
		return fmt.Errorf("%d of %d listeners are found in gnet's epoll sets", len(b.watched), want)
	}
	for _, w := range b.watched {
		if err := b.p.configure(w.FD); err != nil {
			return err
		}
	}
	return nil
}

// configure sets what gnet has no option for; accepted sockets inherit it.
func (p *Poller) configure(listener int) error {
	if p.cfg.Backlog > 0 {
		if err := unix.Listen(listener, p.cfg.Backlog); err != nil {
			return os.NewSyscallError("listen", err)
		}
	}
	p.cfg.Keepalive.Set(listener)
	return nil
}

// listensAt reports whether a descriptor is a listener at one of the addresses.
func (p *Poller) listensAt(fd int) bool {
	if is, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN); err != nil || is == 0 {
		return false
	}
	addr, err := kernel.LocalAddr(fd)
	return err == nil && slices.ContainsFunc(p.listeners, func(l listening) bool {
		return !l.Datagrams && kernel.Unmap(l.Addr) == addr
	})
}

// close ends it, before gnet closes the listeners.
func (b *accepting) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.over = true
	b.watched = nil
	if b.paused != nil {
		b.paused.Stop()
	}
	for _, fd := range b.spare {
		unix.Close(fd)
	}
	b.spare = nil
}

// failed is told what accept has said. gnet calls it where it accepts.
func (b *accepting) failed(err error) {
	p := b.p
	p.AcceptFailed.Add(1)
	b.mu.Lock()
	defer b.mu.Unlock()
	now := p.now()
	if now >= b.quiet {
		p.log.Warn("connections cannot be accepted", "error", err, "again_after", acceptPause.String(), "more", b.untold)
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
	for _, l := range b.watched {
		watch(l, 0)
	}
}

// resume lets gnet accept again. Where it is told of a change only, this is one.
func (b *accepting) resume() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.over {
		return
	}
	if b.ordered {
		b.keepSpare()
	}
	for _, l := range b.watched {
		watch(l, l.Events)
	}
}

func watch(l kernel.Watched, events uint32) {
	_ = unix.EpollCtl(l.Set, unix.EPOLL_CTL_MOD, l.FD, &unix.EpollEvent{Fd: int32(l.FD), Events: events})
}

// turnAway closes what waits to be accepted, with the descriptor that was kept
// for this: a peer that is told goes elsewhere, one that waits does not. The lock
// is held.
func (b *accepting) turnAway() {
	last := len(b.spare) - 1
	if last < 0 {
		return
	}
	unix.Close(b.spare[last])
	b.spare = b.spare[:last]
	for _, l := range b.watched {
		for range turnedAtOnce {
			fd, _, err := unix.Accept4(l.FD, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
			if err != nil {
				break
			}
			unix.Close(fd)
			b.p.TurnedAway.Add(1)
		}
	}
	b.keepSpare()
}

// keepSpare takes the descriptors that are missing of those to be kept, as far as there are any. The lock is held.
func (b *accepting) keepSpare() {
	for len(b.spare) < spares {
		fd, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return
		}
		b.spare = append(b.spare, fd)
	}
}

// shut ends the accepting for good. gnet cannot: so its epoll sets are told to
// forget the listeners, and another socket is put in their places, which ends
// those that nobody else has. gnet closes that in its own time. Any goroutine.
func (b *accepting) shut() {
	b.mu.Lock()
	list := b.watched
	b.watched = nil
	b.mu.Unlock()
	for _, l := range list {
		_ = unix.EpollCtl(l.Set, unix.EPOLL_CTL_DEL, l.FD, nil)
	}
	if len(list) == 0 {
		return
	}
	time.Sleep(acceptPause) // who accepts may be at it
	other, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		b.p.log.Warn("listeners stay open while draining", "error", os.NewSyscallError("socket", err))
		return
	}
	defer unix.Close(other)
	for _, l := range list {
		_ = unix.Dup3(other, l.FD, unix.O_CLOEXEC)
	}
}
