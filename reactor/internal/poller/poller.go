package poller

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/panjf2000/gnet/v2"

	"sipreactor/reactor/internal/kernel"
	"sipreactor/reactor/internal/listener"
	"sipreactor/reactor/internal/standin"
)

// Config is what a Poller is told at the start.
type Config struct {
	Loops     int // event loops; at least 1
	Listeners []listener.Config
	// Keepalive is that of accepted connections, Backlog the length of each
	// listener's queue (0 = the system's limit), DatagramBuffer the least receive
	// buffer of each socket of datagrams in bytes (0 = the system's).
	Keepalive      kernel.Keepalive
	Backlog        int
	DatagramBuffer int
	// Logger must not block: loops write to it.
	Logger *slog.Logger
}

// Poller runs event loops on gnet. Its methods may be called from any goroutine.
type Poller struct {
	// Moved counts accepted connections that were given to another loop than the
	// one that the kernel chose.
	Moved atomic.Uint64

	cfg       Config
	handler   Handler
	log       *slog.Logger
	listeners []listening
	accepting *listener.Group // the listeners of streams
	inlets    listener.Inlets // the sockets of datagrams, from Start to Stop

	gnet    gnet.Engine
	held    listener.Ports // the ports that the kernel chose, until gnet has them
	once    sync.Once
	ready   chan error    // the one result of the start
	done    chan struct{} // closed when gnet has ended
	ended   error         // how; set before that
	failure error         // why the listeners could not be set up

	mu    sync.Mutex // orders additions to loops
	loops atomic.Pointer[[]*Loop]
	over  atomic.Bool

	handing atomic.Int32 // sockets on their way to a loop
}

// Handler is the program on a Poller.
type Handler interface {
	// Bound tells what the i-th listener is bound to, before any loop runs.
	Bound(i int, addr netip.AddrPort)
	// NewLoop makes what the program has for a loop. It is called once for each,
	// before anything else of that loop, on the loop or while it is idle.
	NewLoop(l *Loop) LoopHandler
	// Tick is called once a second on a goroutine of its own, first when every
	// loop runs and every listener is open.
	Tick()
	// Ending is called before the loops end, on any goroutine: who waits in a callback
	// (Loop.HandOver) is to return.
	Ending()
}

// LoopHandler is the program on one loop. All its methods are called on the loop's
// goroutine, or on the first one's while that attends to it (Loop.Look); nothing else
// happens on the loop until they return.
type LoopHandler interface {
	// Accept gets a connection of a peer's. It attaches a Socket of its own to it,
	// or leaves it: then it is closed.
	Accept(n *Incoming)
	// Adopted tells that a socket of Poller.Adopt is the loop's.
	Adopted(s *Socket)
	// Read gets what one read brought: at most ReadBytes, valid until it returns.
	Read(s *Socket, in []byte)
	// Closed comes before the descriptor of a socket closes, whoever closes it.
	// err is nil when it was Socket.Close, ErrEnd at the end of the peer's stream,
	// ErrBroken when the connection is broken, and else what read said.
	Closed(s *Socket, err error)
	// Datagrams gets what waits at a socket of datagrams.
	Datagrams(in *Datagrams)
	// Undelivered tells of a datagram that was sent from the i-th listener and could
	// not be delivered: to whom, why, and as much of its beginning as the network has
	// quoted, valid until it returns. Anybody may have made that up.
	Undelivered(i int, to netip.AddrPort, why error, quote []byte)
	// Said gets a datagram of a line, for which it calls Line.Got.
	Said(n *Line, in []byte)
	// Woken follows Loop.Wake, once for any number of calls.
	Woken()
	// Attend tells that another loop, which has handed itself over, has something to be
	// done: Look does that, in its place. It is the first loop's.
	Attend(of *Loop)
}

// ReadBytes is how much is read of a socket at once: there may be more.
const ReadBytes = 64 << 10

// New makes a Poller that does not run yet.
func New(cfg Config, h Handler) *Poller {
	p := &Poller{cfg: cfg, handler: h, log: cfg.Logger, accepting: listener.NewGroup(cfg.Logger),
		ready: make(chan error, 1), done: make(chan struct{})}
	p.loops.Store(new([]*Loop))
	for i, l := range cfg.Listeners {
		p.listeners = append(p.listeners, listening{Config: l, index: i})
	}
	return p
}

// Start opens every listener and runs the loops. When it returns nil, all loops
// run and accept; when it returns an error, nothing is left open.
func (p *Poller) Start() error {
	err := p.choosePorts()
	if err == nil {
		err = p.openDatagrams()
	}
	if err != nil {
		p.held.Free()
		p.inlets.Close()
		return err
	}
	go func() {
		defer close(p.done)
		p.ended = gnet.Rotate(&events{p: p}, p.addresses(),
			gnet.WithNumEventLoop(p.cfg.Loops),
			gnet.WithLoadBalancing(gnet.RoundRobin), // see openWakeups
			gnet.WithReuseAddr(true),
			gnet.WithReusePort(true),
			gnet.WithTCPNoDelay(gnet.TCPNoDelay),
			gnet.WithReadBufferCap(ReadBytes),
			gnet.WithTicker(true),
			gnet.WithLogger(gnetLog{p.log, p.accepting.Fail}))
	}()
	select {
	case err := <-p.ready:
		if err != nil {
			_ = p.Stop()
			return err
		}
		return nil
	case <-p.done:
		p.held.Free()
		p.inlets.Close()
		if err := errors.Join(p.ended, p.failure); err != nil {
			return err
		}
		return ErrStopped
	}
}

// openDatagrams opens the sockets of datagrams.
func (p *Poller) openDatagrams() error {
	for i := range p.listeners {
		if l := &p.listeners[i]; l.Datagrams {
			if err := p.inlets.Open(i, &l.Config, p.cfg.Loops); err != nil {
				return err
			}
		}
	}
	p.inlets.Grow(p.cfg.DatagramBuffer, p.log)
	return nil
}

// booted learns what the kernel made of the listeners, before any loop runs.
func (p *Poller) booted(g gnet.Engine) gnet.Action {
	p.gnet = g
	defer p.held.Free()
	for i := range p.listeners {
		l := &p.listeners[i]
		if !l.Datagrams { // those are open already
			if err := p.inspect(l); err != nil {
				p.failure = fmt.Errorf("the listener at %v could not be set up: %w", l.Addr, err)
				return gnet.Shutdown
			}
		}
		p.handler.Bound(i, l.Addr)
	}
	return gnet.None
}

// tick runs once a second, first when gnet is wholly up.
func (p *Poller) tick() {
	p.once.Do(func() {
		err := p.openWakeups()
		if err == nil {
			err = p.openAttendance()
		}
		if err == nil {
			err = p.watchDatagrams()
		}
		if err == nil {
			err = p.openListeners()
		}
		p.ready <- err
	})
	if !p.over.Load() {
		p.handler.Tick()
	}
}

// openWakeups gives each loop its wake-up: what is registered goes to the loops
// in turn.
func (p *Poller) openWakeups() error {
	for range p.cfg.Loops {
		if err := p.register(); err != nil {
			return fmt.Errorf("an event loop's wake-up: %w", err)
		}
	}
	for _, l := range p.Loops() {
		if l.wakeup.Load() == nil || l.failed != nil {
			return errors.Join(errNoLoop, l.failed)
		}
	}
	if len(p.Loops()) != p.cfg.Loops {
		return errNoLoop
	}
	return nil
}

// register gives the next loop a wake-up and waits until it has it.
func (p *Poller) register() error {
	file, nc, err := standin.Signal()
	if err != nil {
		return err
	}
	w := &wakeup{file: file}
	opened, err := p.gnet.Register(gnet.NewNetConnContext(gnet.NewContext(context.Background(), w), nc))
	if err != nil {
		nc.Close()
		w.file.Close()
		return err
	}
	res := <-opened
	if w.loop == nil { // gnet reports success even where the loop would not watch it
		w.file.Close()
		return errors.Join(errNoLoop, res.Err)
	}
	return nil
}

var errNoLoop = errors.New("an event loop does not take it")

// Loops returns the event loops; all of them once Start has returned.
func (p *Poller) Loops() []*Loop { return *p.loops.Load() }

// loopOf returns the Loop of one of gnet's. fd is a descriptor that it watches.
func (p *Poller) loopOf(el gnet.EventLoop, fd int) *Loop {
	for _, l := range p.Loops() {
		if l.el == el {
			return l
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	l := &Loop{p: p, el: el}
	if len(p.Loops()) > 0 {
		l.conns = make(map[int]gnet.Conn)
	}
	l.learn(fd)
	l.handler = p.handler.NewLoop(l)
	all := append(slices.Clone(p.Loops()), l)
	p.loops.Store(&all)
	return l
}

// Sender returns a descriptor to send datagrams with from the i-th listener, -1
// for one of streams. It is open from Start to Stop.
func (p *Poller) Sender(i int) int { return p.inlets.Sender(i) }

// Dropped returns how many datagrams found no room in the receive buffers. Any
// goroutine.
func (p *Poller) Dropped() uint64 { return p.inlets.Dropped() }

// StopAccepting closes the listeners for good; an inherited one is left to its
// owner, with what waits there.
func (p *Poller) StopAccepting() { p.accepting.Shut() }

// AcceptFailed returns how often the system let no connection be accepted, TurnedAway
// how many were closed for lack of a descriptor.
func (p *Poller) AcceptFailed() uint64 { return p.accepting.Failed.Load() }

// TurnedAway: see AcceptFailed.
func (p *Poller) TurnedAway() uint64 { return p.accepting.TurnedAway.Load() }

// Done is closed when the loops have ended, by Stop or because gnet failed.
func (p *Poller) Done() <-chan struct{} { return p.done }

// Stop ends the loops and returns how they ended. Every socket that is left on one
// is closed. It waits for hand-overs that are under way, and is called once.
func (p *Poller) Stop() error {
	p.over.Store(true)
	for p.handing.Load() != 0 {
		time.Sleep(time.Millisecond)
	}
	p.accepting.Close()
	for _, l := range p.Loops() {
		l.tasks.Add(1) // gnet has its end to tell: nobody sleeps any more
	}
	canceled, cancel := context.WithCancel(context.Background())
	cancel() // gnet's Stop returns at once: the end of Rotate is waited for, for which it looks only twice a second
	_ = p.gnet.Stop(canceled)
	<-p.done
	p.inlets.Close()
	return p.ended
}
