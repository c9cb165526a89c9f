package transaction

import (
	"testing"

	"sipreactor/reactor/proxy"
)

// Branches at the same time share Max-Breadth, one behind the other has it anew (RFC 5393 5.3.3).
func TestMaxBreadth(t *testing.T) {
	carol, dave := []byte("sip:carol@203.0.113.10"), []byte("sip:dave@203.0.113.11")
	for _, c := range []struct {
		came     string
		appended [][]byte
		want     []string // of the branches; none: 440
	}{
		{"", nil, []string{"60"}},
		{"", [][]byte{carol}, []string{"30", "30"}},
		{"", [][]byte{carol, dave}, []string{"20", "20", "20"}},
		{"Max-Breadth: 5", nil, []string{"5"}},
		{"Max-Breadth: 5", [][]byte{carol}, []string{"3", "2"}},
		{"Max-Breadth: 1000", [][]byte{carol}, []string{"30", "30"}},
		{"Max-Breadth: x", nil, []string{"60"}},
		{"Max-Breadth: 1", nil, []string{"1"}},
		{"Max-Breadth: 1", [][]byte{carol}, nil},
		{"Max-Breadth: 0", nil, nil},
		{"To: <sip:bob@example.com>;tag=b", nil, []string{""}},
	} {
		b := newBed(t)
		b.routes.request = func(ctx *proxy.Context) {
			for _, uri := range c.appended {
				_, _ = ctx.AppendBranch(uri, false)
			}
			b.relay(ctx)
		}
		more := []string{c.came}
		if c.came == "" {
			more = nil
		}
		b.take(request("OPTIONS", bob, "1", more...), overUDP)
		out := b.wire.sent
		if c.want == nil {
			b.want("SIP/2.0 440 Max-Breadth Exceeded")
			continue
		}
		if len(out) != len(c.want) {
			t.Fatalf("%+v: %d sent", c, len(out))
		}
		for i, s := range out {
			if got := header(t, s.text, "Max-Breadth"); got != c.want[i] {
				t.Errorf("%+v: branch %d has %q", c, i, got)
			}
			b.take(answer(t, s, "200 OK"), fromCallee)
		}
	}
}

// A branch that has ended gives its breadth back; one that is added meanwhile finds some, unless the client forbids that.
func TestMaxBreadthSerial(t *testing.T) {
	b := newBed(t)
	failures := 0
	b.routes.failure = func(c *proxy.Context, _ *Exchange, _ *Leg) {
		if failures++; failures == 1 {
			b.relay(c)
		}
	}
	b.take(request("OPTIONS", bob, "1", "Max-Breadth: 2"), overUDP)
	first := b.want("OPTIONS " + bob + " SIP/2.0")[0]
	b.take(answer(t, first, "404 Not Found"), fromCallee)
	second := b.want("OPTIONS " + bob + " SIP/2.0")[0]
	if header(t, first.text, "Max-Breadth") != "2" || header(t, second.text, "Max-Breadth") != "2" {
		t.Errorf("%s\n%s", first.text, second.text)
	}
	b.take(answer(t, second, "404 Not Found"), fromCallee)
	b.want("SIP/2.0 404 Not Found")

	for _, c := range []struct {
		came string
		rc   int
	}{{"X: 1", Relayed}, {"Max-Breadth: 9", Failed}} {
		b := newBed(t)
		b.routes.request = func(c *proxy.Context) { b.relay(c); b.relay(c) }
		b.take(request("OPTIONS", bob, "1", c.came), overUDP)
		if got := b.rc[1]; got != c.rc {
			t.Errorf("%s: the second t_relay() returned %d", c.came, got)
		}
		for _, s := range b.wire.sent {
			b.take(answer(t, s, "200 OK"), fromCallee)
		}
	}
}
