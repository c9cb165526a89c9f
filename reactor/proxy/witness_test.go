package proxy

import (
	"strings"
	"testing"
	"time"

	"sipreactor/reactor"
)

// diary is a Witness that remembers.
type diary struct {
	to   []reactor.Source
	text []string
	at   []time.Time
}

func (d *diary) Sent(to *reactor.Source, at time.Time, data []byte) {
	d.to, d.text, d.at = append(d.to, *to), append(d.text, string(data)), append(d.at, at)
}

// carrying is a Sender that tells by which connection a message goes.
type carrying struct {
	*recorder
	by reactor.Source
}

func (c carrying) Send(t *reactor.Target, m reactor.Appender) (reactor.Outcome, error) {
	o, err := c.recorder.Send(t, m)
	if err == nil && t.Carrier != nil {
		*t.Carrier = c.by
	}
	return o, err
}

// A witness is told of what goes on, as it stands on the wire, and of the
// connection that carries it.
func TestWitnessOfRequestAndResponse(t *testing.T) {
	d := &diary{}
	b := newBed(t, funcs{
		request:  func(c *Context) { c.SetWitness(d); _ = c.Forward(nil) },
		response: func(c *Context) { c.SetWitness(d) },
	})
	b.ctx.out = carrying{b.recorder, *fromUAS}
	before := time.Now()
	out := b.one(invite(), overTLS)
	back := b.one(answer(t, out.text, "180 Ringing"), fromUAS)
	if len(d.text) != 2 || d.text[0] != out.text || d.text[1] != back.text || d.to[0] != *fromUAS {
		t.Fatalf("told %q", d.text)
	}
	if d.at[0].Before(before) || d.at[1].Before(d.at[0]) || time.Now().Before(d.at[1]) {
		t.Errorf("at %v", d.at)
	}
	if out.to.Carrier == nil || b.ctx.target.Carrier != nil {
		t.Error("the carrier is not asked for, or forever")
	}
}

// Responses are told, too: the Router's, and those that the proxy makes when a
// destination fails, which itself is not.
func TestWitnessOfResponses(t *testing.T) {
	d := &diary{}
	fails := true
	b := newBed(t, funcs{request: func(c *Context) {
		c.SetWitness(d)
		if !fails {
			_ = c.Respond(404, nil)
			return
		}
		_ = c.Forward(nil)
	}})
	b.refuse = func(to *reactor.Target) error {
		if to.Conn == 0 {
			return gone
		}
		return nil
	}
	b.pass(invite(), overTLS)
	fails = false
	b.pass(invite("Call-ID: two"), overTLS)
	if len(d.text) != 2 || !strings.HasPrefix(d.text[0], "SIP/2.0 503 ") || !strings.HasPrefix(d.text[1], "SIP/2.0 404 ") {
		t.Fatalf("told %q", d.text)
	}
	// A Sender that knows nothing of connections leaves what the target says.
	if to := d.to[1]; to.Conn != overTLS.Conn || to.Proto != reactor.TLS {
		t.Errorf("carried by %+v", to)
	}
}

// A witness is one message's: the next one has none.
func TestWitnessEndsWithItsMessage(t *testing.T) {
	d := &diary{}
	first := true
	b := newBed(t, funcs{request: func(c *Context) {
		if first {
			c.SetWitness(d)
		}
		first = false
		_ = c.Forward(nil)
	}})
	b.pass(invite(), overTLS)
	b.pass(invite("Call-ID: two"), overTLS)
	if len(d.text) != 1 {
		t.Errorf("told of %d messages", len(d.text))
	}
}

// What is behind the body of a datagram is no part of the message.
func TestReceived(t *testing.T) {
	var got string
	b := newBed(t, funcs{request: func(c *Context) { got = string(c.Received()) }})
	text := strings.Replace(msg("OPTIONS sip:a@192.0.2.1 SIP/2.0", "Via: SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bK1", "Max-Forwards: 70",
		"From: <sip:a@example.com>;tag=1", "To: <sip:b@example.com>", "Call-ID: 1", "CSeq: 1 OPTIONS"), "Length: 0", "Length: 2", 1) + "ab"
	b.ctx.Receive([]byte(text+"junk"), overUDP)
	if got != text {
		t.Errorf("got %q, want %q", got, text)
	}
}

// A witness costs no allocation either, once the scratch has grown.
func TestWitnessAllocatesNothing(t *testing.T) {
	w := &counter{}
	p, err := New(Config{Key: &testKey}, funcs{request: func(c *Context) { c.SetWitness(w); _ = c.Forward(nil) }})
	if err != nil {
		t.Fatal(err)
	}
	p.SetSockets(allSockets)
	c := p.NewContext(&discard{})
	data := []byte(realInvite)
	c.Receive(data, overTLS)
	if n := testing.AllocsPerRun(100, func() { c.Receive(data, overTLS) }); n != 0 || w.n != 102 {
		t.Errorf("%v allocations, %d messages", n, w.n)
	}
}

// counter is a Witness that counts.
type counter struct{ n int }

func (c *counter) Sent(*reactor.Source, time.Time, []byte) { c.n++ }

func BenchmarkForwardRequestWitnessed(b *testing.B) {
	w := &counter{}
	c, _ := benchContext(b, funcs{request: func(c *Context) { c.SetWitness(w); _ = c.Forward(nil) }})
	data := []byte(realInvite)
	for b.Loop() {
		c.Receive(data, overTLS)
	}
}
