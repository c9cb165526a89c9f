package transaction

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// Peers of RFC 2543 have no magic cookie in their branches, or no branch: their messages are matched by what they have in
// common (RFC 3261 17.2.3).
func TestOldPeers(t *testing.T) {
	for name, via := range map[string]string{
		"a branch without the cookie": "Via: SIP/2.0/UDP 198.51.100.7:40002;branch=1",
		"no branch":                   "Via: SIP/2.0/UDP 198.51.100.7:40002",
	} {
		b := newBed(t)
		b.take(request("INVITE", bob, "1", via), overUDP)
		invite := b.want("SIP/2.0 100 Giving it a try", "INVITE "+bob+" SIP/2.0")[1]
		b.take(request("INVITE", bob, "1", via), overUDP)
		if out := b.want("SIP/2.0 100 Giving it a try"); len(out) != 1 {
			t.Errorf("%s: a retransmission is not absorbed", name)
		}
		b.take(request("INVITE", "sip:carol@203.0.113.9", "1", via, "Call-ID: another"), overUDP)
		b.want("SIP/2.0 100 Giving it a try", "INVITE sip:carol@203.0.113.9 SIP/2.0")
		b.take(answer(t, invite, "180 Ringing"), fromCallee)
		b.want("SIP/2.0 180 Ringing")
		b.take(request("CANCEL", bob, "1", via), overUDP)
		b.want("SIP/2.0 200 canceling", "CANCEL "+bob+" SIP/2.0")
		b.take(answer(t, invite, "487 Request Terminated"), fromCallee)
		final := b.want("ACK "+bob+" SIP/2.0", "SIP/2.0 487 Request Terminated")[1]
		b.take(request("ACK", bob, "1", via, "To: "+header(t, final.text, "To")), overUDP)
		b.want()
		if rc := b.rc[len(b.rc)-1]; rc != Relayed {
			t.Errorf("%s: t_relay of the ACK returned %d", name, rc)
		}
	}
}

// What old peers write into CANCEL and ACK need not be what was in their INVITE, if the configuration says so: another
// Request-URI, another Via. Peers of RFC 3261 are matched as ever.
func TestOldPeersOfOtherMinds(t *testing.T) {
	const via, otherVia, carol = "Via: SIP/2.0/UDP 198.51.100.7:40002;branch=1", "Via: SIP/2.0/UDP 198.51.100.7:40002;branch=2", "sip:carol@203.0.113.9"
	for _, tt := range []struct {
		cfg              Config
		uri, via, cancel string
		matches          bool
	}{
		{Config{}, carol, via, via, false},
		{Config{AnyURI: true}, carol, via, via, true},
		{Config{AnyURI: true}, carol, via, otherVia, false},
		{Config{AnyVia: true}, bob, via, otherVia, true},
		{Config{AnyVia: true}, carol, via, otherVia, false},
		{Config{AnyURI: true, AnyVia: true}, carol, via, otherVia, true},
		{Config{AnyURI: true, AnyVia: true}, bob, via + "z", via + "z", true},
		{Config{AnyVia: true}, bob, "Via: SIP/2.0/UDP 198.51.100.7:40002;branch=z9hG4bKa", "Via: SIP/2.0/UDP 198.51.100.7:40002;branch=z9hG4bKb", false},
	} {
		b := newBed(t)
		b.layer.Configure(tt.cfg)
		b.take(request("INVITE", bob, "1", tt.via), overUDP)
		invite := b.want("SIP/2.0 100 Giving it a try", "INVITE "+bob+" SIP/2.0")[1]
		b.take(answer(t, invite, "180 Ringing"), fromCallee)
		b.want("SIP/2.0 180 Ringing")
		b.take(request("CANCEL", tt.uri, "1", tt.cancel), overUDP)
		if got := len(b.wire.sent) > 0 && strings.HasPrefix(b.wire.sent[0].text, "SIP/2.0 200 canceling"); got != tt.matches {
			t.Errorf("%+v: %v", tt, got)
		}
	}
}

// A route that waits keeps its transaction's order: what comes meanwhile is handled behind it, and holds up nobody.
func TestOrderWhileARouteWaits(t *testing.T) {
	b := newBed(t)
	other := b.layer.proxy.NewContext(b.wire)
	b.request = func(c ctx) {
		if string(c.Msg.MethodName()) == "INVITE" && c.Msg.FindName([]byte("X-Waits")) >= 0 {
			if _, err := b.layer.Begin(c); err != nil {
				return // it is the retransmission
			}
			c.Wait(func() {
				other.Receive([]byte(request("INVITE", bob, "1", "X-Waits: 1")), overUDP) // a retransmission
				other.Receive([]byte(request("CANCEL", bob, "1")), overUDP)
				other.Receive([]byte(request("OPTIONS", "sip:carol@203.0.113.9", "2", "Call-ID: another")), overUDP)
			})
		}
		b.relay(c)
	}
	b.take(request("INVITE", bob, "1", "X-Waits: 1"), overUDP)
	var got []string
	for _, s := range b.wire.sent {
		line, _, _ := strings.Cut(s.first(), " sip:")
		got = append(got, line)
	}
	// The CANCEL's 200 and another transaction's request wait for nobody; the INVITE does not go out any more, and what
	// the retransmission gets comes behind the 487.
	const final = "SIP/2.0 487 Request Terminated"
	if want := "SIP/2.0 100 Giving it a try|SIP/2.0 200 canceling|OPTIONS|" + final + "|" + final; strings.Join(got, "|") != want {
		t.Errorf("sent %q", got)
	}
	if rc := b.rc[len(b.rc)-1]; rc != NoDestination {
		t.Errorf("t_relay returned %d", rc)
	}
	b.wire.sent = nil
	b.take(request("ACK", bob, "1"), overUDP)
	b.want()
}

// An open INVITE is found by its Call-ID and CSeq number, by an index or without; one that is answered is not.
func TestFindInvite(t *testing.T) {
	for _, indexed := range []bool{false, true} {
		b := newBed(t, func(c *Config) { c.ByCallID = indexed })
		var invite sent
		for i := range 3 {
			id := "Call-ID: f" + string('0'+byte(i))
			out := b.take(request("INVITE", bob, id[9:], id), overUDP)
			if i == 1 {
				invite = out[len(out)-1]
			}
		}
		h := b.layer.FindInvite([]byte("f1"), 1)
		if h == 0 || b.layer.FindInvite([]byte("f1"), 2) != 0 || b.layer.FindInvite([]byte("f9"), 1) != 0 || h == b.layer.FindInvite([]byte("f2"), 1) {
			t.Errorf("indexed %v: found %x", indexed, h)
		}
		b.take(answer(t, invite, "200 OK"), fromCallee)
		if h := b.layer.FindInvite([]byte("f1"), 1); h != 0 {
			t.Errorf("indexed %v: it is found when it is answered: %x", indexed, h)
		}
		b.take(request("INVITE", bob, "f9", "Call-ID: f9"), overTLS)
		out := b.take(answer(t, b.wire.sent[len(b.wire.sent)-1], "486 Busy Here"), fromCallee)
		b.take(request("ACK", bob, "f9", "Call-ID: f9"), overTLS)
		b.pass(time.Minute)
		if h := b.layer.FindInvite([]byte("f9"), 1); h != 0 {
			t.Errorf("indexed %v: it is found when it is over: %x, %v", indexed, h, out)
		}
	}
}

// One of ours is found, too, to be canceled, and by nobody who looks for a client's.
func TestFindOwnInvite(t *testing.T) {
	for _, indexed := range []bool{false, true} {
		b := newBed(t, func(c *Config) { c.ByCallID = indexed })
		codes := []int{}
		_, err := b.layer.Originate(b.ctx, &Request{Method: "INVITE", URI: []byte(bob), From: []byte("<sip:a@x>"), To: []byte("<sip:b@y>"), CallID: []byte("ours"), CSeq: 7,
			Done: func(o *Outcome) { codes = append(codes, o.Code) }})
		if err != nil {
			t.Fatal(err)
		}
		invite := b.want("INVITE " + bob + " SIP/2.0")[0]
		b.take(answer(t, invite, "180 Ringing"), fromCallee)
		h := b.layer.FindOwnInvite([]byte("ours"), 7)
		if h == 0 || b.layer.FindInvite([]byte("ours"), 7) != 0 || b.layer.FindOwnInvite([]byte("ours"), 8) != 0 {
			t.Fatalf("found %x", h)
		}
		b.layer.Do(b.ctx, h, func(x *Exchange, _ ctx) { x.CancelAll() })
		cancel := b.want("CANCEL " + bob + " SIP/2.0")[0]
		b.take(answer(t, cancel, "200 OK"), fromCallee)
		b.take(answer(t, invite, "487 Request Terminated"), fromCallee)
		b.want("ACK " + bob + " SIP/2.0")
		if fmt.Sprint(codes) != "[180 487]" {
			t.Errorf("told of %v", codes)
		}
		b.pass(200 * time.Second)
		if b.layer.FindOwnInvite([]byte("ours"), 7) != 0 {
			t.Error("it is found behind its end")
		}
	}
}

// A route that panics over an ACK leaves nothing behind for the next one.
func TestAckBehindAPanic(t *testing.T) {
	b := newBed(t)
	b.request = func(c ctx) {
		if c.Msg.FindName([]byte("X-Panic")) >= 0 {
			panic("a mistake")
		}
		b.relay(c)
	}
	invite := b.take(request("INVITE", bob, "1"), overTLS)[1]
	final := b.take(answer(t, invite, "486 Busy Here"), fromCallee)[1]
	func() {
		defer func() { _ = recover() }()
		b.take(request("ACK", bob, "1", "X-Panic: 1", "To: "+header(t, final.text, "To")), overTLS)
	}()
	invite = b.take(request("INVITE", bob, "2", "CSeq: 2 INVITE"), overTLS)[1]
	ok := b.take(answer(t, invite, "200 OK"), fromCallee)[0]
	b.take(request("ACK", bob, "3", "CSeq: 2 ACK", "To: "+header(t, ok.text, "To")), overTLS)
	b.want("ACK " + bob + " SIP/2.0")
}
