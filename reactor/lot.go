package reactor

import (
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/kernel"
)

// lot is the parking lot: one epoll set with a goroutine that sleeps until a
// socket is writable. It owns the sockets whose connect is under way, and lends
// the loops its eye for established ones that take no more bytes, since gnet
// tells readability only. What is parked costs nothing while nothing happens.
type lot struct {
	eng  *Engine
	ep   int
	file *os.File // has ep, for the runtime's poller to watch
	done chan struct{}
	over atomic.Bool

	mu      sync.Mutex
	parked  map[int32]*conn // by descriptor, both kinds
	timers  map[*conn]*time.Timer
	lingers map[int32]*lingering // by descriptor
}

func newLot(e *Engine) (*lot, error) {
	ep, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	if err := unix.SetNonblock(ep, true); err != nil {
		unix.Close(ep)
		return nil, os.NewSyscallError("fcntl", err)
	}
	p := &lot{eng: e, ep: ep, file: os.NewFile(uintptr(ep), "parking lot"), done: make(chan struct{}),
		parked: make(map[int32]*conn), timers: make(map[*conn]*time.Timer), lingers: make(map[int32]*lingering)}
	raw, err := p.file.SyscallConn()
	if err != nil {
		p.file.Close()
		return nil, err
	}
	go p.run(raw)
	return p, nil
}

// size is how many connects are parked.
func (p *lot) size() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.timers)
}

// add wants events of a descriptor told once, its end in any case. The lock is
// held.
func (p *lot) add(c *conn, events uint32) error {
	ev := unix.EpollEvent{Events: events | unix.EPOLLONESHOT, Fd: int32(c.fd)}
	op := unix.EPOLL_CTL_ADD
	if p.parked[int32(c.fd)] == c {
		op = unix.EPOLL_CTL_MOD
	}
	if err := unix.EpollCtl(p.ep, op, c.fd, &ev); err != nil {
		return os.NewSyscallError("epoll_ctl", err)
	}
	p.parked[int32(c.fd)] = c
	return nil
}

// take removes a descriptor; false when another was faster. The lock is held.
func (p *lot) take(c *conn) bool {
	if p.parked[int32(c.fd)] != c {
		return false
	}
	delete(p.parked, int32(c.fd))
	_ = unix.EpollCtl(p.ep, unix.EPOLL_CTL_DEL, c.fd, nil)
	if t := p.timers[c]; t != nil {
		t.Stop()
		delete(p.timers, c)
	}
	return true
}

// park takes a connection whose connect is under way, for at most limit. The
// lot owns its descriptor from here on.
func (p *lot) park(c *conn, limit time.Duration) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c.doomed() { // killed before it was here to be found
		return errDoomed
	}
	if err := p.add(c, unix.EPOLLOUT); err != nil {
		return err
	}
	p.timers[c] = time.AfterFunc(limit, func() {
		p.abort(c, because(ConnectTimeout, "no answer after "+limit.String()))
	})
	return nil
}

var errDoomed = errors.New("the connection was ended before it began")

// cancel ends the parked connect of a condemned connection.
func (p *lot) cancel(c *conn) { p.abort(c, nil) }

// abort ends a parked connect, unless it is done. The first reason stays.
func (p *lot) abort(c *conn, why *Error) {
	p.mu.Lock()
	// Not parked, not ours: its descriptor may be just being made.
	mine := p.timers[c] != nil && p.take(c)
	p.mu.Unlock()
	if mine {
		unix.Close(c.fd)
		if why != nil {
			c.condemn(why)
		}
		c.release()
	}
}

// watch tells a loop once when an established socket takes bytes again.
func (p *lot) watch(c *conn) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.add(c, unix.EPOLLOUT)
}

// watchEnd tells a loop once, as if the socket took bytes again, when an
// established connection has been reset.
func (p *lot) watchEnd(c *conn) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.add(c, 0)
}

// forget ends a watch before the descriptor closes.
func (p *lot) forget(c *conn) {
	p.mu.Lock()
	p.take(c)
	p.mu.Unlock()
}

// run sleeps in the runtime's poller: in a system call it would take its
// processor along, with the goroutines that wait for that, and nobody else may
// come by for 10 ms.
func (p *lot) run(raw syscall.RawConn) {
	defer close(p.done)
	events := make([]unix.EpollEvent, 128)
	for {
		var n int
		var failed error
		err := raw.Read(func(uintptr) bool {
			n, failed = unix.EpollWait(p.ep, events, 0)
			return n > 0 || failed != nil
		})
		if p.over.Load() {
			return
		}
		if err = errors.Join(err, failed); err != nil && !errors.Is(err, unix.EINTR) {
			p.eng.log.Error("parking lot stopped", "error", err)
			return
		}
		for _, ev := range events[:max(n, 0)] {
			p.ready(ev.Fd)
		}
	}
}

// ready is called when a descriptor is writable or in error.
func (p *lot) ready(fd int32) {
	p.mu.Lock()
	if g := p.lingers[fd]; g != nil {
		p.lingerReady(g)
		p.mu.Unlock()
		return
	}
	c := p.parked[fd]
	if c == nil {
		p.mu.Unlock()
		return
	}
	if p.timers[c] == nil { // a watch
		p.mu.Unlock()
		c.loop.post(c, evWritable)
		return
	}
	err := kernel.SocketError(c.fd, nil)
	if err == nil {
		if _, gone := unix.Getpeername(c.fd); gone != nil {
			// The event was for an earlier socket of the same number.
			_ = p.add(c, unix.EPOLLOUT)
			p.mu.Unlock()
			return
		}
	}
	p.take(c)
	p.mu.Unlock()
	if err != nil {
		unix.Close(c.fd)
		c.condemn(dialFailed(err))
		c.release()
		return
	}
	p.eng.enroll(c)
}

// close ends the lot; nothing may be parked any more.
func (p *lot) close() {
	p.over.Store(true)
	p.file.Close() // ends the goroutine's sleep
	<-p.done
}
