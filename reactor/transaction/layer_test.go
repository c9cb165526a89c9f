package transaction

import (
	"strconv"
	"strings"
	"testing"
	"time"
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
	b.take(request("INVITE", bob, "2"), overUDP) // its client has not heard that
	b.want("SIP/2.0 482 Loop Detected")
	b.take(request("INVITE", "sip:carol@203.0.113.9", "3"), overUDP)
	b.want("SIP/2.0 100 Giving it a try", "INVITE sip:carol@203.0.113.9 SIP/2.0")
}

// A request whose transaction is over but for its repetitions has not come by another way: who is refused may try that. One
// that was answered by a 2xx is merged still.
func TestNotMerged(t *testing.T) {
	for status, want := range map[string][]string{
		"486 Busy Here": {"SIP/2.0 100 Giving it a try", "INVITE " + bob + " SIP/2.0"},
		"200 OK":        {"SIP/2.0 482 Loop Detected"},
	} {
		b := newBed(t)
		b.take(request("INVITE", bob, "1"), overUDP)
		invite := b.want("SIP/2.0 100 Giving it a try", "INVITE "+bob+" SIP/2.0")[1]
		b.take(answer(t, invite, status), fromCallee)
		b.wire.sent = nil
		b.take(request("INVITE", bob, "2"), overUDP)
		b.want(want...)
	}
}

// There are no more transactions than there may be.
func TestBusy(t *testing.T) {
	b := newBed(t, func(c *Config) { c.Max = 1 })
	b.take(request("OPTIONS", bob, "1"), overUDP)
	b.take(request("OPTIONS", bob, "2", "CSeq: 2 OPTIONS"), overUDP)
	if out := b.want("SIP/2.0 503 Service Unavailable")[0]; header(t, out.text, "Retry-After") == "" {
		t.Error(out.text)
	}
	b.take(request("OPTIONS", bob, "1"), overUDP) // it has its place already
	b.want()
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
