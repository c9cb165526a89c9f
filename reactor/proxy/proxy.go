package proxy

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"log/slog"
	"net/netip"
	"sync/atomic"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/blacklist"
	"sipreactor/reactor/internal/repeats"
	"sipreactor/reactor/names"
	"sipreactor/sipframe"
)

// Router decides what happens to messages. Its methods run on workers, many at
// once, each with a Context of its own. *script.Program is one.
type Router interface {
	// Request gets each request that passed validation. If it neither responds
	// nor forwards, the request ends there; but if it tried to forward, failed
	// and did nothing more, the proxy answers 503.
	Request(c *Context)
	// Response gets each response on its way back, before it is forwarded. It may
	// change headers, and drop a provisional one.
	Response(c *Context)
}

// Refuser is a Router that is shown requests which are not in order, too.
type Refuser interface {
	Router
	// Refused gets a request that cannot be read, or asks for what there is not, before it is answered with code and
	// reason. It may answer otherwise, where there can be an answer: code is 0 where there can be none. Such a request
	// is sent nowhere.
	Refused(c *Context, code int, reason string)
}

// Config is what a Proxy is made of. The zero value is usable.
type Config struct {
	// ServerHeader is the value of the Server header in our own responses; ""
	// leaves it out.
	ServerHeader string
	// TLSPort and the others are the ports of next hops that name none; 0 is the
	// transport's own.
	TLSPort, TCPPort, UDPPort, WSPort, WSSPort uint16
	// MaxForwards is what a request without Max-Forwards gets, 1 to 255; 0 is
	// 70 (RFC 3261 16.6 item 3).
	MaxForwards int
	// HopLimit is the highest Max-Forwards that a request leaves with, 1 to 255;
	// 0 is no limit.
	HopLimit int
	// MaxMessageSize is how large a message may get by what we add, in bytes; 0 is
	// 65535. A request that would be larger is answered 513.
	MaxMessageSize int
	// Limits bound the headers of a message; one that has more is answered 400.
	Limits sipframe.Limits
	// MyDomains are more names of ours than the listeners': "host",
	// "host:port" or "proto:host:port", as alias= has them.
	MyDomains []string
	// FullLR writes ;lr=on instead of ;lr into Record-Route, for peers that
	// cannot read a parameter without a value.
	FullLR bool
	// FromTag writes the From tag into Record-Route (;ftag=), by which a later
	// request's direction shows.
	FromTag bool
	// RecordUser writes the user of the Request-URI into Record-Route.
	RecordUser bool
	// SingleRecordRoute leaves out the second Record-Route when the protocol or
	// the listener changes (RFC 5658).
	SingleRecordRoute bool
	// MultiHomed sends each request from the listener whose address is on the
	// route to the next hop, unless the Router or a pair of our Record-Routes has
	// chosen one; Via and Record-Route name it. Without it that is the listener that the request
	// came by, or the first of the transport.
	MultiHomed bool
	// SourceOf tells that address; nil asks the kernel, by its routing table.
	SourceOf SourceOf
	// AcceptAliases lets connections that peers opened carry our requests to
	// them.
	AcceptAliases AliasPolicy
	// Resolver finds the targets of host names, in LookupTimeout at most; nil is a
	// names.DNS, and 0 its names.DefaultTimeout.
	Resolver      names.Resolver
	LookupTimeout time.Duration
	// Blacklists are what messages may be kept from; nil is nothing. DeadTargets, if
	// it is not nil, is one of them, and gets the targets of names that failed when
	// there was another to go on to.
	Blacklists  *blacklist.Set
	DeadTargets *blacklist.List
	// NoFailover has only the first target of a name tried.
	NoFailover bool
	// Logger gets the few lines that the proxy writes; nil discards them.
	Logger *slog.Logger
	// ViaFallback says whose responses may go to the host in the client's Via
	// when their connection is gone, ViaFallbackPeers who is trusted with that
	// without a certificate. The zero value is FallbackVerified.
	ViaFallback      Fallback
	ViaFallbackPeers []netip.Prefix
	// Observer is told what next hops make of requests; nil is nobody.
	Observer Observer
	// Key is the seed of the secrets in branches and tags; nil draws one. With
	// the same key, a later life of the process and other nodes send a response
	// on whose request this one has forwarded, by the client's Via. Without, it is
	// dropped.
	Key *[32]byte
}

// Proxy is a stateless SIP proxy (RFC 3261 16.11): a reactor.Handler. Its
// methods may be called by any goroutine.
type Proxy struct {
	cfg     Config
	log     *slog.Logger
	keys    *keys
	life    uint32        // tells this process's connections from others' with its key
	now     func() uint64 // microseconds since 1970; a test has its own
	aliases []alias
	anyURI  atomic.Bool // see SetOldMatching
	anyVia  atomic.Bool
	router  atomic.Pointer[Router]
	watcher atomic.Pointer[Watcher]
	lists   atomic.Pointer[listing]
	ours    atomic.Pointer[listeners]
	claims  claims // by what else the Router has had messages name us
	hosts   *names.Cache
	lanes   lanes // of those that wait for one of them
	went    went
	grew    atomic.Bool // a request was too large for UDP
	shards  [countShards]countShard
	next    atomic.Uint32 // the next Context's share of the counters
	losses  repeats.Table[loss]
	owes    atomic.Pointer[func() int]
	callIDs atomic.Pointer[func([]byte) []byte]

	transactions Transactions // nil: none are kept
}

var (
	_ reactor.Handler    = (*Proxy)(nil)
	_ reactor.Overloader = (*Proxy)(nil)
	_ reactor.Debtor     = (*Proxy)(nil)
	_ reactor.Renamer    = (*Proxy)(nil)
	_ reactor.Recoverer  = (*Proxy)(nil)
)

// New makes a proxy that r routes. The error names the part of cfg that is
// wrong.
func New(cfg Config, r Router) (*Proxy, error) {
	p := &Proxy{cfg: cfg, log: cfg.Logger}
	p.SetBlacklists(cfg.Blacklists, cfg.DeadTargets)
	if p.log == nil {
		p.log = slog.New(slog.DiscardHandler)
	}
	switch {
	case cfg.MaxForwards == 0:
		p.cfg.MaxForwards = 70
	case cfg.MaxForwards < 0 || cfg.MaxForwards > 255:
		return nil, fmt.Errorf("proxy: MaxForwards %d is not 1 to 255", cfg.MaxForwards)
	}
	if p.cfg.SourceOf == nil {
		p.cfg.SourceOf = routeSource
	}
	if p.cfg.HopLimit == 0 {
		p.cfg.HopLimit = 255
	}
	if p.cfg.HopLimit < 1 || p.cfg.HopLimit > 255 {
		return nil, fmt.Errorf("proxy: HopLimit %d is not 1 to 255", cfg.HopLimit)
	}
	if p.cfg.MaxMessageSize == 0 {
		p.cfg.MaxMessageSize = sipframe.DefaultMaxMessage
	}
	if !validValue(cfg.ServerHeader) {
		return nil, fmt.Errorf("proxy: ServerHeader %q has a control character", cfg.ServerHeader)
	}
	for _, name := range cfg.MyDomains {
		a, err := parseAlias(name)
		if err != nil {
			return nil, err
		}
		p.aliases = append(p.aliases, a)
	}
	var seed [32]byte
	if cfg.Key != nil {
		seed = *cfg.Key
	} else {
		rand.Read(seed[:]) // never fails
	}
	p.keys = newKeys(seed)
	var life [4]byte
	rand.Read(life[:])
	p.life, p.now = binary.BigEndian.Uint32(life[:]), ticking()
	resolver := cfg.Resolver
	if resolver == nil {
		resolver = names.New(names.Config{Timeout: cfg.LookupTimeout, Port: p.cfg.DefaultPort, Complain: func(err error) {
			p.log.Warn("files of names", "error", err)
		}})
	}
	p.hosts = names.NewCache(resolver, cfg.LookupTimeout)
	p.SetRouter(r)
	return p, nil
}

// SetRouter has messages that come from now on routed by r. Those under way
// finish with the one they started with.
func (p *Proxy) SetRouter(r Router) { p.router.Store(&r) }

// SetSockets tells the proxy its listeners. Without this call it asks the
// engine of the first worker that calls it.
func (p *Proxy) SetSockets(sockets []*reactor.Socket) {
	p.ours.Store(newListeners(sockets, p.aliases))
}

// NewContext makes a Context that sends by s, for a goroutine that handles
// messages without an engine: a test, a benchmark, an own transport. With nil it
// sends nothing.
func (p *Proxy) NewContext(s Sender) *Context {
	if s == nil {
		s = nobody{}
	}
	c := &Context{proxy: p, out: s}
	c.msg.Limits = p.cfg.Limits
	c.other.Limits.Headers = p.cfg.Limits.Headers + ownHeaders // ours and the Router's come on top
	if p.cfg.Limits.Headers == 0 {
		c.other.Limits.Headers += sipframe.MaxHeaders
	}
	c.count = &p.shards[p.next.Add(1)%countShards]
	return c
}

// ownHeaders is how many headers may be added to a message that had as many as it
// may have.
const ownHeaders = 256

// context gives the worker's Context. If that is in use, which means that the
// engine calls the Handler while it is in the Handler, it makes another.
func (p *Proxy) context(w *reactor.Worker) *Context {
	c, ok := w.Local.(*Context)
	if !ok || c.proxy != p || c.busy {
		c = p.NewContext(w)
		c.W = w
		if !ok {
			w.Local = c
		}
	}
	return c
}

// Message handles one message: reactor.Handler.
func (p *Proxy) Message(w *reactor.Worker, f *reactor.Frame) {
	p.context(w).Receive(f.Data, f.Src)
}

// Malformed answers 400 to the header section that broke the framing, if that
// allows a response: reactor.Handler.
func (p *Proxy) Malformed(w *reactor.Worker, f *reactor.Frame, d sipframe.Defect) {
	p.context(w).receiveBroken(f.Data, f.Src, d)
}

// Overload answers 503 to a request for which no worker has time:
// reactor.Overloader.
func (p *Proxy) Overload(w *reactor.Worker, f *reactor.Frame) {
	p.context(w).receiveOverload(f.Data, f.Src)
}

// Recovered answers 500 to a request over which the Router panicked, unless it had
// been answered or sent on by then: reactor.Recoverer.
func (p *Proxy) Recovered(w *reactor.Worker, f *reactor.Frame) {
	if c := p.context(w); !c.answered && !c.forwarded {
		c.apologize(f.Data, f.Src)
	}
}

// Undelivered answers 503 to a request that could not be delivered after all:
// reactor.Handler.
func (p *Proxy) Undelivered(w *reactor.Worker, u *reactor.Undelivered) {
	p.context(w).Return(u)
}

// SetOwes has Owes ask f: for a Router that answers requests later, by
// transactions of its own. f may be called by any goroutine.
func (p *Proxy) SetOwes(f func() int) { p.owes.Store(&f) }

// Owes tells how many requests have no final response yet and will get one without
// another message: none, as far as a stateless proxy knows. See reactor.Debtor.
func (p *Proxy) Owes() int {
	if f := p.owes.Load(); f != nil {
		return (*f)()
	}
	return 0
}
