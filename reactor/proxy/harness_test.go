package proxy

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"

	"sipreactor/reactor"
	"sipreactor/sipframe"
)

// sent is one message that a recorder took.
type sent struct {
	to   reactor.Target
	text string
}

// recorder is a Sender that keeps what it is given.
type recorder struct {
	sent  []sent
	waits int
	full  bool // nobody may wait
	// refuse tells which targets fail, and how; nil takes all.
	refuse func(t *reactor.Target) error
}

func (r *recorder) Send(t *reactor.Target, m reactor.Appender) (reactor.Outcome, error) {
	if r.refuse != nil {
		if err := r.refuse(t); err != nil {
			return 0, err
		}
	}
	r.sent = append(r.sent, sent{*t, string(m.AppendTo(nil))})
	return reactor.Sent, nil
}

func (r *recorder) Wait(f func()) bool {
	if r.full {
		return false
	}
	r.waits++
	f()
	return true
}

// gone is the engine's answer for a connection that has ended.
var gone = &reactor.Error{Reason: reactor.NoConnection}

// funcs is a Router of two functions; nil ones do the usual.
type funcs struct {
	request  func(c *Context)
	response func(c *Context)
}

func (f funcs) Request(c *Context) {
	if f.request != nil {
		f.request(c)
		return
	}
	_ = c.Forward(nil)
}

func (f funcs) Response(c *Context) {
	if f.response != nil {
		f.response(c)
	}
}

var (
	tlsSocket  = &reactor.Socket{Proto: reactor.TLS, Addr: netip.MustParseAddrPort("192.0.2.1:5061")}
	tcpSocket  = &reactor.Socket{Proto: reactor.TCP, Addr: netip.MustParseAddrPort("192.0.2.1:5060")}
	udpSocket  = &reactor.Socket{Proto: reactor.UDP, Addr: netip.MustParseAddrPort("192.0.2.1:5060")}
	tls6Socket = &reactor.Socket{Proto: reactor.TLS, Addr: netip.MustParseAddrPort("[2001:db8::1]:5061")}
	advertised = &reactor.Socket{Proto: reactor.TLS, Addr: netip.MustParseAddrPort("192.0.2.1:5071"),
		Advertised: "edge.example.com", AdvertisedPort: 5061}
	allSockets = []*reactor.Socket{tlsSocket, tcpSocket, udpSocket, tls6Socket}
)

var (
	testKey = [32]byte{1, 2, 3}
	overTLS = &reactor.Source{Conn: 0x100000007, Proto: reactor.TLS, Socket: tlsSocket,
		Remote: netip.MustParseAddrPort("198.51.100.7:40000"), Local: tlsSocket.Addr}
	overTCP = &reactor.Source{Conn: 0x100000008, Proto: reactor.TCP, Socket: tcpSocket,
		Remote: netip.MustParseAddrPort("198.51.100.7:40001"), Local: tcpSocket.Addr}
	overUDP = &reactor.Source{Proto: reactor.UDP, Socket: udpSocket,
		Remote: netip.MustParseAddrPort("198.51.100.7:40002"), Local: udpSocket.Addr}
	// fromUAS is the connection to the next hop, by which responses come.
	fromUAS = &reactor.Source{Conn: 0x200000009, Proto: reactor.TLS, Outbound: true, Socket: tlsSocket,
		Remote: netip.MustParseAddrPort("203.0.113.9:5061"), Local: netip.MustParseAddrPort("192.0.2.1:33333")}
)

// bed is a proxy with a recorder.
type bed struct {
	*testing.T
	*recorder
	proxy *Proxy
	ctx   *Context
	time  uint64 // microseconds
}

func newBed(t *testing.T, r Router, change ...func(*Config)) *bed {
	t.Helper()
	cfg := Config{Key: &testKey, Resolver: noNames{}}
	for _, f := range change {
		f(&cfg)
	}
	p, err := New(cfg, r)
	if err != nil {
		t.Fatal(err)
	}
	p.SetSockets(allSockets)
	rec := &recorder{}
	b := &bed{T: t, recorder: rec, proxy: p, ctx: p.NewContext(rec)}
	p.life, p.now = 0x5eed, func() uint64 { return b.time }
	return b
}

// pass handles a message and gives what was sent.
func (b *bed) pass(text string, src *reactor.Source) []sent {
	b.Helper()
	b.sent = nil
	b.ctx.Receive([]byte(text), src)
	for _, s := range b.sent {
		parse(b.T, s.text)
	}
	return b.sent
}

// one is pass for a message that has to lead to exactly one.
func (b *bed) one(text string, src *reactor.Source) sent {
	b.Helper()
	list := b.pass(text, src)
	if len(list) != 1 {
		b.Fatalf("%d messages sent, want 1: %+v", len(list), list)
	}
	return list[0]
}

// counts checks that exactly the given counters have moved, besides those of
// messages that came.
func (b *bed) counts(want map[Counter]uint64) {
	b.Helper()
	b.proxy.Counters(func(c Counter, n uint64) {
		if c != RequestsIn && c != ResponsesIn && n != want[c] {
			b.Errorf("%v = %d, want %d", c, n, want[c])
		}
	})
}

// parse checks that a message is one, framing included.
func parse(t testing.TB, text string) *sipframe.Message {
	t.Helper()
	m := new(sipframe.Message)
	if err := m.Parse([]byte(text)); err != nil {
		t.Fatalf("what was sent does not parse: %v\n%s", err, text)
	}
	var f sipframe.Framer
	if cut := f.Next(&sipframe.FramerConfig{}, []byte(text)); cut.Kind != sipframe.Frame || cut.End != len(text) {
		t.Fatalf("what was sent is not one frame: %+v of %d bytes\n%s", cut, len(text), text)
	}
	return m
}

// headers gives all values of a header, one a line.
func headers(t testing.TB, text, name string) (list []string) {
	m := parse(t, text)
	for i := m.FindName([]byte(name)); i >= 0; i = m.FindNameNext([]byte(name), i) {
		list = append(list, string(m.Bytes(m.Header(i).Value)))
	}
	return list
}

func header(t testing.TB, text, name string) string {
	t.Helper()
	list := headers(t, text, name)
	if len(list) != 1 {
		t.Fatalf("%d headers %s, want 1:\n%s", len(list), name, text)
	}
	return list[0]
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\r\n")
	return line
}

// msg writes a message with CRLF line ends from lines; an empty line and the
// body's length are added.
func msg(lines ...string) string {
	return strings.Join(lines, "\r\n") + "\r\nContent-Length: 0\r\n\r\n"
}

// invite is a request as a client sends it, with the lines in place of, or
// besides, its headers: "Name: value" replaces, "" does nothing.
func invite(change ...string) string {
	return request("INVITE", "sip:bob@203.0.113.9:5061;transport=tls", change...)
}

func request(method, uri string, change ...string) string {
	lines := []string{
		method + " " + uri + " SIP/2.0",
		"Via: SIP/2.0/TLS 198.51.100.7:5061;branch=z9hG4bKclient1",
		"Max-Forwards: 70",
		"From: <sip:alice@example.com>;tag=a1",
		"To: <sip:bob@example.com>",
		"Call-ID: call1@198.51.100.7",
		"CSeq: 7 " + method,
		"Contact: <sip:alice@198.51.100.7:5061;transport=tls>",
	}
	return msg(apply(lines, change)...)
}

// apply replaces the header of each change's name, or removes it ("Name:"), or
// adds a new one.
func apply(lines, change []string) []string {
	for _, ch := range change {
		name, value, _ := strings.Cut(ch, ":")
		if name, ok := strings.CutPrefix(name, "+"); ok {
			lines = append(lines, name+":"+value)
			continue
		}
		out, done := lines[:1:1], false
		for _, l := range lines[1:] {
			if n, _, _ := strings.Cut(l, ":"); n == name {
				if !done && value != "" {
					out = append(out, ch)
				}
				done = true
				continue
			}
			out = append(out, l)
		}
		if !done && value != "" {
			out = append(out, ch)
		}
		lines = out
	}
	return lines
}

// answer writes the response of a server to a request that was forwarded.
func answer(t testing.TB, req string, status string, change ...string) string {
	m := parse(t, req)
	lines := []string{"SIP/2.0 " + status}
	for i := range m.NumHeaders() {
		h := m.Header(i)
		switch h.Kind {
		case sipframe.HeaderVia, sipframe.HeaderFrom, sipframe.HeaderCallID, sipframe.HeaderCSeq, sipframe.HeaderRecordRoute:
			lines = append(lines, string(m.Bytes(h.Name))+": "+string(m.Bytes(h.Value)))
		case sipframe.HeaderTo:
			to := string(m.Bytes(h.Value))
			if !bytes.Contains([]byte(to), []byte("tag=")) {
				to += ";tag=b1"
			}
			lines = append(lines, "To: "+to)
		default:
		}
	}
	return msg(apply(lines, change)...)
}
