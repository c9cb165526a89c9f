package transaction

import (
	"errors"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/proxy"
	"sipreactor/sipframe"
)

// Errors of Begin.
var (
	// ErrRepeat: the request is a retransmission. Its last response went out again; the script ends.
	ErrRepeat = errors.New("transaction: a retransmission")
	// ErrMerged: the same request came by another way before. It has been answered 482.
	ErrMerged = errors.New("transaction: the same request came by another way before")
	// ErrBusy: there are as many transactions as may be. The request has been answered 503.
	ErrBusy = errors.New("transaction: too many transactions")
	// ErrMethod: an ACK or a CANCEL has no transaction of its own here.
	ErrMethod = errors.New("transaction: the method has no transaction of its own")
	// ErrExists: the request has a transaction already.
	ErrExists = errors.New("transaction: there is one already")
)

// Config is what a Layer is made of. The zero value is usable.
type Config struct {
	// Timing: the zero value is DefaultTiming.
	Timing Timing
	// Max is how many transactions there may be; 0: DefaultMax.
	Max int
	// Quiet leaves the 100 to the script (auto_100trying = 0).
	Quiet bool
	// Go6xx lets a script fork after a 6xx (disable_6xx_block).
	Go6xx bool
	// MinorFlag is the branch flag of branches that nobody waits for, as a bit; 0: none.
	MinorFlag uint64
	// AnyURI and AnyVia match messages of peers of RFC 2543 without comparing the Request-URI, the topmost Via: see
	// proxy.Proxy.SetOldMatching.
	AnyURI, AnyVia bool
	// ByCallID has FindInvite look INVITEs up, for who does so by message; else it looks at all transactions.
	ByCallID bool
	// Logger gets the few lines that the layer writes; nil discards them.
	Logger *slog.Logger
}

// DefaultMax is how many transactions there may be unless the configuration says otherwise.
const DefaultMax = 500000

// Script runs the routes of transactions. Its methods are called by an Exchange's holder.
type Script interface {
	// Created is called with a new transaction, before anything is sent for it. What Context.Transaction had before is in
	// its Attached.
	Created(c *proxy.Context, x *Exchange)
	// Routed is called when the Router is done with a request. x is its transaction, nil if there is none; then
	// Context.Transaction has what the Script has put there.
	Routed(c *proxy.Context, x *Exchange)
	// Branch is called before a request is sent for a branch, with the branch's changes in c. It reports whether the
	// branch is not to be sent.
	Branch(c *proxy.Context, x *Exchange, leg *Leg) (drop bool)
	// Response is called with each response of a branch, in c, after the Router's. It reports whether a provisional
	// one goes no further.
	Response(c *proxy.Context, x *Exchange, leg *Leg) (drop bool)
	// Armed reports whether Failure has something to do.
	Armed(x *Exchange) bool
	// Failure is called when no branch is left that might succeed, with the request in c. best has the response that
	// would be the answer; nil: there is none.
	Failure(c *proxy.Context, x *Exchange, best *Leg)
	// Local is called with a request of our own, in c, before it is sent.
	Local(c *proxy.Context, x *Exchange)
	// Keeps reports whether what Attached holds, of the Exchange and of its Legs, counts for 2xx that are still to come.
	// The request was answered with a 2xx, or is no INVITE.
	Keeps(x *Exchange) bool
	// Release is called when the Exchange is over, or does without what was kept: what Attached holds can be used again.
	Release(x *Exchange)
}

// Layer is the transactions of a Proxy, whose Router makes transactions of requests by Begin, Relay and Respond. Its methods may be called by any goroutine, those with a Context by
// the one that has it.
type Layer struct {
	cfg    atomic.Pointer[Config]
	proxy  *proxy.Proxy
	log    *slog.Logger
	script atomic.Pointer[Script]
	engine *reactor.Engine
	shards []shard
	born   time.Time
	clock  func() time.Duration // a test has its own

	table     table
	requests  index // by TransactionKey
	merges    index // by MergeKey
	invites   index // by InviteKey, if Config.ByCallID
	answers   index // 2xx of ours to INVITEs, by AnswerKey
	owed      atomic.Int64
	turn      atomic.Uint32 // which shard the next request of ours goes to
	free      sync.Pool     // of *Exchange
	legs      sync.Pool     // of *Leg
	timings   sync.Pool     // of *Timing
	remnants  sync.Pool     // of *remnant
	leftovers sync.Pool     // of *remnants
	contexts  sync.Pool     // of *proxy.Context
	changes   sync.Pool     // of *proxy.Changes

	listeners told[Listener]
	without   told[func(c *proxy.Context)] // of requests without a transaction

	alarm         *alarm
	stop, stopped chan struct{}
}

var (
	_ proxy.Transactions = (*Layer)(nil)
	_ User               = (*Exchange)(nil)
)

// shard is what the transactions of a shard of messages share.
type shard struct {
	index  int
	layer  *Layer
	wheel  *Wheel
	posted atomic.Bool // a tick is under way
	stat   counters
	_      [64]byte
}

// NewLayer makes the transactions of p, which is told of it.
func NewLayer(cfg Config, p *proxy.Proxy) *Layer {
	l := &Layer{proxy: p, log: cfg.Logger, born: time.Now(), alarm: newAlarm()}
	l.Configure(cfg)
	l.clock = func() time.Duration { return time.Since(l.born) }
	if l.log == nil {
		l.log = slog.New(slog.DiscardHandler)
	}
	l.setShards(runtime.GOMAXPROCS(0))
	p.SetTransactions(l)
	p.SetOwes(func() int { return int(l.owed.Load()) })
	return l
}

func (l *Layer) setShards(n int) {
	l.shards = make([]shard, n)
	l.table.parts = make([]tablePart, n)
	for i := range l.shards {
		s := &l.shards[i]
		s.index, s.layer, s.wheel = i, l, NewWheel(l.now())
		s.wheel.alarm = l.alarm
	}
}

// SetScript has the routes of transactions run by s; without it there are none.
func (l *Layer) SetScript(s Script) { l.script.Store(&s) }

func (l *Layer) user() Script {
	if s := l.script.Load(); s != nil {
		return *s
	}
	return nil
}

// Configure has transactions that are made from now on follow cfg, but for its Logger.
func (l *Layer) Configure(cfg Config) {
	if cfg.Timing == (Timing{}) {
		cfg.Timing = DefaultTiming()
	}
	if cfg.Max <= 0 {
		cfg.Max = DefaultMax
	}
	l.cfg.Store(&cfg)
	l.proxy.SetOldMatching(cfg.AnyURI, cfg.AnyVia)
}

// Config returns what the layer is made of.
func (l *Layer) Config() *Config { return l.cfg.Load() }

// Proxy returns the proxy that the transactions send by.
func (l *Layer) Proxy() *proxy.Proxy { return l.proxy }

// now is the layer's clock.
func (l *Layer) now() time.Duration { return l.clock() }

// Request routes a request: proxy.Transactions. The transaction that the Router makes of it is held until that is done.
func (l *Layer) Request(c *proxy.Context, r proxy.Router) {
	switch c.Msg.Method() {
	case sipframe.ACK:
		l.scratchOf(c).acked = 0 // of one whose route has panicked
		l.acknowledge(c)
	case sipframe.CANCEL:
		l.scratchOf(c).reason = l.scratchOf(c).reason[:0]
	}
	r.Request(c)
	x := Of(c)
	if x != nil && x.waits > 0 {
		x.KeepChanges(c)
	}
	if s := l.user(); s != nil {
		s.Routed(c, x)
	}
	if c.Msg.Method() == sipframe.ACK {
		l.scratchOf(c).acked = 0
	}
	c.Transaction = nil
	if x != nil {
		x.routed()
		c.Entrusted()
		x.letGo(c)
	}
}

// Of returns the transaction that the message in c belongs to and whose holder the caller is; nil: none.
func Of(c *proxy.Context) *Exchange {
	x, _ := c.Transaction.(*Exchange)
	return x
}

// Begin makes a transaction of the request in c, which the caller holds until its Router is done. An INVITE is answered
// 100 at once. The error tells what has been done about a request that gets none.
func (l *Layer) Begin(c *proxy.Context) (*Exchange, error) { return l.begin(c, false) }

// begin is Begin, with quiet without the 100.
func (l *Layer) begin(c *proxy.Context, quiet bool) (*Exchange, error) {
	m := c.Msg.Method()
	switch {
	case Of(c) != nil:
		return Of(c), ErrExists
	case m == sipframe.ACK || m == sipframe.CANCEL || c.Refused():
		return nil, ErrMethod
	case int(l.table.live.Load()) >= l.Config().Max:
		if l.Repeat(c) {
			return nil, ErrRepeat
		}
		l.refuse(c)
		return nil, ErrBusy
	}
	x := l.make(c.W)
	if x == nil {
		l.refuse(c)
		return nil, ErrBusy
	}
	x.key, x.method = c.TransactionKey(), m
	h := x.handle.Load()
	if l.requests.add(x.key, h) != 0 { // few are: it costs those more, and the others one look-up less
		x.drop()
		l.Repeat(c)
		return nil, ErrRepeat
	}
	if merge, single := c.MergeKey(); single {
		if l.merges.add(merge, h) != 0 {
			l.requests.remove(x.key, h)
			x.drop()
			l.itself(c, func() error { return c.Respond(482, nil) })
			return nil, ErrMerged
		}
		x.merge, x.merged = merge, true
	}
	if m == sipframe.INVITE {
		n, _, _ := c.Msg.CSeq()
		key := l.proxy.InviteKey(c.Msg.CallID(), n)
		x.invited.Store(key)
		if l.Config().ByCallID {
			x.indexed = l.invites.add(key, h) == 0
		}
	}
	x.src, x.up, x.request = c.Src, c.Upstream(), hoard(c.Received())
	x.c, x.rc = c, c
	x.Attached, c.Transaction = c.Transaction, x
	x.Init(x, x.shard.wheel, x.timing, l.now(), m == sipframe.INVITE, c.Src.Proto != reactor.UDP)
	x.Key, x.Block6xx = x.handle.Load(), !l.Config().Go6xx
	l.owed.Add(1)
	x.shard.stat.add(statUAS)
	if s := l.user(); s != nil {
		s.Created(c, x)
	}
	x.tell(Created, nil, 0, nil)
	if x.Invite() && !quiet && !l.Config().Quiet {
		x.Trying()
	}
	return x, nil
}

// Live returns how many transactions there are.
func (l *Layer) Live() int { return int(l.table.live.Load()) }
