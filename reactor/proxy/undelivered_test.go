package proxy

import (
	"bytes"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/ports"
)

var lateFailure = &reactor.Error{Reason: reactor.ConnectTimeout, Blame: reactor.BlamePeer}

// back gives a message back as the engine does.
func (b *bed) back(text string) []sent {
	b.sent = nil
	b.ctx.Return(&reactor.Undelivered{Data: []byte(text), Proto: reactor.TLS, Err: lateFailure})
	for _, s := range b.sent {
		parse(b.T, s.text)
	}
	return b.sent
}

func TestUndeliveredRequest(t *testing.T) {
	b := newBed(t, funcs{request: func(c *Context) {
		_ = c.RecordRoute(nil)
		_ = c.SetUser([]byte("carol"))
		_ = c.Forward(nil)
	}})
	req := b.one(invite("Via: SIP/2.0/TLS 10.0.0.1:5081;rport;branch=z9hG4bK1, SIP/2.0/UDP 10.0.0.2"), overTLS)
	list := b.back(req.text)
	if len(list) != 1 {
		t.Fatalf("sent %+v", list)
	}
	s := list[0]
	if firstLine(s.text) != "SIP/2.0 503 Service Unavailable" || s.to.Conn != overTLS.Conn {
		t.Errorf("sent %s to %+v", firstLine(s.text), s.to)
	}
	want := "SIP/2.0/TLS 10.0.0.1:5081;received=198.51.100.7;rport=40000;branch=z9hG4bK1, SIP/2.0/UDP 10.0.0.2"
	if vias := headers(t, s.text, "Via"); len(vias) != 1 || vias[0] != want {
		t.Errorf("Vias %q", vias)
	}
	for name, want := range map[string]string{"From": "<sip:alice@example.com>;tag=a1", "Call-ID": "call1@198.51.100.7", "CSeq": "7 INVITE"} {
		if got := header(t, s.text, name); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
	b.counts(map[Counter]uint64{RequestsOut: 1, RequestsUndelivered: 1, OwnResponses: 1})

	// The client's ACK to it ends here.
	ack := request("ACK", "sip:bob@203.0.113.9:5061;transport=tls", "To: "+header(t, s.text, "To"),
		"Via: SIP/2.0/TLS 10.0.0.1:5081;rport;branch=z9hG4bK1, SIP/2.0/UDP 10.0.0.2")
	if list := b.pass(ack, overTLS); len(list) != 0 || b.proxy.Count(AcksAbsorbed) != 1 {
		t.Errorf("the ACK was not absorbed: %+v", list)
	}
}

// The Vias may share our header by the time it comes back? They never do: we
// write a header of our own. What stands there otherwise is not ours.
func TestUndeliveredForeign(t *testing.T) {
	b := newBed(t, funcs{})
	req := b.one(invite(), overTLS).text
	for name, text := range map[string]string{
		"sent as it was": invite(),
		"no client":      strings.Replace(req, "Via: SIP/2.0/TLS 198.51.100.7:5061;branch=z9hG4bKclient1\r\n", "", 1),
		"no message":     "hello\r\n\r\n",
		"nothing":        "",
	} {
		if list := b.back(text); len(list) != 0 {
			t.Errorf("%s: sent %+v", name, list)
		}
	}
}

func TestUndeliveredToClosedConnection(t *testing.T) {
	b := newBed(t, funcs{})
	req := b.one(invite(), overTLS).text
	b.refuse = func(to *reactor.Target) error {
		if to.Conn != 0 {
			return gone
		}
		return nil
	}
	if list := b.back(req); len(list) != 1 || list[0].to.Addr.String() != "198.51.100.7:5061" {
		t.Errorf("sent %+v", list)
	}
	b.refuse = func(*reactor.Target) error { return gone }
	b.back(req)
	b.counts(map[Counter]uint64{RequestsOut: 1, RequestsUndelivered: 2, OwnResponses: 1, ResponsesUndelivered: 1})
}

func TestUndeliveredAck(t *testing.T) {
	b := newBed(t, funcs{})
	req := b.one(request("ACK", "sip:bob@203.0.113.9;transport=tls", "To: <sip:bob@example.com>;tag=b1"), overTLS).text
	if list := b.back(req); len(list) != 0 {
		t.Errorf("sent %+v", list)
	}
	b.counts(map[Counter]uint64{RequestsOut: 1, AcksUndelivered: 1})
}

// A response that comes back ends there, a 503 of ours too, and is logged once a
// second at most, without its bytes.
func TestUndeliveredResponse(t *testing.T) {
	var log bytes.Buffer
	b := newBed(t, funcs{}, func(c *Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
	req := b.one(invite(), overTLS).text
	busy := b.back(req)[0].text
	for range 5 {
		if list := b.back(busy); len(list) != 0 {
			t.Errorf("sent %+v", list)
		}
	}
	b.counts(map[Counter]uint64{RequestsOut: 1, RequestsUndelivered: 1, OwnResponses: 1, ResponsesUndelivered: 5})
	text := log.String()
	if n := strings.Count(text, "response not delivered"); n < 1 || n >= 5 { // one a second, on a machine that stalls
		t.Errorf("%d lines: %s", n, text)
	}
	if !strings.Contains(text, "connect timeout") || !strings.Contains(text, "connection=") || strings.Contains(text, "call1") || strings.Contains(text, "z9hG4bK") {
		t.Errorf("log: %s", text)
	}
}

// quote is a datagram as far as the network quotes it, as the engine gives it.
func quote(text string, n int) []byte {
	text = text[:min(n, len(text))]
	return []byte(text[:strings.LastIndexByte(text, '\n')+1] + "\r\n")
}

// Of a datagram that could not be delivered only the beginning comes back, and only
// what has a branch of ours is believed: a transaction goes on.
func TestQuotedDatagram(t *testing.T) {
	k := &keeper{handle: 0x77}
	b := newBed(t, funcs{request: func(c *Context) {
		var w Way
		var text []byte
		if err := errors.Join(c.Aim(nil, &w), c.SendBranch(k.handle, 0, &w, &text)); err != nil {
			t.Error(err)
		}
	}})
	b.proxy.SetTransactions(k)
	s := b.one(request("OPTIONS", "sip:bob@203.0.113.9"), overTLS)
	back := func(data []byte) {
		b.ctx.Return(&reactor.Undelivered{Data: data, Quoted: true, Proto: reactor.UDP, Addr: s.to.Addr, Err: lateFailure})
	}
	for name, data := range map[string][]byte{
		"nothing":          []byte("\r\n"),
		"rubbish":          []byte("rubbish\r\n\r\n"),
		"too little":       quote(s.text, 60),
		"a foreign branch": quote(strings.Replace(s.text, "z9hG4bK", "z9hG4bKa", 1), 500),
		"a response":       quote(answer(t, s.text, "200 OK"), 500),
	} {
		if back(data); k.returns != 0 {
			t.Errorf("%s is believed", name)
		}
	}
	if n := b.proxy.Count(QuotesForeign); n != 5 {
		t.Errorf("%d are foreign", n)
	}
	for n, size := range []int{548, 400} {
		if back(quote(s.text, size)); k.returns != n+1 {
			t.Errorf("%d bytes: %d came back", size, k.returns)
		}
	}
	if len(b.sent) != 1 {
		t.Errorf("sent %+v", b.sent)
	}
}

// A client that came over a stream does not repeat its request: it is answered, if what is quoted of that is enough.
func TestQuotedDatagramOfAStream(t *testing.T) {
	for _, tc := range []struct {
		src      *reactor.Source
		bytes    int
		answered bool
	}{{overTLS, 1000, true}, {overTLS, 548, true}, {overTLS, 250, false}, {overUDP, 548, false}} {
		b := newBed(t, funcs{})
		s := b.one(request("OPTIONS", "sip:bob@203.0.113.9"), tc.src)
		if s.to.Proto != reactor.UDP {
			t.Fatalf("it goes by %v", s.to.Proto)
		}
		b.sent = nil
		b.ctx.Return(&reactor.Undelivered{Data: quote(s.text, tc.bytes), Quoted: true, Proto: reactor.UDP, Addr: s.to.Addr, Err: lateFailure})
		switch {
		case !tc.answered && len(b.sent) != 0:
			t.Errorf("%d bytes over %v: sent %+v", tc.bytes, tc.src.Proto, b.sent)
		case tc.answered && (len(b.sent) != 1 || b.sent[0].to.Conn != overTLS.Conn || !strings.HasPrefix(b.sent[0].text, "SIP/2.0 503 ")):
			t.Errorf("%d bytes over %v: sent %+v", tc.bytes, tc.src.Proto, b.sent)
		}
		if n := b.proxy.Count(RequestsBounced); n != 1 {
			t.Errorf("%d are counted", n)
		}
	}
}

// A request that was forwarded to a port at which nobody is goes to the next target
// when its client repeats it, and the client hears nothing of the first.
func TestPortUnreachable(t *testing.T) {
	dead, err := ports.Address()
	if err != nil {
		t.Fatal(err)
	}
	at := netip.MustParseAddrPort(dead)
	uas, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer uas.Close()
	l := runWith(t, funcs{}, Config{Resolver: several{at, uas.LocalAddr().(*net.UDPAddr).AddrPort()}})
	client, err := net.Dial("udp", l.at(reactor.UDP))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	text := request("OPTIONS", "sip:bob@localhost")
	if _, err := client.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	l.counted(RequestsBounced, 1)
	if _, err := client.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 4000)
	_ = uas.SetReadDeadline(time.Now().Add(patience))
	n, _, err := uas.ReadFrom(buf)
	if err != nil || !strings.HasPrefix(string(buf[:n]), "OPTIONS ") {
		t.Errorf("%q, %v", buf[:n], err)
	}
	if n := l.proxy.OwnResponses(503); n != 0 {
		t.Errorf("%d were answered 503", n)
	}
}
