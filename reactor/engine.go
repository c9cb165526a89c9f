package reactor

import (
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"sync"
	"time"

	"sipreactor/reactor/internal/connection"
	"sipreactor/reactor/internal/connectqueue"
	"sipreactor/reactor/internal/connlog"
	"sipreactor/reactor/internal/dialing"
	"sipreactor/reactor/internal/dispatch"
	"sipreactor/reactor/internal/handshakes"
	"sipreactor/reactor/internal/kernel"
	"sipreactor/reactor/internal/loops"
	"sipreactor/reactor/internal/poller"
	"sipreactor/reactor/internal/reason"
	"sipreactor/reactor/internal/sourcelimit"
	"sipreactor/reactor/internal/transport"
	"sipreactor/sipframe"
	"sipreactor/tlsstate"
)

// Engine owns loops, workers and connections. Its methods may be called from
// any goroutine.
type Engine struct {
	cfg     Config
	handler Handler
	log     *slog.Logger

	conns       connection.Common
	dialer      dialing.Dialer
	dispatcher  dispatch.Dispatcher
	loops       loops.Common
	handshakers handshakes.Pool

	life     sync.Mutex // guards state
	state    life
	stopOnce sync.Once
	stopped  error // what stop returned
}

// life is where an engine is in its own.
type life uint8

const (
	made life = iota
	running
	over // stopped, perhaps before it ran, or it could not start
)

// Errors of Start and Stop.
var (
	ErrStarted = errors.New("reactor: an engine starts once")
	// ErrBusy: the Handler has not returned. Its goroutines are left behind.
	ErrBusy = errors.New("reactor: the handler has not returned")
)

// New checks the configuration and makes an engine that does not run yet.
func New(cfg Config, h Handler) (*Engine, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	if h == nil {
		return nil, errors.New("reactor: no Handler")
	}
	e := &Engine{
		cfg:     cfg,
		handler: h,
		log:     cfg.Logger,
	}
	e.conns.Born, e.conns.Observer, e.conns.Log = time.Now(), cfg.Observer, connlog.New(cfg.Logger)
	e.conns.Logger = cfg.Logger
	e.conns.Limits = connection.Limits{Lifetime: int64(cfg.Lifetime / time.Second), Open: cfg.maxOpen, MessageTime: cfg.MaxMessageTime,
		HalfClosedTime: cfg.halfClosedTime, ConnectTimeout: cfg.ConnectTimeout, ParkedTimeout: cfg.ParkedTimeout,
		UserTimeout: cfg.UserTimeout, RoundTrip: cfg.roundTrip}
	e.conns.GiveBack, e.conns.Schedule = e.loops.GiveBack, e.dialer.Schedule
	e.dialer.All, e.dialer.Stream, e.dialer.Keepalive = &e.conns, e.cfg.stream, kernel.Keepalive(cfg.Keepalive)
	e.dialer.ForbidNew = cfg.ForbidNewOnSend
	e.loops.Conns, e.loops.Dialer, e.loops.Dispatcher, e.loops.Handshakers = &e.conns, &e.dialer, &e.dispatcher, &e.handshakers
	e.loops.QueueDelay, e.loops.Inline, e.loops.InlineHandshake = cfg.QueueDelay, cfg.Inline, cfg.InlineHandshake
	e.loops.MaxConnections, e.loops.Limits = int64(cfg.MaxConnections), sourcelimit.Limits(cfg.Sources)
	e.loops.Poll = poller.New(poller.Config{Loops: cfg.Loops, Listeners: cfg.listeners(), Keepalive: kernel.Keepalive(cfg.Keepalive),
		Backlog: cfg.Backlog, DatagramBuffer: cfg.DatagramBuffer, Logger: cfg.Logger}, onPoller{e})
	e.loops.Company.Idle = new(kernel.Processors).Idle
	e.conns.Adopt = e.loops.Poll.Adopt
	for p := TCP; p < transport.Count; p++ {
		s := cfg.stream(p)
		e.conns.Limits.Framing[p] = sipframe.FramerConfig{MaxMessage: cfg.MaxMessageSize, PingPong: s.CRLFPingPong, DropCRLF: s.CRLFDrop}
	}
	e.conns.Backoff.Limit, e.conns.Backoff.Random = cfg.Backoff, rand.Int64N
	e.SetDomains(cfg.Domains)
	e.loops.Sockets = Named(cfg.Sockets)
	for i, s := range e.loops.Sockets {
		s.Index = i
	}
	_, e.loops.Refuses = h.(Overloader)
	config := dispatch.Config{Shards: cfg.Workers, Bound: cfg.QueueFrames, Waiters: cfg.Waiters, Delay: cfg.QueueDelay,
		Now: e.now, Eased: e.loops.Eased, Worker: func() *dispatch.Place { return &e.newWorker().place }}
	if s, ok := h.(Sharder); ok {
		config.ShardOf = s.Shard
	}
	if r, ok := h.(Renamer); ok {
		config.Rename = r.CallID
	}
	e.dispatcher.Init(config)
	return e, nil
}

// Start opens every socket and runs. When it returns nil all of them listen;
// when it returns an error nothing is left open, and the engine is over. It is
// called once.
func (e *Engine) Start() error {
	e.life.Lock()
	defer e.life.Unlock()
	if e.state != made {
		return ErrStarted
	}
	e.state = over
	if err := e.start(); err != nil {
		return err
	}
	e.state = running
	return nil
}

func (e *Engine) start() error {
	var err error
	if err = e.cfg.alone(); err != nil {
		return fmt.Errorf("reactor: %w", err)
	}
	if e.conns.Connects, err = connectqueue.New[*connection.Conn](e.now, e.queueFailed); err != nil {
		return err
	}
	e.dialer.Up.Store(true)
	e.handshakers.Start(e.cfg.Handshakers, e.now)
	e.dispatcher.Open()
	if err = e.loops.Poll.Start(); err != nil {
		e.dismiss()
		return fmt.Errorf("reactor: %w", err)
	}
	return nil
}

// onPoller is the engine as the poller knows it.
type onPoller struct{ e *Engine }

func (p onPoller) NewLoop(l *poller.Loop) poller.LoopHandler { return loops.NewLoop(&p.e.loops, l) }
func (p onPoller) Bound(i int, at netip.AddrPort)            { p.e.loops.Sockets[i].Addr = at }
func (p onPoller) Tick()                                     { p.e.tick() }
func (p onPoller) Ending()                                   { p.e.loops.Company.Recall() }

// SetDomains replaces the TLS domains. Connections that are up keep the ones
// they were made with.
func (e *Engine) SetDomains(d tlsstate.Domains) { e.dialer.Domains.Store(&d) }

// Sockets returns the listeners, in the order of the configuration.
func (e *Engine) Sockets() []*Socket { return e.loops.Sockets }

// Alive reports whether the handle's connection still exists.
func (e *Engine) Alive(h Handle) bool { return e.conns.Table.Get(h) != nil }

// Connections tells how many connections there are, those included that are
// not up yet. Any goroutine.
func (e *Engine) Connections() int { return e.conns.Table.Len() }

// Close ends a connection as management asked. It tells whether there was one.
func (e *Engine) Close(h Handle) bool {
	c := e.conns.Table.Get(h)
	if c == nil {
		return false
	}
	c.AskClose(reason.Because(ClosedByManagement, ""))
	return true
}

// Done is closed when the engine has ended: by Stop, or because its loops
// failed, of which the log tells.
func (e *Engine) Done() <-chan struct{} { return e.loops.Poll.Done() }

// queueFailed logs that the connect queue has come to an end of its own.
func (e *Engine) queueFailed(err error) { e.log.Error("the connect queue has stopped", "error", err) }

// tick runs once a second, first when every loop is up.
func (e *Engine) tick() {
	e.conns.Log.Rests(e.now())
	e.loops.Each((*loops.Loop).ASecond)
}

// now is the engine's clock in nanoseconds; never 0.
func (e *Engine) now() int64 { return e.conns.Now() }

// seconds is the engine's clock for idle lifetimes.
func (e *Engine) seconds() int64 { return e.conns.Seconds() }
