package transaction

import (
	"strings"
	"testing"
	"time"

	"sipreactor/reactor/proxy"
	"sipreactor/sipframe"
)

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

// A CANCEL's reason is that of its client, in one line, unless the script has given another, which is no other CANCEL's.
func TestCancelReason(t *testing.T) {
	b := newBed(t)
	said := func(id string, more ...string) string {
		t.Helper()
		more = append(more, "Call-ID: "+id)
		b.take(request("INVITE", bob, id, "Call-ID: "+id), overTLS)
		b.take(answer(t, b.wire.sent[len(b.wire.sent)-1], "180 Ringing"), fromCallee)
		b.wire.sent = nil
		b.take(request("CANCEL", bob, id, more...), overTLS)
		for _, s := range b.wire.sent {
			if strings.HasPrefix(s.text, "CANCEL ") {
				return header(t, s.text, "Reason")
			}
		}
		t.Fatalf("no CANCEL: %v", b.wire.sent)
		return ""
	}
	if got := said("folded", "Reason: SIP;cause=200\r\n ;text=\"x\""); got != `SIP;cause=200   ;text="x"` {
		t.Errorf("%q", got)
	}
	ours := true
	b.request = func(c ctx) {
		if c.Msg.Method() == sipframe.CANCEL && ours {
			if err := b.layer.SetCancelReason(c, []byte("Reason: Q.850;cause=16\r\n")); err != nil {
				t.Error(err)
			}
		}
		b.relay(c)
	}
	if got := said("ours", "Reason: SIP;cause=200"); got != "Q.850;cause=16" {
		t.Errorf("%q", got)
	}
	ours = false
	if got := said("theirs", "Reason: SIP;cause=200"); got != "SIP;cause=200" {
		t.Errorf("%q", got)
	}
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
