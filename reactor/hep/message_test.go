package hep

import (
	"context"
	"net"
	"testing"

	"sipreactor/reactor"
)

func dialNothing(context.Context, string, string) (net.Conn, error) { return nil, errNothing }

func TestMessageDirections(t *testing.T) {
	b := newBench(t, func(c *Config) { c.SIP = Lane{To: c.TLS.To, On: true} })
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
		b.Message(src, data, false)
		b.Message(src, data, true)
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
	b := newBench(t, func(c *Config) { c.SIP = Lane{To: c.TLS.To, On: true} })
	src := source(77, true)
	b.life(src, nil, started, established)
	b.Message(src, []byte("x"), true)
	b.life(src, orderly, closed)
	for i, p := range b.await(3) {
		if string(p.Correlation) != "77" {
			t.Errorf("packet %d belongs to %q", i, p.Correlation)
		}
	}
}

func TestMessageSwitch(t *testing.T) {
	b := newBench(t, func(c *Config) { c.SIP = Lane{To: c.TLS.To} })
	src := source(1, false)
	b.Message(src, []byte("off"), false)
	if b.MessagesOn() {
		t.Error("on at the start")
	}
	b.SwitchMessages(true)
	b.Switch(reactor.TLS, false) // another switch
	b.Message(src, []byte("on"), false)
	b.SwitchMessages(false)
	b.Message(src, []byte("off"), false)
	b.MessageTo(b.sender, src, []byte("asked for"), false)
	b.sender.Close()
	packets := b.await(2)
	if len(packets) != 2 || string(packets[0].Payload) != "on" || string(packets[1].Payload) != "asked for" {
		t.Errorf("%d packets: %+v", len(packets), packets)
	}
}

// A message for which there is no room costs no copy.
func TestMessageOverflow(t *testing.T) {
	full := send(t, destination(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}, TCP), func(c *SenderConfig) {
		c.Queue, c.Drain, c.Dial = 1, 1, dialNothing
	})
	tracer := New(Config{SIP: Lane{To: full, On: true}})
	src := source(1, false)
	data := make([]byte, 1000)
	tracer.Message(src, data, false)
	if n := testing.AllocsPerRun(100, func() { tracer.Message(src, data, false) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if st := full.Stats(); st.Queued != 1 || st.Dropped != 101 {
		t.Errorf("%+v", st)
	}
}
