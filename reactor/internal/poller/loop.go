package poller

import (
	"cmp"
	"context"
	"errors"
	"io"
	"iter"
	"sync/atomic"
	"time"

	"github.com/panjf2000/gnet/v2"
	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/kernel"
)

// Loop is one event loop: a goroutine that waits for its sockets and calls its
// LoopHandler. Its methods belong to that goroutine, but for those that say
// otherwise.
type Loop struct {
	p       *Poller
	el      gnet.EventLoop
	handler LoopHandler
	set     int            // gnet's epoll set
	poll    [1]unix.PollFd // the same, to sleep on
	failed  error          // why it is not known
	tasks   atomic.Int32   // what gnet has queued for the loop, or is about to
	wakeup  atomic.Pointer[wakeup]
	early   atomic.Bool  // Wake was called before there was a wake-up
	sockets atomic.Int32 // connections that it has

	attendance atomic.Pointer[attendance] // by the first loop; nil for that one
	conns      map[int]gnet.Conn          // what it watches; nil for the first one
	told       kernel.Watched             // by which gnet is told of tasks; of several loops
	ready      []unix.EpollEvent          // of the loop that is attended to; the first one's
	buffer     []byte                     // for what is read then
	others     map[int]*Loop              // whom the first one can attend to, by the stand-ins' numbers
	found      []*Loop                    // of those, what the last Sleep found

	datagrams Datagrams // under way
}

// Handler returns what Handler.NewLoop made for the loop.
func (l *Loop) Handler() LoopHandler { return l.handler }

// Sockets returns how many connections the loop has. Any goroutine.
func (l *Loop) Sockets() int { return int(l.sockets.Load()) }

// Wake has LoopHandler.Woken called. It allocates nothing. Any goroutine.
func (l *Loop) Wake() {
	w := l.wakeup.Load()
	if w == nil {
		l.early.Store(true)
		if w = l.wakeup.Load(); w == nil {
			return // it is signalled when it comes
		}
	}
	w.signal()
}

// Post has f called on the loop, soon. It allocates, and is dropped once the
// loops have ended; Wake is for what happens often. Any goroutine.
func (l *Loop) Post(f func()) {
	l.tasks.Add(1)
	err := l.el.Execute(context.Background(), gnet.RunnableFunc(func(context.Context) error {
		l.tasks.Add(-1)
		f()
		return nil
	}))
	if err != nil {
		l.tasks.Add(-1)
	}
}

// learn finds gnet's epoll set by a descriptor that is in it.
func (l *Loop) learn(fd int) {
	l.set, l.failed = kernel.EpollSetOf(fd)
	l.poll[0] = unix.PollFd{Fd: int32(l.set), Events: unix.POLLIN}
	if l.failed != nil {
		l.p.log.Error("an event loop's epoll set is not known", "error", l.failed)
	}
}

// ownSets returns what the loops' epoll sets watch. Whoever else has one in this
// process may close what it watches at any moment, and the number is a stranger's.
func (p *Poller) ownSets() iter.Seq2[kernel.Watched, error] {
	own := map[int]bool{}
	for _, l := range p.Loops() {
		own[l.set] = l.failed == nil
	}
	return func(yield func(kernel.Watched, error) bool) {
		for w, err := range kernel.EpollSets() {
			if (err != nil || own[w.Set]) && !yield(w, err) {
				return
			}
		}
	}
}

// events is gnet's side.
type events struct {
	gnet.BuiltinEventEngine
	p *Poller
}

// OnBoot is called when every listener is open, and before a loop watches it.
func (ev *events) OnBoot(g gnet.Engine) gnet.Action { return ev.p.booted(g) }

// OnTick is called on a goroutine of gnet's own, first when everything runs.
func (ev *events) OnTick() (time.Duration, gnet.Action) {
	ev.p.tick()
	return time.Second, gnet.None
}

// OnShutdown is called before the loops end.
func (ev *events) OnShutdown(gnet.Engine) { ev.p.handler.Ending() }

// OnOpen gets what a loop watches from now on.
func (ev *events) OnOpen(gc gnet.Conn) ([]byte, gnet.Action) {
	l := ev.p.loopOf(gc.EventLoop(), gc.Fd())
	if l.conns != nil {
		l.conns[gc.Fd()] = gc
	}
	switch c := gc.Context().(type) {
	case *Socket:
		return nil, l.adopted(c, gc)
	case *moved:
		c.opened = true
		return nil, l.accepted(gc, true)
	case *wakeup:
		return nil, l.hung(c)
	case *inlet:
		return nil, l.watched(c, gc)
	case *Line:
		return nil, c.opened(gc)
	case *attendance:
		return nil, l.attends(c, gc)
	}
	return nil, l.accepted(gc, false)
}

// OnTraffic gets what one read brought.
func (ev *events) OnTraffic(gc gnet.Conn) gnet.Action {
	in, err := gc.Next(-1)
	if err != nil || len(in) == 0 {
		return gnet.None
	}
	return ev.p.brought(gc, in)
}

// brought hands on what one read has brought.
func (p *Poller) brought(gc gnet.Conn, in []byte) gnet.Action {
	switch c := gc.Context().(type) {
	case *Socket:
		c.loop.handler.Read(c, in)
		return gnet.None
	case *wakeup:
		c.loop.handler.Woken()
		return gnet.None
	case *inlet:
		c.ready()
		return gnet.None
	case *Line:
		c.loop.handler.Said(c, in)
		return gnet.None
	case *attendance:
		c.by.handler.Attend(c.of)
		return gnet.None
	}
	return gnet.Close
}

// OnClose comes before the descriptor closes, whoever closes it.
func (ev *events) OnClose(gc gnet.Conn, err error) gnet.Action {
	if l := ev.p.loopOf(gc.EventLoop(), gc.Fd()); l.conns != nil {
		delete(l.conns, gc.Fd())
	}
	switch c := gc.Context().(type) {
	case *Socket:
		c.loop.sockets.Add(-1)
		c.loop.handler.Closed(c, cmp.Or(c.said, cause(err)))
	case *wakeup:
		if c.loop != nil {
			c.loop.wakeup.Store(nil)
		}
		c.file.Close()
	case *inlet:
		c.unwatched()
	case *Line:
		c.over(cause(err))
	}
	return gnet.None
}

var (
	// ErrEnd is the end of the peer's stream.
	ErrEnd = errors.New("the peer's stream has ended")
	// ErrBroken is a connection that TCP has given up, by a reset mostly.
	ErrBroken = errors.New("the connection is broken")
)

// cause returns what gnet means by the error that it closes with: the end of a
// stream is an io.EOF that a system call brought, a bare one is a hang-up.
func cause(err error) error {
	switch {
	case err == nil:
		return nil
	case err == io.EOF: //nolint:errorlint // see above
		return ErrBroken
	case errors.Is(err, io.EOF):
		return ErrEnd
	default:
		return err
	}
}
