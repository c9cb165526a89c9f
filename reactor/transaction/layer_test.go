package transaction

import (
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor/proxy"
)

// A call that passes: INVITE, 100, 180, 200, the ACK by itself, each 200 that comes again.
func TestCall(t *testing.T) {
	b := newBed(t)
	b.take(request("INVITE", bob, "1"), overUDP)
	out := b.want("SIP/2.0 100 Giving it a try", "INVITE "+bob+" SIP/2.0")
	if strings.Contains(header(t, out[0].text, "To"), "tag") || out[0].to.Addr != overUDP.Remote {
		t.Errorf("the 100: %+v", out[0])
	}
	invite := out[1]
	b.take(answer(t, invite, "100 Trying"), fromCallee)
	b.want()
	b.take(answer(t, invite, "180 Ringing"), fromCallee)
	ring := b.want("SIP/2.0 180 Ringing")[0]
	if strings.Count(ring.text, "Via:") != 1 || ring.to.Addr != overUDP.Remote {
		t.Errorf("the 180: %+v", ring)
	}
	b.take(answer(t, invite, "200 OK"), fromCallee)
	b.want("SIP/2.0 200 OK")
	b.take(request("ACK", bob, "2", "To: <sip:bob@example.com>;tag=b203.0.113.9"), overUDP)
	b.want("ACK " + bob + " SIP/2.0")
	b.pass(10 * time.Second)
	b.want()
	b.take(answer(t, invite, "200 OK"), fromCallee)
	b.want("SIP/2.0 200 OK")
	if b.layer.owed.Load() != 0 {
		t.Error("an answer is owed")
	}
	b.pass(30 * time.Second)
	if b.layer.Live() != 0 {
		t.Error("the transaction lives on")
	}
}

// An ACK that comes when its transaction is gone: that to a 2xx passes as any other does, that to a negative answer makes
// nothing of its own, and nobody is answered.
func TestLateACK(t *testing.T) {
	b := newBed(t)
	b.take(request("INVITE", bob, "1"), overUDP)
	invite := b.want("SIP/2.0 100 Giving it a try", "INVITE "+bob+" SIP/2.0")[1]
	b.take(answer(t, invite, "200 OK"), fromCallee)
	to := header(t, b.want("SIP/2.0 200 OK")[0].text, "To")
	b.pass(31 * time.Second)
	b.take(answer(t, invite, "200 OK"), fromCallee) // nobody has acknowledged it: it still passes
	b.want("SIP/2.0 200 OK")
	b.pass(2 * time.Second)
	if n := b.layer.Live(); n != 0 {
		t.Fatalf("%d transactions live on", n)
	}
	for range 2 {
		b.take(request("ACK", bob, "2", "To: "+to), overUDP)
		b.want("ACK " + bob + " SIP/2.0")
	}
	b.take(request("INVITE", bob, "3", "CSeq: 2 INVITE"), overUDP)
	invite = b.want("SIP/2.0 100 Giving it a try", "INVITE "+bob+" SIP/2.0")[1]
	b.take(answer(t, invite, "486 Busy Here"), fromCallee)
	to = header(t, b.want("ACK "+bob+" SIP/2.0", "SIP/2.0 486 Busy Here")[1].text, "To")
	b.pass(33 * time.Second)
	if again := len(b.wire.sent); again != 10 || b.layer.Live() != 0 {
		t.Errorf("it was sent %d times more, want 10; %d transactions", again, b.layer.Live())
	}
	b.wire.sent = nil
	b.request = func(c ctx) {
		if b.layer.Acknowledges(c) {
			t.Error("it belongs to a transaction")
		}
	}
	b.take(request("ACK", bob, "3", "CSeq: 2 ACK", "To: "+to), overUDP)
	b.want()
	b.take(request("ACK", bob, "3", "CSeq: 2 ACK", "To: "+to), overUDP)
	b.want()
	if n := b.layer.Live(); n != 0 {
		t.Errorf("%d transactions of an ACK", n)
	}
}

// A negative answer: it is acknowledged downstream, and resent upstream until it is acknowledged there.
func TestRefused(t *testing.T) {
	b := newBed(t)
	b.take(request("INVITE", bob, "1"), overUDP)
	invite := b.want("SIP/2.0 100 Giving it a try", "INVITE "+bob+" SIP/2.0")[1]
	b.take(answer(t, invite, "486 Busy Here"), fromCallee)
	out := b.want("ACK "+bob+" SIP/2.0", "SIP/2.0 486 Busy Here")
	if header(t, out[0].text, "Via") != header(t, invite.text, "Via") || header(t, out[0].text, "CSeq") != "1 ACK" ||
		header(t, out[0].text, "To") != header(t, out[1].text, "To") {
		t.Errorf("the ACK: %s", out[0].text)
	}
	b.pass(1600 * time.Millisecond)
	b.want("SIP/2.0 486 Busy Here", "SIP/2.0 486 Busy Here")
	b.take(answer(t, invite, "486 Busy Here"), fromCallee)
	b.want("ACK " + bob + " SIP/2.0")
	b.take(request("INVITE", bob, "1"), overUDP)
	b.want("SIP/2.0 486 Busy Here")
	b.take(request("ACK", bob, "1", "To: "+header(t, out[1].text, "To")), overUDP)
	b.want()
	if rc := b.rc[len(b.rc)-1]; rc != Relayed {
		t.Errorf("t_relay of the ACK returned %d", rc)
	}
	b.pass(4 * time.Second)
	b.want()
}

// A callee that answers again, or too late, over a transport that repeats nothing: the transaction is over, its client
// has its one final response and gets no second. The 200 of a call that somebody has to end goes on.
func TestAnsweredTwice(t *testing.T) {
	b := newBed(t)
	for i, tt := range []struct{ method, status, first, again string }{
		{"OPTIONS", "200 OK", "SIP/2.0 200 OK", ""},
		{"OPTIONS", "404 Not Found", "SIP/2.0 404 Not Found", ""},
		{"OPTIONS", "180 Ringing", "SIP/2.0 180 Ringing", ""},
		{"INVITE", "486 Busy Here", "SIP/2.0 486 Busy Here", ""},
		{"INVITE", "200 OK", "SIP/2.0 200 OK", "SIP/2.0 200 OK"},
	} {
		branch := strconv.Itoa(i)
		out := b.take(request(tt.method, bob, branch), overTLS)
		asked := out[len(out)-1]
		b.wire.sent = nil
		out = b.take(answer(t, asked, tt.status), fromCallee)
		if last := out[len(out)-1].first(); last != tt.first {
			t.Fatalf("%s %s: %s", tt.method, tt.status, last)
		}
		if tt.status[0] > '2' && tt.method == "INVITE" {
			b.take(request("ACK", bob, branch, "To: "+header(t, out[len(out)-1].text, "To")), overTLS)
		}
		b.pass(40 * time.Second) // the longest timer is over
		b.wire.sent = nil
		b.take(answer(t, asked, tt.status), fromCallee)
		for _, s := range b.wire.sent {
			if s.first() != tt.again {
				t.Errorf("%s answered %s again: %s", tt.method, tt.status, s.first())
			}
		}
		if (tt.again != "") != (len(b.wire.sent) > 0) {
			t.Errorf("%s answered %s again: %d messages", tt.method, tt.status, len(b.wire.sent))
		}
	}
}

// Requests go out again over UDP until they are answered.
func TestRetransmission(t *testing.T) {
	b := newBed(t)
	b.take(request("OPTIONS", bob, "1"), overUDP)
	first := b.want("OPTIONS " + bob + " SIP/2.0")[0]
	b.pass(3600 * time.Millisecond)
	again := b.want("OPTIONS "+bob+" SIP/2.0", "OPTIONS "+bob+" SIP/2.0", "OPTIONS "+bob+" SIP/2.0")
	if again[2].text != first.text {
		t.Error("a retransmission differs")
	}
	b.take(request("OPTIONS", bob, "1"), overUDP)
	b.want()
	if rc := b.rc[len(b.rc)-1]; rc != Repeated {
		t.Errorf("t_relay of a retransmission returned %d", rc)
	}
	b.take(answer(t, first, "200 OK"), fromCallee)
	b.want("SIP/2.0 200 OK")
	b.take(request("OPTIONS", bob, "1"), overUDP)
	b.want("SIP/2.0 200 OK")
	b.pass(6 * time.Second)
	if b.layer.Live() != 0 {
		t.Error("the transaction lives on")
	}
}

// A CANCEL before any response waits for one; the INVITE's answer is the callee's.
func TestCallCanceled(t *testing.T) {
	b := newBed(t)
	b.take(request("INVITE", bob, "1"), overUDP)
	invite := b.want("SIP/2.0 100 Giving it a try", "INVITE "+bob+" SIP/2.0")[1]
	b.take(request("CANCEL", bob, "1", "Reason: SIP;cause=200"), overUDP)
	b.want("SIP/2.0 200 canceling")
	b.take(answer(t, invite, "180 Ringing"), fromCallee)
	out := b.want("CANCEL "+bob+" SIP/2.0", "SIP/2.0 180 Ringing")
	if header(t, out[0].text, "Reason") != "SIP;cause=200" || header(t, out[0].text, "Via") != header(t, invite.text, "Via") ||
		strings.Count(out[0].text, "Via:") != 1 {
		t.Errorf("the CANCEL: %s", out[0].text)
	}
	b.take(answer(t, out[0], "200 OK"), fromCallee)
	b.want()
	b.take(request("CANCEL", bob, "1"), overUDP)
	b.want("SIP/2.0 200 canceling")
	b.take(answer(t, invite, "487 Request Terminated"), fromCallee)
	b.want("ACK "+bob+" SIP/2.0", "SIP/2.0 487 Request Terminated")
	b.take(request("ACK", bob, "1"), overUDP)
	b.take(request("CANCEL", bob, "other"), overUDP)
	b.want("CANCEL " + bob + " SIP/2.0")
}

// A CANCEL goes out again until it is answered, and not behind that, whoever has the branch canceled; an answer to another
// request's is none.
func TestCancelAnswered(t *testing.T) {
	const carol = "sip:carol@203.0.113.10"
	for name, cancel := range map[string]func(b *bed, first sent){
		"the client":    func(b *bed, _ sent) { b.take(request("CANCEL", bob, "1"), overTLS) },
		"another's 200": func(b *bed, first sent) { b.take(answer(b.T, first, "200 OK"), fromCallee) },
		"another's 603": func(b *bed, first sent) { b.take(answer(b.T, first, "603 Decline"), fromCallee) },
	} {
		b := newBed(t)
		b.request = func(c ctx) {
			_, _ = c.AppendBranch([]byte(carol), false)
			b.relay(c)
		}
		out := b.take(request("INVITE", bob, "1"), overTLS)
		b.take(answer(t, out[2], "180 Ringing"), fromCallee)
		b.wire.sent = nil
		cancel(b, out[1])
		var first sent
		for _, s := range b.wire.sent {
			if s.first() == "CANCEL "+carol+" SIP/2.0" {
				first = s
			}
		}
		count := func() (n int) {
			for _, s := range b.wire.sent {
				if s.first() == first.first() {
					n++
				}
			}
			b.wire.sent = nil
			return n
		}
		if count() != 1 {
			t.Fatalf("%s: %v", name, b.wire.sent)
		}
		right := answer(t, first, "200 OK")
		for _, wrong := range []string{strings.Replace(right, "Call-ID: ", "Call-ID: x", 1), strings.Replace(right, "CSeq: ", "CSeq: 1", 1),
			strings.Replace(right, ";tag=", ";tag=x", 1)} {
			b.take(wrong, fromCallee)
		}
		b.pass(2 * time.Second)
		if n := count(); n != 2 { // at 0.5 and 1.5 s
			t.Errorf("%s: the CANCEL went out %d times again without an answer", name, n)
		}
		b.take(right, fromCallee)
		b.pass(10 * time.Second)
		if n := count(); n != 0 {
			t.Errorf("%s: the CANCEL went out %d times again behind its answer", name, n)
		}
		if n := b.layer.proxy.Count(proxy.ResponsesMismatched); n != 3 {
			t.Errorf("%s: %d mismatches", name, n)
		}
	}
}

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

// Two at once: the first 200 wins, the other one is canceled; a 200 that crosses goes up as well.
func TestTwoAtOnce(t *testing.T) {
	b := newBed(t)
	b.request = func(c ctx) {
		_, _ = c.AppendBranch([]byte("sip:carol@203.0.113.10"), false)
		b.relay(c)
	}
	b.branch = func(c ctx, x *Exchange, leg *Leg) bool {
		_ = c.AppendHeader([]byte("X-Branch: " + string('0'+byte(leg.Number())) + "\r\n"))
		return false
	}
	b.take(request("INVITE", bob, "1"), overTLS)
	out := b.want("SIP/2.0 100 Giving it a try", "INVITE "+bob+" SIP/2.0", "INVITE sip:carol@203.0.113.10 SIP/2.0")
	for i, want := range []string{"0", "1"} {
		if strings.Count(out[1+i].text, "X-Branch") != 1 || header(t, out[1+i].text, "X-Branch") != want {
			t.Errorf("branch %d: %s", i, out[1+i].text)
		}
	}
	b.take(answer(t, out[1], "180 Ringing"), fromCallee)
	b.take(answer(t, out[2], "180 Ringing"), fromCallee)
	b.take(answer(t, out[1], "200 OK"), fromCallee)
	cancel := b.want("SIP/2.0 200 OK", "CANCEL sip:carol@203.0.113.10 SIP/2.0")[1]
	if !strings.Contains(header(t, cancel.text, "Reason"), "elsewhere") {
		t.Errorf("the CANCEL: %s", cancel.text)
	}
	b.take(answer(t, out[2], "200 OK"), fromCallee)
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

// The script is done and has done nothing with its transaction.
func TestForgotten(t *testing.T) {
	b := newBed(t)
	b.request = func(c ctx) { _, _ = b.layer.Begin(c) }
	b.take(request("INVITE", bob, "1"), overUDP)
	b.want("SIP/2.0 100 Giving it a try", "SIP/2.0 500 Server Internal Error")
	b.take(request("ACK", bob, "1"), overUDP)
}

// The same request by another way.
func TestMerged(t *testing.T) {
	b := newBed(t)
	b.take(request("INVITE", bob, "1"), overUDP)
	b.want("SIP/2.0 100 Giving it a try", "INVITE "+bob+" SIP/2.0")
	b.take(request("INVITE", bob, "2"), overUDP)
	b.want("SIP/2.0 482 Loop Detected")
	b.take(request("INVITE", "sip:carol@203.0.113.9", "3"), overUDP)
	b.want("SIP/2.0 100 Giving it a try", "INVITE sip:carol@203.0.113.9 SIP/2.0")
}

// There are no more transactions than there may be.
func TestBusy(t *testing.T) {
	b := newBed(t, func(c *Config) { c.Max = 1 })
	b.take(request("OPTIONS", bob, "1"), overUDP)
	b.take(request("OPTIONS", bob, "2", "CSeq: 2 OPTIONS"), overUDP)
	if out := b.want("SIP/2.0 503 Service Unavailable")[0]; header(t, out.text, "Retry-After") == "" {
		t.Error(out.text)
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

// A 2xx after the caller has heard 408 is passed on.
func TestCrossing(t *testing.T) {
	b := newBed(t)
	b.take(request("INVITE", bob, "1"), overTLS)
	invite := b.want("SIP/2.0 100 Giving it a try", "INVITE "+bob+" SIP/2.0")[1]
	b.take(answer(t, invite, "180 Ringing"), fromCallee)
	b.pass(121 * time.Second)
	b.wire.sent = nil
	b.take(answer(t, invite, "200 OK"), fromCallee)
	b.want("SIP/2.0 200 OK")
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

// A minor branch is not waited for; with Request-Disposition: no-cancel branches go on after a 2xx.
func TestMinorAndNoCancel(t *testing.T) {
	const carol = "sip:carol@203.0.113.10"
	fork := func(b *bed, o Options) {
		b.request = func(c ctx) {
			br, _ := c.AppendBranch([]byte(carol), false)
			br.SetFlags(2)
			b.layer.Relay(c, &o)
		}
		b.take(request("INVITE", bob, "1", "Request-Disposition: proxy, no-cancel"), overTLS)
	}
	b := newBed(t, func(c *Config) { c.MinorFlag = 2 })
	fork(b, Options{})
	out := b.want("SIP/2.0 100 Giving it a try", "INVITE "+bob+" SIP/2.0", "INVITE "+carol+" SIP/2.0")
	b.take(answer(t, out[2], "183 Progress"), fromCallee)
	b.take(answer(t, out[1], "404 Not Found"), fromCallee)
	b.want("ACK "+bob+" SIP/2.0", "CANCEL "+carol+" SIP/2.0", "SIP/2.0 404 Not Found")
	b.take(answer(t, out[2], "487 Request Terminated"), fromCallee)

	b = newBed(t)
	fork(b, Options{NoCancel: true})
	out = b.want("SIP/2.0 100 Giving it a try", "INVITE "+bob+" SIP/2.0", "INVITE "+carol+" SIP/2.0")
	b.take(answer(t, out[2], "183 Progress"), fromCallee)
	b.take(answer(t, out[1], "200 OK"), fromCallee)
	b.want("SIP/2.0 200 OK")
	b.take(answer(t, out[2], "200 OK"), fromCallee)
	b.want("SIP/2.0 200 OK")
}
