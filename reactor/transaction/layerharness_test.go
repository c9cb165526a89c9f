package transaction

import (
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/names"
	"sipreactor/reactor/proxy"
	"sipreactor/sipframe"
)

// sent is a message that left.
type sent struct {
	to   reactor.Target
	text string
}

// first is its first line and what else tells it apart.
func (s sent) first() string {
	line, _, _ := strings.Cut(s.text, "\r\n")
	return line
}

// wire is a Sender that keeps what it is given.
type wire struct {
	sent   []sent
	refuse func(t *reactor.Target, text string) error
	wait   func()
}

func (w *wire) Send(t *reactor.Target, m reactor.Appender) (reactor.Outcome, error) {
	text := string(m.AppendTo(nil))
	if w.refuse != nil {
		if err := w.refuse(t, text); err != nil {
			return 0, err
		}
	}
	w.sent = append(w.sent, sent{*t, text})
	return reactor.Sent, nil
}

func (w *wire) Wait(f func()) bool {
	if w.wait != nil {
		w.wait()
	}
	f()
	return true
}

var (
	tlsSocket = &reactor.Socket{Proto: reactor.TLS, Addr: netip.MustParseAddrPort("192.0.2.1:5061")}
	udpSocket = &reactor.Socket{Proto: reactor.UDP, Addr: netip.MustParseAddrPort("192.0.2.1:5060")}

	overTLS = &reactor.Source{Conn: 7, Proto: reactor.TLS, Socket: tlsSocket,
		Remote: netip.MustParseAddrPort("198.51.100.7:40000"), Local: tlsSocket.Addr}
	overUDP = &reactor.Source{Proto: reactor.UDP, Socket: udpSocket,
		Remote: netip.MustParseAddrPort("198.51.100.7:40002"), Local: udpSocket.Addr}
	fromCallee = &reactor.Source{Proto: reactor.UDP, Socket: udpSocket,
		Remote: netip.MustParseAddrPort("203.0.113.9:5060"), Local: udpSocket.Addr}
)

// routes is a Router and a Script of functions; nil ones do the usual.
type routes struct {
	l          *Layer
	names      names.Resolver // of an engine; nil: the usual
	request    func(c *proxy.Context)
	response   func(c *proxy.Context)
	branch     func(c *proxy.Context, x *Exchange, leg *Leg) bool
	onResponse func(c *proxy.Context, x *Exchange, leg *Leg) bool
	failure    func(c *proxy.Context, x *Exchange, best *Leg)
	mu         sync.Mutex
	rc         []int // what Relay returned
}

func (r *routes) Request(c *proxy.Context) {
	if r.request != nil {
		r.request(c)
		return
	}
	r.relay(c)
}

func (r *routes) relay(c *proxy.Context) {
	rc := r.l.Relay(c, &Options{})
	r.mu.Lock()
	r.rc = append(r.rc, rc)
	r.mu.Unlock()
}

func (r *routes) Response(c *proxy.Context) {
	if r.response != nil {
		r.response(c)
	}
}
func (r *routes) Branch(c *proxy.Context, x *Exchange, leg *Leg) bool {
	return r.branch != nil && r.branch(c, x, leg)
}

// Response of the Script has another name than the Router's.
type scripted struct{ *routes }

func (s scripted) Response(c *proxy.Context, x *Exchange, leg *Leg) bool {
	return s.onResponse != nil && s.onResponse(c, x, leg)
}
func (s scripted) Created(*proxy.Context, *Exchange)                {}
func (s scripted) Routed(*proxy.Context, *Exchange)                 {}
func (s scripted) Armed(*Exchange) bool                             { return s.failure != nil }
func (s scripted) Failure(c *proxy.Context, x *Exchange, best *Leg) { s.failure(c, x, best) }
func (s scripted) Local(*proxy.Context, *Exchange)                  {}
func (s scripted) Release(*Exchange)                                {}
func (s scripted) Keeps(*Exchange) bool                             { return s.onResponse != nil }
func (s scripted) Branch(c *proxy.Context, x *Exchange, leg *Leg) bool {
	return s.routes.Branch(c, x, leg)
}

// bed is a layer without an engine.
type bed struct {
	*testing.T
	*wire
	*routes
	layer *Layer
	ctx   *proxy.Context
	now   time.Duration
}

func newBed(t *testing.T, change ...func(*Config)) *bed {
	t.Helper()
	b := &bed{T: t, wire: &wire{}, routes: &routes{}}
	p, err := proxy.New(proxy.Config{Resolver: nobody{}}, b.routes)
	if err != nil {
		t.Fatal(err)
	}
	p.SetSockets([]*reactor.Socket{tlsSocket, udpSocket})
	cfg := Config{}
	for _, f := range change {
		f(&cfg)
	}
	b.layer = NewLayer(cfg, p)
	b.routes.l = b.layer
	b.layer.SetScript(scripted{b.routes})
	b.layer.clock = func() time.Duration { return b.now }
	b.layer.setShards(1)
	b.ctx = p.NewContext(b.wire)
	t.Cleanup(func() {
		if t.Failed() {
			return
		}
		b.pass(200 * time.Second)
		b.wire.sent = nil
		if n := b.layer.Live(); n != 0 {
			t.Errorf("%d transactions are left", n)
		}
		if n := b.layer.owed.Load(); n != 0 {
			t.Errorf("%d requests are owed an answer", n)
		}
		if n := b.layer.shards[0].wheel.Len(); n != 0 {
			t.Errorf("%d timers are left", n)
		}
	})
	return b
}

// pass lets time pass.
func (b *bed) pass(d time.Duration) {
	w := b.layer.shards[0].wheel
	for to := b.now + d; b.now < to; {
		next, ok := w.Next()
		if !ok || next > to {
			next = to
		}
		b.now = max(next, b.now)
		c := b.layer.context(b.ctx)
		w.Advance(b.now, func(t *Timer, of uint64) {
			b.layer.deliver(c, event{kind: evTimer, handle: of, timer: t}, nil)
		})
		b.layer.putContext(c)
	}
}

// take handles a message and returns what was sent.
func (b *bed) take(text string, src *reactor.Source) []sent {
	b.Helper()
	b.wire.sent = nil
	b.ctx.Receive([]byte(text), src)
	return b.wire.sent
}

// want checks the first lines of what was sent, and forgets it.
func (b *bed) want(lines ...string) []sent {
	b.Helper()
	got := b.wire.sent
	b.wire.sent = nil
	var all []string
	for _, s := range got {
		all = append(all, s.first())
	}
	if fmt.Sprint(all) != fmt.Sprint(lines) {
		b.Fatalf("sent:\n  %s\nwant:\n  %s", strings.Join(all, "\n  "), strings.Join(lines, "\n  "))
	}
	return got
}

const bob = "sip:bob@203.0.113.9"

// request makes a request of a client's; more are header lines.
func request(method, uri, branch string, more ...string) string {
	cseq := method
	if method == "ACK" || method == "CANCEL" {
		cseq = method
	}
	lines := []string{method + " " + uri + " SIP/2.0", "Via: SIP/2.0/UDP 198.51.100.7:40002;branch=z9hG4bK" + branch, "Max-Forwards: 70",
		"From: <sip:alice@example.com>;tag=a1", "To: <sip:bob@example.com>", "Call-ID: c1", "CSeq: 1 " + cseq}
	for _, m := range more {
		name, _, _ := strings.Cut(m, ":")
		replaced := false
		for i := range lines {
			if strings.HasPrefix(lines[i], name+":") {
				lines[i], replaced = m, true
			}
		}
		if !replaced {
			lines = append(lines, m)
		}
	}
	return strings.Join(lines, "\r\n") + "\r\nContent-Length: 0\r\n\r\n"
}

// answer makes a response to a request that was sent.
func answer(t *testing.T, to sent, status string, more ...string) string {
	t.Helper()
	m := parse(t, to.text)
	b := "SIP/2.0 " + status + "\r\n"
	for i := range m.NumHeaders() {
		h := m.Header(i)
		switch h.Kind {
		case sipframe.HeaderVia, sipframe.HeaderFrom, sipframe.HeaderCallID, sipframe.HeaderCSeq, sipframe.HeaderRecordRoute:
			b += string(m.Bytes(h.Line))
		case sipframe.HeaderTo:
			b += "To: " + string(m.Bytes(h.Value))
			if !strings.Contains(string(m.Bytes(h.Value)), "tag=") && !strings.HasPrefix(status, "100") {
				b += ";tag=b" + string(to.to.Addr.Addr().String())
			}
			b += "\r\n"
		}
	}
	for _, line := range more {
		b += line + "\r\n"
	}
	return b + "Content-Length: 0\r\n\r\n"
}

func parse(t *testing.T, text string) *sipframe.Message {
	t.Helper()
	m := new(sipframe.Message)
	if err := m.Parse([]byte(text)); err != nil {
		t.Fatalf("what was sent does not parse: %v\n%s", err, text)
	}
	return m
}

func header(t *testing.T, text, name string) string {
	t.Helper()
	m := parse(t, text)
	if i := m.FindName([]byte(name)); i >= 0 {
		return string(m.Bytes(m.Header(i).Value))
	}
	return ""
}
