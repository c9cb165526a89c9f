package reactor

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/panjf2000/gnet/v2"

	"sipreactor/sipframe"
	"sipreactor/tlsstate"
)

// Engine owns loops, workers and connections. Its methods may be called from
// any goroutine.
type Engine struct {
	cfg      Config
	handler  Handler
	log      *slog.Logger
	born     time.Time
	lifetime int64 // seconds
	framing  [TLS + 1]sipframe.FramerConfig
	seed     maphash.Seed

	table       table
	peers       peers
	sources     sources
	shards      []*shard
	refuses     bool      // the Handler is an Overloader
	resting     sync.Pool // workers of loops that have left theirs, with what they keep in Local
	handshakers handshakers
	lot         *lot
	backlog     backlog
	domains     atomic.Pointer[tlsstate.Domains]
	sockets     []*Socket
	udp         []int // descriptors to send datagrams with, by socket index

	gnet    gnet.Engine
	started chan struct{}
	once    sync.Once
	ran     chan error    // how gnet ended, once
	done    chan struct{} // closed when it has
	bootErr error
	loopsMu sync.Mutex
	loops   map[gnet.EventLoop]*loop
	mute    bool         // loops get no bell any more; loopsMu guards it
	tasks   atomic.Int32 // what gnet has queued for its loops, or is about to
	pulse   sync.Mutex

	inbound    atomic.Int64
	paused     atomic.Int64 // connections that are not read because they brought too much
	draining   atomic.Bool  // nothing new is taken in
	stopping   atomic.Bool  // and no connection is opened
	deaf       atomic.Bool  // nothing more is read
	enrolling  sync.WaitGroup
	stopOnce   sync.Once
	stopped    error // what stop returned
	crew       sync.WaitGroup
	stat       engineCounters
	folds      folds
	aliasMoves moves
	backoff    backoff
}

// New checks the configuration and makes an engine that does not run yet.
func New(cfg Config, h Handler) (*Engine, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	e := &Engine{
		cfg:      cfg,
		handler:  h,
		log:      cfg.Logger,
		born:     time.Now(),
		lifetime: int64(cfg.Lifetime / time.Second),
		seed:     maphash.MakeSeed(),
		started:  make(chan struct{}),
		ran:      make(chan error, 1),
		done:     make(chan struct{}),
		loops:    make(map[gnet.EventLoop]*loop),
	}
	for _, p := range []Proto{TCP, TLS} {
		s := cfg.stream(p)
		e.framing[p] = sipframe.FramerConfig{MaxMessage: cfg.MaxMessageSize, PingPong: s.CRLFPingPong, DropCRLF: s.CRLFDrop}
	}
	e.backoff.limit, e.backoff.random = cfg.Backoff, rand.Int64N
	e.SetDomains(cfg.Domains)
	e.backlog.eng = e
	for i, s := range cfg.Sockets {
		e.sockets = append(e.sockets, &Socket{Proto: s.Proto, Addr: s.Addr, Advertised: s.Advertised,
			AdvertisedPort: s.AdvertisedPort, Tag: s.Tag, index: i, inherited: s.Inherited})
	}
	e.udp = make([]int, len(e.sockets))
	for i := range cfg.Workers {
		e.shards = append(e.shards, newShard(e, i, cfg.QueueFrames))
	}
	_, e.refuses = h.(Overloader)
	return e, nil
}

// Start opens every socket and runs. When it returns nil all of them listen;
// when it returns an error nothing is left open.
func (e *Engine) Start() error {
	var err error
	if err = e.cfg.alone(); err != nil {
		return fmt.Errorf("reactor: %w", err)
	}
	if e.lot, err = newLot(e); err != nil {
		return err
	}
	e.handshakers.start(e.cfg.Handshakers)
	for _, s := range e.shards {
		s.mu.Lock()
		s.spawn()
		s.mu.Unlock()
	}
	go func() {
		defer close(e.done)
		e.ran <- gnet.Rotate(&events{eng: e}, e.addresses(),
			gnet.WithNumEventLoop(e.cfg.Loops),
			gnet.WithLoadBalancing(gnet.LeastConnections),
			gnet.WithReuseAddr(true),
			gnet.WithReusePort(e.cfg.shares()),
			gnet.WithTCPNoDelay(gnet.TCPNoDelay),
			gnet.WithTicker(true),
			gnet.WithLogger(gnetLog{e.log, e.backlog.failed}))
	}()
	select {
	case <-e.started:
		e.growDatagrams()
		return nil
	case err = <-e.ran:
		e.dismiss()
		if err == nil {
			err = e.bootErr
		}
		return fmt.Errorf("reactor: %w", err)
	}
}

// SetDomains replaces the TLS domains. Connections that are up keep the ones
// they were made with.
func (e *Engine) SetDomains(d tlsstate.Domains) { e.domains.Store(&d) }

// tls gives the TLS domains of the moment; nil without any. Any goroutine.
func (e *Engine) tls() tlsstate.Domains { return *e.domains.Load() }

// Sockets gives the listeners, in the order of the configuration.
func (e *Engine) Sockets() []*Socket { return e.sockets }

// Alive tells whether the handle's connection still exists.
func (e *Engine) Alive(h Handle) bool { return e.table.get(h) != nil }

// Connections tells how many connections there are, those included that are
// not up yet. Any goroutine.
func (e *Engine) Connections() int { return int(e.table.live.Load()) }

// Close ends a connection as management asked. It tells whether there was one.
func (e *Engine) Close(h Handle) bool {
	c := e.table.get(h)
	if c == nil {
		return false
	}
	c.kill(because(ClosedByManagement, ""))
	return true
}

// Done is closed when the engine has ended: by Stop, or because its loops
// failed, of which the log tells.
func (e *Engine) Done() <-chan struct{} { return e.done }

// Stop ends the engine, which may be draining already (Drain): no connection is accepted or opened any
// more, messages that are here are worked off and written, every peer gets its
// close_notify. Peers that go on sending are read for a moment only. When ctx is
// over first, what is left is cut off, and Stop returns ctx's error. Whoever
// calls again gets what the first call got, when that has it. The engine cannot
// be started again.
func (e *Engine) Stop(ctx context.Context) error {
	e.stopOnce.Do(func() { e.stopped = e.stop(ctx) })
	return e.stopped
}

func (e *Engine) stop(ctx context.Context) error {
	e.draining.Store(true)
	e.stopping.Store(true)
	e.endProbes()
	soon, cancel := context.WithTimeout(ctx, graceTime)
	_ = until(soon, e.quiet)
	cancel()
	e.deaf.Store(true)
	err := until(ctx, e.quiet)
	e.table.each(func(c *conn) { c.kill(because(Shutdown, "")) })
	if err2 := until(ctx, func() bool { return e.table.live.Load() == 0 && e.lot.lingering() == 0 }); err == nil {
		err = err2
	}
	e.loopsMu.Lock()
	e.mute = true
	e.loopsMu.Unlock()
	e.enrolling.Wait()
	e.backlog.close()
	e.tasks.Add(1)
	_ = e.gnet.Stop(canceled)
	if err2 := <-e.ran; err == nil {
		err = err2
	}
	e.dismiss()
	e.logRests(math.MaxInt64)
	return err
}

// graceTime is how long a draining engine still reads while messages come.
const graceTime = 500 * time.Millisecond

// canceled makes gnet's Stop return at once: the end of Rotate is what we wait
// for, and Stop looks for it only twice a second.
var canceled = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()

// quiet tells whether no message is being worked on.
func (e *Engine) quiet() bool {
	for _, s := range e.shards {
		if s.busy.Load() != 0 {
			return false
		}
	}
	return true
}

// until looks for a condition every millisecond.
func until(ctx context.Context, done func() bool) error {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	return nil
}

// dismiss ends the goroutines that are not gnet's. Loops no longer run.
func (e *Engine) dismiss() {
	e.backlog.close()
	e.handshakers.close()
	e.table.each(func(c *conn) { // what gnet does not know it has not closed
		if c.eof {
			c.loop.shut(c)
		}
	})
	e.lot.cutLingering() // while there are workers to be told
	for _, s := range e.shards {
		s.close()
	}
	e.crew.Wait()
	e.lot.close()
	for _, l := range e.loops {
		l.mu.Lock()                 // a signature may still come
		for _, c := range l.dirty { // a machine that came back too late
			if c.hs != nil && c.codec != nil {
				c.codec.Stop()
			}
		}
		l.mu.Unlock()
		l.steps.stop()
		if l.slab != nil {
			l.slab.Release()
			l.slab = nil
		}
		if l.host != nil {
			l.host.stop()
			l.host = nil
		}
	}
	e.closeDatagrams()
}

// tick runs once a second, first when gnet is wholly up.
func (e *Engine) tick() {
	e.once.Do(func() {
		e.backlog.open()
		close(e.started)
	})
	e.logRests(e.now())
	e.loopsMu.Lock()
	defer e.loopsMu.Unlock()
	for _, l := range e.loops {
		l.tick()
	}
}

// loopOf gives what we keep for one of gnet's loops.
func (e *Engine) loopOf(el gnet.EventLoop) *loop {
	e.loopsMu.Lock()
	defer e.loopsMu.Unlock()
	l := e.loops[el]
	if l == nil {
		l = newLoop(e, el)
		e.loops[el] = l
		if !e.mute {
			l.hang()
		}
	}
	return l
}

// now is the engine's clock in nanoseconds; never 0.
func (e *Engine) now() int64 { return int64(time.Since(e.born)) + 1 }

// seconds is the engine's clock for idle lifetimes.
func (e *Engine) seconds() int64 { return e.now() / int64(time.Second) }

// giveBack has a worker tell the Handler of a message that was not delivered.
func (e *Engine) giveBack(c *conn, data []byte, note any, why *Error) {
	buf := sipframe.NewBuffer(len(data))
	buf.Advance(copy(buf.Free(), data))
	u := &Undelivered{Data: buf.Bytes(), Proto: c.src.Proto, Addr: c.src.Remote, Conn: c.id, Note: note, Err: why}
	e.stat.undelivered.Add(1)
	e.shards[e.shardOf(data)].push([]item{{kind: itemUndelivered, data: u.Data, buf: buf, src: &c.src, lost: u}}, math.MaxInt)
}

var errNoBoot = errors.New("the listeners could not be set up")
