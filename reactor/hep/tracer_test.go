package hep

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"sipreactor/reactor"
	"sipreactor/tlsstate"
)

// bench is a tracer with a collector, fed with made-up events.
type bench struct {
	*Tracer
	*collector
	sender *Sender
}

func newBench(t *testing.T, change func(*Config)) *bench {
	t.Helper()
	b := &bench{collector: collect(t, TCP, nil)}
	b.sender = send(t, b.dest, nil)
	cfg := Config{TLS: Lane{To: b.sender, On: true}, CaptureID: 1}
	if change != nil {
		change(&cfg)
	}
	b.Tracer = New(cfg)
	return b
}

// only is the name by which tests trace messages.
func only(to *Sender) []TraceID { return []TraceID{{Name: "tid", To: []*Sender{to}}} }

// traceMessage traces a message by that name, now.
func traceMessage(t *Tracer, src *reactor.Source, data []byte, outgoing bool) {
	t.Messages("tid").Trace(src, time.Now(), data, outgoing, nil)
}

func source(h reactor.Handle, outbound bool) *reactor.Source {
	return &reactor.Source{Conn: h, Proto: reactor.TLS, Outbound: outbound,
		Remote: netip.MustParseAddrPort("192.0.2.9:40000"), Local: netip.MustParseAddrPort("198.51.100.1:5061")}
}

var (
	orderly = &reactor.Error{Reason: reactor.PeerClosed, Blame: reactor.BlameNone}
	broken  = &reactor.Error{Reason: reactor.ReadError, Blame: reactor.BlamePeer, Detail: "reset"}
	refused = &reactor.Error{Reason: reactor.ConnectFailed, Blame: reactor.BlamePeer, Detail: "connection refused"}
	late    = &reactor.Error{Reason: reactor.HandshakeTimeout, Blame: reactor.BlamePeer}
)

// life feeds the events of one connection.
func (b *bench) life(src *reactor.Source, err *reactor.Error, kinds ...reactor.EventKind) {
	for _, k := range kinds {
		e := &reactor.Event{Kind: k, Src: src, Time: time.Now()}
		if k == established {
			e.TLS = &tlsstate.State{}
		}
		if k == closed || k == reactor.ConnRefused {
			e.Err = err
		}
		b.Observe(e)
	}
}

// told closes the sender and gives all that was sent, in outline.
func (b *bench) told() string {
	b.t.Helper()
	b.sender.Close()
	return outline(b.t, b.await(int(b.sender.Stats().Sent)))
}

// empty checks that nothing is kept of connections that are gone.
func (b *bench) empty() {
	b.t.Helper()
	for i := range b.lanes {
		l := &b.lanes[i]
		if len(l.conns) != 0 || l.state.Load()&^laneOn != 0 {
			b.t.Errorf("lane %d keeps %d connections, state %d", i, len(l.conns), l.state.Load())
		}
	}
}

const (
	accepted    = reactor.ConnAccepted
	started     = reactor.ConnectStarted
	handshake   = reactor.HandshakeStarted
	established = reactor.ConnEstablished
	closed      = reactor.ConnClosed
)

func TestTracerLives(t *testing.T) {
	for _, c := range []struct {
		name     string
		outbound bool
		err      *reactor.Error
		kinds    []reactor.EventKind
		want     string
	}{
		{"accepted, closed in order", false, orderly, []reactor.EventKind{accepted, handshake, established, closed},
			"1 ACCEPTED SUCCESS\n1 CLOSED SUCCESS\n"},
		{"accepted, broken", false, broken, []reactor.EventKind{accepted, handshake, established, closed},
			"1 ACCEPTED SUCCESS\n1 ERROR FAILURE\n1 CLOSED FAILURE\n"},
		{"accepted, handshake failed", false, late, []reactor.EventKind{accepted, handshake, closed},
			"1 ACCEPTED FAILURE\n"},
		{"accepted, ended in the handshake", false, orderly, []reactor.EventKind{accepted, handshake, closed},
			"1 ACCEPTED FAILURE\n"},
		{"connected", true, orderly, []reactor.EventKind{started, reactor.ConnectParked, reactor.ConnectDone, handshake,
			reactor.HandshakeParked, established, closed}, "1 CONNECTED SUCCESS\n1 CLOSED SUCCESS\n"},
		{"connect failed", true, refused, []reactor.EventKind{started, closed}, "1 CONNECTED FAILURE\n"},
		{"handshake of ours failed", true, late, []reactor.EventKind{started, reactor.ConnectDone, handshake, closed},
			"1 CONNECTED FAILURE\n"},
		{"refused at the door", false, late, []reactor.EventKind{reactor.ConnRefused}, "1 ACCEPTED FAILURE\n"},
		{"unknown before", false, broken, []reactor.EventKind{established, closed}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, nil)
			b.life(source(7, c.outbound), c.err, c.kinds...)
			if got := b.told(); got != c.want {
				t.Errorf("told\n%swant\n%s", got, c.want)
			}
			b.empty()
		})
	}
}

func TestTracerPacket(t *testing.T) {
	b := newBench(t, func(c *Config) { c.CaptureID, c.AuthKey = 77, "secret" })
	src := source(1<<63+5, false)
	at := time.Unix(1795384430, 123456000)
	b.Observe(&reactor.Event{Kind: accepted, Src: src})
	b.Observe(&reactor.Event{Kind: established, Src: src, Time: at})
	b.Observe(&reactor.Event{Kind: closed, Src: src, Time: at, Err: broken})
	for i, p := range b.await(3) {
		if p.Source != src.Remote || p.Target != src.Local || p.Protocol != ProtocolTLS || p.Type != PayloadNet ||
			p.CaptureID != 77 || string(p.AuthKey) != "secret" || string(p.Correlation) != "9223372036854775813" || !p.Time.Equal(at) {
			t.Errorf("packet %d: %+v", i, p)
		}
	}
	if m := object(t, b.await(3)[2]); m["Message"] != "read error: reset" {
		t.Errorf("closed with %q", m["Message"])
	}
}

// A connect that failed has no local end: the address it was to come from
// stands for it.
func TestTracerAddressesOfFailedConnect(t *testing.T) {
	socket := &reactor.Socket{Addr: netip.MustParseAddrPort("198.51.100.1:5061")}
	for _, c := range []struct {
		socket *reactor.Socket
		want   string
	}{{nil, "0.0.0.0:0"}, {socket, "198.51.100.1:0"}} {
		b := newBench(t, nil)
		src := source(7, true)
		src.Local, src.Socket = netip.AddrPort{}, c.socket
		b.life(src, refused, started, closed)
		p := b.await(1)[0]
		if p.Source != src.Remote || p.Target.String() != c.want {
			t.Errorf("from %v to %v", p.Source, p.Target)
		}
		if m := object(t, p); m["Message"] != "connect failed: connection refused" {
			t.Errorf("message %q", m["Message"])
		}
	}
}

// The switch may move at any time: a connection is told from its opening to
// its end or, if tracing was off then, not at all.
func TestTracerSwitch(t *testing.T) {
	b := newBench(t, func(c *Config) { c.TLS.On = false })
	if b.On(reactor.TLS) {
		t.Error("on at the start")
	}
	off, on := func() { b.Switch(reactor.TLS, false) }, func() { b.Switch(reactor.TLS, true) }

	before, openedOff, closedOff, through := source(1, false), source(2, false), source(3, false), source(4, true)
	b.life(before, nil, accepted, established)
	on()
	on()
	if !b.On(reactor.TLS) || b.On(reactor.TCP) || b.On(reactor.UDP) {
		t.Error("the wrong switch")
	}
	b.life(before, orderly, closed) // it was there before
	b.life(openedOff, nil, accepted)
	b.life(closedOff, nil, accepted, established) // told
	b.life(through, nil, started, established)    // told
	off()
	b.life(openedOff, nil, established)
	b.life(closedOff, orderly, closed)
	b.Fault(through, "not told")
	on()
	b.life(openedOff, orderly, closed)
	b.Fault(through, "told")
	b.life(through, orderly, closed) // told
	if got, want := b.told(), "1 ACCEPTED SUCCESS\n2 CONNECTED SUCCESS\n2 ERROR FAILURE\n2 CLOSED SUCCESS\n"; got != want {
		t.Errorf("told\n%swant\n%s", got, want)
	}
	b.empty()
}

// Without anything to do an event costs a look at the switch: nothing is
// allocated, no lock is taken.
func TestTracerOffDoesNothing(t *testing.T) {
	b := newBench(t, func(c *Config) { c.TLS.On = false })
	l := &b.lanes[reactor.TLS]
	l.mu.Lock() // whoever wants it hangs
	defer l.mu.Unlock()
	e := &reactor.Event{Src: source(1, false), Err: broken}
	if n := testing.AllocsPerRun(10, func() {
		for e.Kind = reactor.ConnRefused; e.Kind <= reactor.ConnClosed; e.Kind++ {
			b.Observe(e)
		}
		traceMessage(b.Tracer, e.Src, nil, true)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestTracerFilter(t *testing.T) {
	var asked []reactor.Handle
	b := newBench(t, func(c *Config) {
		c.TLS.Filter = func(src *reactor.Source) bool {
			asked = append(asked, src.Conn)
			return src.Conn%2 == 0
		}
	})
	for h := reactor.Handle(1); h <= 2; h++ {
		b.life(source(h, false), broken, accepted, handshake, established, closed)
	}
	for h := reactor.Handle(3); h <= 4; h++ {
		b.life(source(h, true), refused, started, closed)
	}
	b.Switch(reactor.TLS, false)
	b.life(source(5, false), orderly, accepted, established, closed)
	if want := "1 ACCEPTED SUCCESS\n1 ERROR FAILURE\n1 CLOSED FAILURE\n2 CONNECTED FAILURE\n"; b.told() != want {
		t.Errorf("told\n%swant\n%s", b.told(), want)
	}
	if len(asked) != 4 {
		t.Errorf("the filter was asked about %v", asked)
	}
	b.empty()
}

// Without a collector nothing is asked and nothing kept, but the switch says
// what it is told.
func TestTracerWithoutCollector(t *testing.T) {
	b := newBench(t, func(c *Config) {
		c.TLS.To = nil
		c.SIP.On = true
		c.TLS.Filter = func(*reactor.Source) bool {
			t.Error("asked")
			return true
		}
	})
	b.life(source(1, false), broken, accepted, established, closed)
	traceMessage(b.Tracer, source(1, false), []byte("x"), false)
	b.Fault(source(1, false), "x")
	if !b.On(reactor.TLS) {
		t.Error("off")
	}
	b.empty()
}

// The two protocols have a lane each; UDP has no connections.
func TestTracerLanes(t *testing.T) {
	b := newBench(t, nil)
	src := source(1, false)
	for _, p := range []reactor.Proto{reactor.TCP, reactor.UDP, 0, 200} {
		src.Proto = p
		b.Switch(p, p == reactor.UDP)
		b.life(src, orderly, accepted, established, closed)
	}
	if got := b.told(); got != "" {
		t.Errorf("told\n%s", got)
	}
}

// Whose opening found no room has no CLOSED either.
func TestTracerOverflow(t *testing.T) {
	b := newBench(t, nil)
	full := send(t, Destination{Name: "x", Host: "127.0.0.1", Port: 1, Transport: TCP}, func(c *SenderConfig) {
		c.Queue, c.Drain = 1, time.Millisecond
		c.MinPause, c.MaxPause = time.Hour, time.Hour
	})
	b.Tracer = New(Config{TLS: Lane{To: full, On: true}})
	b.life(source(1, false), nil, accepted, established)
	for h := reactor.Handle(2); h <= 10; h++ {
		b.life(source(h, false), broken, accepted, established, closed)
	}
	if st := full.Stats(); st.Queued != 1 || st.Dropped != 9 {
		t.Errorf("%+v", st)
	}
	b.life(source(1, false), orderly, closed)
	b.empty()
}

var errNothing = errors.New("nobody there")

func BenchmarkObserveOff(b *testing.B) {
	t := New(Config{})
	e := &reactor.Event{Kind: accepted, Src: source(1, false)}
	b.ReportAllocs()
	for b.Loop() {
		t.Observe(e)
	}
}
