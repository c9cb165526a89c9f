package reactor

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"reflect"
	"runtime"
	"time"

	"sipreactor/reactor/internal/event"
	"sipreactor/reactor/internal/flow"
	"sipreactor/reactor/internal/kernel"
	"sipreactor/reactor/internal/transport"
	"sipreactor/tlsstate"
)

// SocketConfig asks for a listener.
type SocketConfig struct {
	Proto Proto
	Addr  netip.AddrPort // port 0 lets the kernel choose
	// Advertised, AdvertisedPort, Tag and Host: see Socket.
	Advertised     string
	AdvertisedPort uint16
	Tag, Host      string
	// Inherited is a socket that is bound to Addr already; nil: the engine opens
	// one. The first event loop alone accepts from it, or reads its datagrams.
	Inherited *Inherited
}

// Keepalive is TCP's own keep-alive, a dead peer's end when nothing is sent. Zero
// values are the system's defaults; the durations have whole seconds.
type Keepalive struct {
	Enabled        bool
	Idle, Interval time.Duration
	Count          int
}

// Config is everything the engine is told at the start. DefaultConfig gives the documented defaults, and one that says
// nothing but Sockets, Domains, Logger, Observer and the numbers of goroutines is that. In any other a zero duration or
// bound is taken as it stands; one below 0 is an error.
type Config struct {
	Sockets []SocketConfig // at least one
	// Domains says who we are in TLS; needed when a socket or a destination is
	// TLS, and else nil. Engine.SetDomains replaces it.
	Domains  tlsstate.Domains
	TLS, TCP StreamConfig
	WS, WSS  StreamConfig

	MaxConnections int           // accepted at the same time; above 0
	Sources        SourceLimits  // what one source may have of all; a bound of 0 is none
	Lifetime       time.Duration // of a connection that carries nothing: whole seconds, at least one
	MaxMessageTime time.Duration // from a message's first byte to its last; 0: it comes at once or is late
	MaxMessageSize int           // bytes, headers and body; above 0
	ConnectTimeout time.Duration // a whole connect, without Async; 0: none succeeds but at once
	ParkedTimeout  time.Duration // a whole connect, with Async; 0: the same
	Backlog        int           // of each listener; 0 = the system's limit
	Keepalive      Keepalive     // the zero value: none
	// DatagramBuffer is the least receive buffer of each socket of UDP in bytes, as
	// far as the system allows it; 0 leaves it to the system.
	DatagramBuffer int
	// UserTimeout is how long something written may be unacknowledged before its
	// connection is given up; 0: 5 s and the round-trip time where we dialled,
	// 30 s where we accepted.
	UserTimeout     time.Duration
	ForbidNewOnSend bool // Send never opens a connection; false: where none serves the target
	// Backoff is the longest time that a destination which cannot be reached is
	// left alone before it is looked for again; it begins with a second. 0: each
	// message tries.
	Backoff time.Duration

	// Loops is how many event loops there are, up to 256; 0: half the cores. The first does the work of the others while it has
	// time for that. One that sleeps keeps its processor for a while: GOMAXPROCS is to be above Loops where that is above 1.
	Loops       int
	Workers     int // shards of messages; 0 = the cores
	Handshakers int // handshakes computed at once; 0 = one less than the cores
	// Inline is for how long a loop runs the Handler itself for the messages of
	// one read, before the workers get the rest; 0: they get all. It saves the
	// wake-ups of a worker and of the loop, most of what a message costs at low
	// rates. The Handler then must not block but in Worker.Send and Worker.Wait,
	// which take it off the loop.
	Inline time.Duration
	// InlineHandshake is for how long a loop computes handshakes itself after it
	// has read what is there, before the handshakers get the rest; 0: they get
	// all. It saves the wake-ups of a handshaker and of the loop. Steps that take
	// more than three times as long on average are left to the handshakers, but
	// for a try now and then. Private keys and a key log that may block want 0.
	InlineHandshake time.Duration
	// QueueFrames bounds the messages that wait in one shard, Waiters the
	// goroutines of a shard that wait for a budget or a lookup. Both are above 0.
	QueueFrames, Waiters int
	// QueueDelay is how long messages may have to wait here: connections that
	// bring more are paused, and while that goes on some new requests are refused
	// (if the Handler is an Overloader). 0: any time.
	QueueDelay time.Duration

	// Logger must not block: loops write to it. nil discards.
	Logger *slog.Logger
	// Observer sees what happens to connections. May be nil.
	Observer Observer

	// roundTrip measures a socket's path; tests put distance in.
	roundTrip func(fd int) time.Duration
	// halfClosedTime is the constant of that name; tests shorten it.
	halfClosedTime time.Duration
	// maxOpen is how many connections the process has descriptors for; 0 asks
	// the system.
	maxOpen int64
}

// DefaultConfig returns the defaults of the transport contract, without sockets.
func DefaultConfig() Config {
	stream := StreamConfig{
		CRLFPingPong:          true,
		MaxChunks:             4,
		Async:                 true,
		MaxPostponed:          32,
		LocalConnectTimeout:   100 * time.Millisecond,
		LocalHandshakeTimeout: 10 * time.Millisecond,
		HandshakeTimeout:      100 * time.Millisecond,
		SendTimeout:           100 * time.Millisecond,
	}
	web := stream
	web.Web.AcceptTimeout = 5 * time.Second
	return Config{
		TLS:            stream,
		TCP:            stream,
		WS:             web,
		WSS:            web,
		MaxConnections: 2048,
		Lifetime:       120 * time.Second,
		MaxMessageTime: 4 * time.Second,
		MaxMessageSize: 65535,
		ConnectTimeout: 100 * time.Millisecond,
		ParkedTimeout:  5 * time.Second,
		Backoff:        30 * time.Second,
		Keepalive:      Keepalive{Enabled: true},
		DatagramBuffer: 262144,
		QueueFrames:    8192,
		QueueDelay:     100 * time.Millisecond,
		Sources: SourceLimits{Connections: 1024, Handshakes: 256, HandshakeRate: 500, Unfinished: 128, Allow: []netip.Prefix{
			netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128"),
		}},
		Waiters: 256,
	}
}

// silent reports whether the configuration leaves to us how connections behave and what is bounded.
func (c *Config) silent() bool {
	rest := *c
	rest.Sockets, rest.Domains, rest.Logger, rest.Observer = nil, nil, nil, nil
	rest.Loops, rest.Workers, rest.Handshakers = 0, 0, 0
	return reflect.ValueOf(rest).IsZero()
}

// fillDefaults makes a silent configuration that of DefaultConfig.
func (c *Config) fillDefaults() {
	said := *c
	*c = DefaultConfig()
	c.Sockets, c.Domains, c.Logger, c.Observer = said.Sockets, said.Domains, said.Logger, said.Observer
	c.Loops, c.Workers, c.Handshakers = said.Loops, said.Workers, said.Handshakers
}

// complete checks the configuration and fills what 0 leaves to us.
func (c *Config) complete() error {
	if len(c.Sockets) == 0 {
		return errors.New("reactor: no socket to listen on")
	}
	if c.silent() {
		c.fillDefaults()
	}
	if err := c.checkNumbers(); err != nil {
		return err
	}
	cores := runtime.GOMAXPROCS(0)
	if c.Loops == 0 {
		c.Loops = max(1, cores/2)
	}
	if c.Workers == 0 {
		c.Workers = cores
	}
	if c.Handshakers == 0 {
		c.Handshakers = max(1, cores-1)
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.maxOpen == 0 {
		c.maxOpen = kernel.OpenConnections(c.Backlog)
	}
	if c.halfClosedTime == 0 {
		c.halfClosedTime = flow.HalfClosedTime
	}
	if c.roundTrip == nil {
		c.roundTrip = kernel.RoundTrip
	}
	if c.Observer == nil {
		c.Observer = event.Nobody{}
	}
	for _, s := range c.Sockets {
		switch {
		case s.Proto != UDP && !s.Proto.Stream():
			return fmt.Errorf("reactor: socket %v: unknown protocol", s.Addr)
		case !s.Addr.IsValid():
			return fmt.Errorf("reactor: a %v socket without an address", s.Proto)
		case s.Proto.Secure() && c.Domains == nil:
			return fmt.Errorf("reactor: socket %v:%v without TLS domains", s.Proto, s.Addr)
		case s.Inherited != nil && !s.Inherited.Serves(s.Proto, s.Addr):
			return fmt.Errorf("reactor: socket %v:%v: the inherited one is another", s.Proto, s.Addr)
		}
	}
	return nil
}

// stream returns the parameters of a stream protocol.
func (c *Config) stream(p Proto) *StreamConfig {
	switch p {
	case TLS:
		return &c.TLS
	case WS:
		return &c.WS
	case WSS:
		return &c.WSS
	default:
		return &c.TCP
	}
}

// How connections of one stream protocol behave. The fields are told where the types are:
// go doc sipreactor/reactor/internal/transport.StreamConfig, and so on.
type (
	// StreamConfig is the parameters of proto_tls, proto_tcp, proto_ws and proto_wss. The
	// times of the zero value are over as soon as they begin: DefaultConfig has those of
	// the contract.
	StreamConfig = transport.StreamConfig
	// WebConfig is what WebSocket asks for besides what every stream does. The zero value
	// lets in every origin and asks for "/".
	WebConfig = transport.WebConfig
)
