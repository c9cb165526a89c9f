package transaction

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// A failure that the script answers with another destination.
func TestNextDestination(t *testing.T) {
	const carol = "sip:carol@203.0.113.10"
	b := newBed(t)
	b.request = func(c ctx) {
		_ = c.AppendHeader([]byte("X-Once: 1\r\n"))
		_ = c.SetRequestURI([]byte("sip:robert@203.0.113.9"))
		b.relay(c)
	}
	b.failure = func(c ctx, x *Exchange, best *Leg) {
		if best.Status() != 486 || string(c.RequestURI()) != bob {
			t.Errorf("failed with %d, at %s", best.Status(), c.RequestURI())
		}
		_ = c.SetRequestURI([]byte(carol))
		b.failure = nil
		b.relay(c)
	}
	b.take(request("INVITE", bob, "1"), overTLS)
	invite := b.want("SIP/2.0 100 Giving it a try", "INVITE sip:robert@203.0.113.9 SIP/2.0")[1]
	b.take(answer(t, invite, "486 Busy Here"), fromCallee)
	second := b.want("ACK sip:robert@203.0.113.9 SIP/2.0", "INVITE "+carol+" SIP/2.0")[1]
	if header(t, second.text, "X-Once") != "1" || header(t, second.text, "Via") == header(t, invite.text, "Via") {
		t.Errorf("the second: %s", second.text)
	}
	b.take(answer(t, second, "200 OK"), fromCallee)
	b.want("SIP/2.0 200 OK")
}

// Challenges of several branches go up together.
func TestChallenges(t *testing.T) {
	b := newBed(t)
	b.request = func(c ctx) {
		_, _ = c.AppendBranch([]byte("sip:carol@203.0.113.10"), false)
		b.relay(c)
	}
	b.take(request("INVITE", bob, "1"), overTLS)
	out := b.want("SIP/2.0 100 Giving it a try", "INVITE "+bob+" SIP/2.0", "INVITE sip:carol@203.0.113.10 SIP/2.0")
	b.take(answer(t, out[1], "407 Proxy Authentication Required", "Proxy-Authenticate: Digest realm=\"one\""), fromCallee)
	b.take(answer(t, out[2], "401 Unauthorized", "WWW-Authenticate: Digest realm=\"two\""), fromCallee)
	up := b.want("ACK sip:carol@203.0.113.10 SIP/2.0", "SIP/2.0 407 Proxy Authentication Required")[1]
	if header(t, up.text, "Proxy-Authenticate") != "Digest realm=\"one\"" || header(t, up.text, "WWW-Authenticate") != "Digest realm=\"two\"" {
		t.Error(up.text)
	}
	b.take(request("ACK", bob, "1"), overTLS)
}

// Without any response the next address is tried, then the client hears 408.
func TestNextAddress(t *testing.T) {
	b := newBed(t)
	b.request = func(c ctx) {
		_ = c.AppendHeader([]byte("X-Mine: 1\r\n"))
		b.relay(c)
	}
	const uri = "sip:bob@two.example.org"
	b.take(request("INVITE", uri, "1"), overTLS)
	one := b.want("SIP/2.0 100 Giving it a try", "INVITE "+uri+" SIP/2.0")[1]
	b.take(answer(t, one, "503 Service Unavailable"), fromCallee)
	two := b.want("ACK "+uri+" SIP/2.0", "INVITE "+uri+" SIP/2.0")[1]
	if one.to.Addr == two.to.Addr || header(t, two.text, "X-Mine") != "1" || header(t, one.text, "Via") == header(t, two.text, "Via") {
		t.Errorf("to %v, then to %v: %s", one.to.Addr, two.to.Addr, two.text)
	}
	b.take(answer(t, one, "180 Ringing"), fromCallee) // too late
	b.want()
	b.pass(29 * time.Second)
	b.wire.sent = nil
	b.pass(2 * time.Second)
	b.want("SIP/2.0 408 Request Timeout")
	b.take(request("ACK", uri, "1"), overTLS)
}

// What t_relay says and sends where nothing can be sent.
func TestRelayFails(t *testing.T) {
	for _, c := range []struct {
		uri      string
		response string
		rc       int
	}{
		{"sip:bob@nowhere.example.org", "SIP/2.0 476 Unresolvable destination (476/TM)", Unresolved},
		{"sip:bob@203.0.113.9;transport=sctp", "SIP/2.0 500 Server error occurred (7/TM)", Unsent},
		{"sip:bob@[2001:db8::1]", "SIP/2.0 500 Server error occurred (7/TM)", Unsent},
		{"sip:bob@203.0.113.9;transport=tls", "SIP/2.0 477 Send failed (477/TM)", Unsent},
	} {
		for _, quiet := range []bool{false, true} {
			b := newBed(t)
			b.refuse = refuseTLS
			var rc, after int
			b.request = func(x ctx) {
				rc = b.layer.Relay(x, &Options{NoResponse: quiet})
				if quiet {
					after = b.layer.Respond(x, 599, []byte("Mine"), nil)
				}
			}
			b.take(request("INVITE", c.uri, "1"), overUDP)
			if quiet {
				b.want("SIP/2.0 100 Giving it a try", "SIP/2.0 599 Mine")
				if rc != c.rc || after != 1 {
					t.Errorf("%s: %d, want %d; t_reply: %d", c.uri, rc, c.rc, after)
				}
			} else {
				b.want("SIP/2.0 100 Giving it a try", c.response)
				if rc != Relayed {
					t.Errorf("%s: %d", c.uri, rc)
				}
			}
			b.take(request("ACK", c.uri, "1"), overUDP)
		}
	}
}

// A request that is no INVITE and gets no answer is not answered upstream (RFC 4320), unless the script does.
func TestNoAnswer(t *testing.T) {
	b := newBed(t)
	b.take(request("OPTIONS", bob, "1"), overTLS)
	b.pass(40 * time.Second)
	for _, s := range b.wire.sent {
		if strings.HasPrefix(s.text, "SIP/2.0") {
			t.Errorf("answered: %s", s.first())
		}
	}
	if n := b.layer.shards[0].stat[statNoAnswer].Load(); n != 1 {
		t.Errorf("%d counted", n)
	}
}

// fr_inv_timeout: the branch is canceled, and the client hears 408 at once.
func TestNoFinal(t *testing.T) {
	b := newBed(t)
	b.request = func(c ctx) {
		x, _ := b.layer.Begin(c)
		x.SetTimeouts(0, 5*time.Second)
		b.relay(c)
	}
	b.take(request("INVITE", bob, "1"), overTLS)
	invite := b.want("SIP/2.0 100 Giving it a try", "INVITE "+bob+" SIP/2.0")[1]
	b.take(answer(t, invite, "180 Ringing"), fromCallee)
	b.want("SIP/2.0 180 Ringing")
	b.pass(4900 * time.Millisecond)
	b.want()
	b.pass(200 * time.Millisecond)
	out := b.want("CANCEL "+bob+" SIP/2.0", "SIP/2.0 408 Request Timeout")
	if !strings.Contains(out[0].text, "NO_ANSWER") {
		t.Error(out[0].text)
	}
	b.take(answer(t, out[0], "200 OK"), fromCallee)
	b.take(answer(t, invite, "487 Request Terminated"), fromCallee)
	b.want("ACK " + bob + " SIP/2.0")
}

func refuseTLS(t *target, text string) error {
	if t.Proto == tlsProto && !strings.HasPrefix(text, "SIP/2.0") {
		return errors.New("refused")
	}
	return nil
}

// A 6xx ends the search, unless the configuration lets the script go on.
func TestSix(t *testing.T) {
	for _, on := range []bool{false, true} {
		b := newBed(t, func(c *Config) { c.Go6xx = on })
		b.failure = func(c ctx, x *Exchange, best *Leg) {
			b.failure = nil
			_ = c.SetRequestURI([]byte("sip:carol@203.0.113.10"))
			b.relay(c)
		}
		b.take(request("INVITE", bob, "1"), overTLS)
		invite := b.want("SIP/2.0 100 Giving it a try", "INVITE "+bob+" SIP/2.0")[1]
		b.take(answer(t, invite, "603 Decline"), fromCallee)
		if !on {
			b.want("ACK "+bob+" SIP/2.0", "SIP/2.0 603 Decline")
			if rc := b.rc[len(b.rc)-1]; rc != Failed {
				t.Errorf("t_relay returned %d", rc)
			}
			continue
		}
		b.want("ACK "+bob+" SIP/2.0", "INVITE sip:carol@203.0.113.10 SIP/2.0")
	}
}
