package reactor

import (
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"sipreactor/reactor/internal/backoff"
	"sipreactor/reactor/internal/connectqueue"
	"sipreactor/reactor/internal/connlog"
	"sipreactor/reactor/internal/figures"
	"sipreactor/reactor/internal/fold"
	"sipreactor/reactor/internal/handshakes"
	"sipreactor/reactor/internal/kernel"
	"sipreactor/reactor/internal/poller"
	"sipreactor/reactor/internal/reason"
	"sipreactor/reactor/internal/sourcelimit"
	"sipreactor/reactor/internal/table"
	"sipreactor/reactor/internal/transport"
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
	framing  [transport.Count]sipframe.FramerConfig
	seed     maphash.Seed

	table       table.Table[conn, *conn, Handle]
	peers       index
	sources     sourcelimit.Table
	shards      []*shard
	refuses     bool      // the Handler is an Overloader
	sharder     Sharder   // the Handler, if it is one
	renamer     Renamer   // likewise
	resting     sync.Pool // workers of loops that have left theirs, with what they keep in Local
	handshakers handshakes.Pool
	connects    *connectqueue.Queue[*conn]
	domains     atomic.Pointer[tlsstate.Domains]
	sockets     []*Socket

	poll  *poller.Poller
	loops atomic.Int32 // that were made
	pulse sync.Mutex

	inbound      atomic.Int64
	paused       atomic.Int64 // connections that are not read because they brought too much
	draining     atomic.Bool  // nothing new is taken in
	stopping     atomic.Bool  // and no connection is opened
	ignoresInput atomic.Bool  // nothing more is read
	life         sync.Mutex   // guards state
	state        life
	up           atomic.Bool // what connections need is there
	stopOnce     sync.Once
	stopped      error // what stop returned
	crew         sync.WaitGroup
	stat         figures.EngineCounters
	connlog      *connlog.Log
	panics       fold.Table[string]
	backoff      backoffTable
	probes       backoff.Probes
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
		cfg:      cfg,
		handler:  h,
		log:      cfg.Logger,
		born:     time.Now(),
		lifetime: int64(cfg.Lifetime / time.Second),
		seed:     maphash.MakeSeed(),
	}
	e.connlog = connlog.New(cfg.Logger)
	e.poll = poller.New(poller.Config{Loops: cfg.Loops, Listeners: cfg.listeners(), Keepalive: kernel.Keepalive(cfg.Keepalive),
		Backlog: cfg.Backlog, DatagramBuffer: cfg.DatagramBuffer, Logger: cfg.Logger}, onPoller{e})
	for p := TCP; p < transport.Count; p++ {
		s := cfg.stream(p)
		e.framing[p] = sipframe.FramerConfig{MaxMessage: cfg.MaxMessageSize, PingPong: s.CRLFPingPong, DropCRLF: s.CRLFDrop}
	}
	e.backoff.Limit, e.backoff.Random = cfg.Backoff, rand.Int64N
	e.SetDomains(cfg.Domains)
	e.sockets = Named(cfg.Sockets)
	for i, s := range e.sockets {
		s.index = i
	}
	for i := range cfg.Workers {
		e.shards = append(e.shards, newShard(e, i, cfg.QueueFrames))
	}
	_, e.refuses = h.(Overloader)
	e.sharder, _ = h.(Sharder)
	e.renamer, _ = h.(Renamer)
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
	if e.connects, err = connectqueue.New[*conn](e.now, e.queueFailed); err != nil {
		return err
	}
	e.up.Store(true)
	e.handshakers.Start(e.cfg.Handshakers, e.now)
	for _, s := range e.shards {
		s.Open()
	}
	if err = e.poll.Start(); err != nil {
		e.dismiss()
		return fmt.Errorf("reactor: %w", err)
	}
	return nil
}

// onPoller is the engine as the poller knows it.
type onPoller struct{ e *Engine }

func (p onPoller) NewLoop(l *poller.Loop) poller.LoopHandler { return newLoop(p.e, l) }
func (p onPoller) Bound(i int, at netip.AddrPort)            { p.e.sockets[i].Addr = at }
func (p onPoller) Tick()                                     { p.e.tick() }

// eachLoop calls f for each loop there is. Any goroutine.
func (e *Engine) eachLoop(f func(l *loop)) {
	for _, l := range e.poll.Loops() {
		f(l.Handler().(*loop))
	}
}

// SetDomains replaces the TLS domains. Connections that are up keep the ones
// they were made with.
func (e *Engine) SetDomains(d tlsstate.Domains) { e.domains.Store(&d) }

// tls returns the TLS domains of the moment; nil without any. Any goroutine.
func (e *Engine) tls() tlsstate.Domains { return *e.domains.Load() }

// Sockets returns the listeners, in the order of the configuration.
func (e *Engine) Sockets() []*Socket { return e.sockets }

// Alive reports whether the handle's connection still exists.
func (e *Engine) Alive(h Handle) bool { return e.table.Get(h) != nil }

// Connections tells how many connections there are, those included that are
// not up yet. Any goroutine.
func (e *Engine) Connections() int { return e.table.Len() }

// Close ends a connection as management asked. It tells whether there was one.
func (e *Engine) Close(h Handle) bool {
	c := e.table.Get(h)
	if c == nil {
		return false
	}
	c.askClose(reason.Because(ClosedByManagement, ""))
	return true
}

// Done is closed when the engine has ended: by Stop, or because its loops
// failed, of which the log tells.
func (e *Engine) Done() <-chan struct{} { return e.poll.Done() }

// queueFailed logs that the connect queue has come to an end of its own.
func (e *Engine) queueFailed(err error) { e.log.Error("the connect queue has stopped", "error", err) }

// tick runs once a second, first when every loop is up.
func (e *Engine) tick() {
	e.connlog.Rests(e.now())
	e.eachLoop((*loop).tick)
}

// full reports whether one more connection would be one too many for the
// process's descriptors.
func (e *Engine) full() bool { return int64(e.table.Len()) >= e.cfg.maxOpen }

// now is the engine's clock in nanoseconds; never 0.
func (e *Engine) now() int64 { return int64(time.Since(e.born)) + 1 }

// seconds is the engine's clock for idle lifetimes.
func (e *Engine) seconds() int64 { return e.now() / int64(time.Second) }

// giveBack has a worker tell the Handler of a message that was not delivered.
func (e *Engine) giveBack(c *conn, data []byte, note any, why *Error) {
	buf := sipframe.NewBuffer(len(data))
	buf.Advance(copy(buf.Free(), data))
	u := &Undelivered{Data: buf.Bytes(), Proto: c.src.Proto, Addr: c.src.Remote, Conn: c.id, Note: note, Err: why}
	e.stat.Undelivered.Add(1)
	e.shards[e.shardOfOurs(data)].put(item{kind: itemUndelivered, data: u.Data, buf: buf, src: &c.src, lost: u})
}
