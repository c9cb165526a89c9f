package proxy

import (
	"testing"

	"sipreactor/reactor"
)

// discard is a Sender that writes each message and forgets it.
type discard struct{ buf []byte }

func (d *discard) Send(_ *reactor.Target, m reactor.Appender) (reactor.Outcome, error) {
	d.buf = m.AppendTo(d.buf[:0])
	return reactor.Sent, nil
}

func (d *discard) Wait(f func()) bool { f(); return true }

// realInvite is an INVITE as a carrier's SBC sends it, 470 bytes of headers.
var realInvite = "INVITE sip:+4930123456@203.0.113.9:5061;transport=tls SIP/2.0\r\n" +
	"Via: SIP/2.0/TLS 198.51.100.7:5061;branch=z9hG4bK-524287-1---4f2c7b7d0d7f2a33;rport\r\n" +
	"Max-Forwards: 70\r\n" +
	"Contact: <sip:alice@198.51.100.7:5061;transport=tls>\r\n" +
	"To: <sip:+4930123456@example.com>\r\n" +
	"From: \"Alice\" <sip:alice@example.com>;tag=3d1b9c77\r\n" +
	"Call-ID: ODgxYmY5ZjA3NTZhZjE2@198.51.100.7\r\n" +
	"CSeq: 1 INVITE\r\n" +
	"Content-Length: 0\r\n\r\n"

func benchContext(b *testing.B, r Router) (*Context, *discard) {
	p, err := New(Config{Key: &testKey}, r)
	if err != nil {
		b.Fatal(err)
	}
	p.SetSockets(allSockets)
	d := &discard{}
	c := p.NewContext(d)
	b.ReportAllocs()
	return c, d
}

func BenchmarkForwardRequest(b *testing.B) {
	c, d := benchContext(b, funcs{})
	data := []byte(realInvite)
	for b.Loop() {
		c.Receive(data, overTLS)
	}
	if c.count.counts[RequestsOut].Load() == 0 || len(d.buf) < len(data) {
		b.Fatal("nothing forwarded")
	}
}

func BenchmarkForwardRequestRecordRoute(b *testing.B) {
	dest := []byte("sip:203.0.113.9:5061;transport=tls")
	c, _ := benchContext(b, funcs{request: func(c *Context) {
		c.MaxForwards(10)
		_ = c.RecordRoute(nil)
		_ = c.SetDestURI(dest)
		_ = c.Forward(nil)
	}})
	data := []byte(realInvite)
	for b.Loop() {
		c.Receive(data, overTLS)
	}
}

func BenchmarkForwardResponse(b *testing.B) {
	c, d := benchContext(b, funcs{})
	c.Receive([]byte(realInvite), overTLS)
	data := []byte(answer(b, string(d.buf), "180 Ringing"))
	for b.Loop() {
		c.Receive(data, fromUAS)
	}
	if c.count.counts[ResponsesOut].Load() == 0 {
		b.Fatal("nothing forwarded")
	}
}

func BenchmarkRespond(b *testing.B) {
	reason := []byte("OK")
	c, _ := benchContext(b, funcs{request: func(c *Context) { _ = c.Respond(200, reason) }})
	data := []byte(realInvite)
	for b.Loop() {
		c.Receive(data, overTLS)
	}
}

// Forwarding allocates nothing once the scratch has grown.
func TestForwardAllocatesNothing(t *testing.T) {
	p, err := New(Config{Key: &testKey}, funcs{request: func(c *Context) {
		c.LooseRoute()
		_ = c.RecordRoute(nil)
		_ = c.Forward(nil)
	}})
	if err != nil {
		t.Fatal(err)
	}
	p.SetSockets(allSockets)
	d := &discard{}
	c := p.NewContext(d)
	data := []byte(realInvite)
	c.Receive(data, overTLS)
	response := []byte(answer(t, string(d.buf), "200 OK"))
	v6 := []byte(invite("Via: SIP/2.0/TLS [2001:db8::7]:5061;branch=z9hG4bKsix"))
	for name, f := range map[string]func(){
		"request":  func() { c.Receive(data, overTLS) },
		"ipv6":     func() { c.Receive(v6, overTLS) },
		"response": func() { c.Receive(response, fromUAS) },
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
