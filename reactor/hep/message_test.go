package hep

import (
	"context"
	"net"
	"slices"
	"testing"
	"time"

	"sipreactor/reactor"
)

func dialNothing(context.Context, string, string) (net.Conn, error) { return nil, errNothing }

func TestMessageDirections(t *testing.T) {
	b := newBench(t, func(c *Config) { c.SIP = SIP{On: true, IDs: only(c.TLS.To)} })
	for _, c := range []struct {
		proto  reactor.Proto
		number byte
		id     reactor.Handle
		text   string
	}{
		{reactor.TLS, ProtocolTLS, 4294967297, "4294967297"},
		{reactor.TCP, ProtocolTCP, 1, "1"},
		{reactor.UDP, ProtocolUDP, 0, ""},
	} {
		src := source(c.id, false)
		src.Proto = c.proto
		before := len(b.got())
		data := []byte("OPTIONS sip:a SIP/2.0\r\n\r\n\x00\xff")
		traceMessage(b.Tracer, src, data, false)
		traceMessage(b.Tracer, src, data, true)
		want := string(data)
		clear(data) // it was copied
		for i, p := range b.await(before + 2)[before:] {
			from, to := src.Remote, src.Local
			if i == 1 {
				from, to = to, from
			}
			if p.Source != from || p.Target != to || p.Protocol != c.number || p.Type != PayloadSIP ||
				string(p.Correlation) != c.text || string(p.Payload) != want || p.Time.IsZero() {
				t.Errorf("%v, outgoing %v: %+v", c.proto, i == 1, p)
			}
		}
	}
}

// Events and messages of a connection have the same id.
func TestMessageBesideEvents(t *testing.T) {
	b := newBench(t, func(c *Config) { c.SIP = SIP{On: true, IDs: only(c.TLS.To)} })
	src := source(77, true)
	b.life(src, nil, started, established)
	traceMessage(b.Tracer, src, []byte("x"), true)
	b.life(src, orderly, closed)
	for i, p := range b.await(3) {
		if string(p.Correlation) != "77" {
			t.Errorf("packet %d belongs to %q", i, p.Correlation)
		}
	}
}

func TestMessageSwitch(t *testing.T) {
	b := newBench(t, func(c *Config) {
		c.SIP = SIP{IDs: append(only(c.TLS.To), TraceID{Name: "other", To: []*Sender{c.TLS.To}})}
	})
	src := source(1, false)
	other := b.Messages("other")
	say := func(text string) {
		t.Helper()
		for _, m := range b.AllMessages() {
			m.Trace(src, time.Now(), []byte(text+" "+m.ID().Name), false, nil)
		}
	}
	say("off")
	if b.MessagesOn() || other.Active() || !other.On() {
		t.Error("on at the start")
	}
	b.SwitchMessages(true)
	b.Switch(reactor.TLS, false) // another switch
	say("on")
	other.Switch(false)
	if other.Active() || !b.Messages("tid").Active() {
		t.Error("one switch turns both")
	}
	say("half")
	b.SwitchMessages(false)
	say("off")
	b.SwitchMessages(true)
	say("again")
	b.Messages("nobody").Trace(src, time.Now(), []byte("nobody"), false, nil)
	b.sender.Close()
	var got []string
	for _, p := range b.await(int(b.sender.Stats().Sent)) {
		got = append(got, string(p.Payload))
	}
	if want := []string{"on tid", "on other", "half tid", "again tid"}; !slices.Equal(got, want) {
		t.Errorf("told %q, want %q", got, want)
	}
}

// A message goes to all collectors of a name, under the time and the
// correlation id that are given.
func TestMessageToSeveral(t *testing.T) {
	second := collect(t, UDP, nil)
	b := newBench(t, func(c *Config) {
		c.SIP = SIP{On: true, IDs: []TraceID{{Name: "both", To: []*Sender{c.TLS.To, send(t, second.dest, nil)}}}}
	})
	at := time.Unix(1795384430, 123456000)
	id := []byte("call-1@a")
	b.Messages("both").Trace(source(7, false), at, []byte("x"), false, id)
	clear(id) // it was copied
	b.Messages("both").Trace(source(7, false), at, []byte("y"), false, make([]byte, 100000))
	for _, c := range []*collector{b.collector, second} {
		packets := c.await(2)
		if p := packets[0]; string(p.Correlation) != "call-1@a" || !p.Time.Equal(at) || string(p.Payload) != "x" {
			t.Errorf("%+v", p)
		}
		if n := len(packets[1].Correlation); n != textLimit {
			t.Errorf("a correlation id of %d bytes", n)
		}
	}
}

// A message for which there is no room costs no copy.
func TestMessageOverflow(t *testing.T) {
	full := send(t, destination(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}, TCP), func(c *SenderConfig) {
		c.Queue, c.Drain, c.Dial = 1, 1, dialNothing
	})
	tracer := New(Config{SIP: SIP{On: true, IDs: only(full)}})
	src := source(1, false)
	data := make([]byte, 1000)
	traceMessage(tracer, src, data, false)
	if n := testing.AllocsPerRun(100, func() { traceMessage(tracer, src, data, false) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if st := full.Stats(); st.Queued != 1 || st.Dropped != 101 {
		t.Errorf("%+v", st)
	}
}
