package transaction

import (
	"strings"
	"testing"
	"time"

	"sipreactor/reactor"
)

// Who rings behind fr_timeout is canceled, and who fails behind it acknowledged, as long as its INVITE may still be on its
// way: nobody else would tell it.
func TestHeardBehindTimeout(t *testing.T) {
	for _, proto := range []string{"", ";transport=tcp"} {
		b := newBed(t, func(c *Config) { c.Timing = DefaultTiming(); c.Timing.NoAnswer = 2 * time.Second })
		if proto != "" {
			b.layer.proxy.SetSockets([]*reactor.Socket{tlsSocket, udpSocket, {Proto: reactor.TCP, Addr: udpSocket.Addr}})
		}
		uri := bob + proto
		b.take(request("INVITE", uri, "1"), overTLS)
		invite := b.want("SIP/2.0 100 Giving it a try", "INVITE "+uri+" SIP/2.0")[1]
		b.pass(1999 * time.Millisecond)
		b.wire.sent = nil
		b.pass(10 * time.Millisecond)
		b.want("SIP/2.0 408 Request Timeout")
		b.take(request("ACK", uri, "1"), overTLS)
		b.pass(3 * time.Second)
		b.want()
		b.take(answer(t, invite, "180 Ringing"), fromCallee)
		cancel := b.want("CANCEL " + uri + " SIP/2.0")[0]
		b.take(answer(t, invite, "180 Ringing"), fromCallee)
		b.take(answer(t, cancel, "200 OK"), fromCallee)
		b.want()
		b.take(answer(t, invite, "487 Request Terminated"), fromCallee)
		b.want("ACK " + uri + " SIP/2.0")
	}
	r := newRig(t, true, false) // that of timer B is the end
	r.timing.NoAnswer = 2 * time.Second
	first := r.branch(false)
	r.pass(31 * time.Second)
	r.log = nil
	r.response(first, 486)
	r.want("31s ack 0")
	r.tx.Acknowledged(r.now)

	r = newRig(t, true, false)
	r.timing.NoAnswer = 2 * time.Second
	first = r.branch(false)
	r.pass(33 * time.Second)
	r.log = nil
	r.response(first, 180)
	r.response(first, 486)
	r.want()
}

// What an address says that was given up for the next one: who repeats its final response is acknowledged where it is, who rings
// only then is canceled there, and whose 2xx comes has the call; the next one's phone falls silent.
func TestFormerAddress(t *testing.T) {
	const uri = "sip:bob@two.example.org"
	start := func(t *testing.T) (b *bed, one, two sent) {
		b = newBed(t, func(c *Config) { c.Timing = DefaultTiming(); c.Timing.NoAnswer = 2 * time.Second })
		b.take(request("INVITE", uri, "1"), overTLS)
		return b, b.want("SIP/2.0 100 Giving it a try", "INVITE "+uri+" SIP/2.0")[1], sent{}
	}
	isFor := func(t *testing.T, got, invite sent) {
		t.Helper()
		if header(t, got.text, "Via") != header(t, invite.text, "Via") || got.to.Addr != fromCallee.Remote || got.to.Socket != udpSocket {
			t.Errorf("not for %s:\n%s", invite.text, got.text)
		}
	}
	t.Run("repeats", func(t *testing.T) {
		b, one, _ := start(t)
		b.take(answer(t, one, "503 Service Unavailable"), fromCallee)
		b.want("ACK "+uri+" SIP/2.0", "INVITE "+uri+" SIP/2.0")
		for range 2 {
			b.take(answer(t, one, "503 Service Unavailable"), fromCallee)
			isFor(t, b.want("ACK " + uri + " SIP/2.0")[0], one)
		}
		b.pass(5 * time.Second)
		b.take(request("ACK", uri, "1"), overTLS)
	})
	second := func(t *testing.T, b *bed) sent {
		b.pass(2100 * time.Millisecond)
		two := b.wire.sent[len(b.wire.sent)-1]
		b.wire.sent = nil
		return two
	}
	t.Run("rings", func(t *testing.T) {
		b, one, _ := start(t)
		two := second(t, b)
		if one.to.Addr == two.to.Addr || header(t, one.text, "Via") == header(t, two.text, "Via") {
			t.Fatal("it was not tried again")
		}
		noted := strings.Replace(answer(t, one, "180 Ringing"), ";at=", ";received=192.0.2.1;at=", 1)
		b.take(noted, fromCallee)
		cancel := b.want("CANCEL " + uri + " SIP/2.0")[0]
		isFor(t, cancel, one)
		b.take(answer(t, cancel, "200 OK"), fromCallee)
		b.want()
		b.take(answer(t, one, "487 Request Terminated"), fromCallee)
		isFor(t, b.want("ACK " + uri + " SIP/2.0")[0], one)
		b.take(answer(t, two, "486 Busy Here"), fromCallee)
		b.want("ACK "+uri+" SIP/2.0", "SIP/2.0 486 Busy Here")
		b.take(request("ACK", uri, "1"), overTLS)
	})
	t.Run("answers", func(t *testing.T) {
		b, one, _ := start(t)
		two := second(t, b)
		b.take(answer(t, two, "180 Ringing"), fromCallee)
		b.want("SIP/2.0 180 Ringing")
		b.take(answer(t, one, "200 OK"), fromCallee)
		got := b.want("SIP/2.0 200 OK", "CANCEL "+uri+" SIP/2.0")
		if header(t, got[1].text, "Via") != header(t, two.text, "Via") {
			t.Errorf("the CANCEL is for another: %s", got[1].text)
		}
		b.take(answer(t, one, "200 OK"), fromCallee)
		b.want("SIP/2.0 200 OK")
		b.take(answer(t, got[1], "200 OK"), fromCallee)
		b.take(answer(t, two, "487 Request Terminated"), fromCallee)
		b.want("ACK " + uri + " SIP/2.0")
	})
}

// A CANCEL that is repeated while a route waits fills no queue, and cancels once.
func TestCanceledAgainWhileARouteWaits(t *testing.T) {
	b := newBed(t)
	told := 0
	b.layer.Listen(func(h *Happening) {
		if h.What == Canceled {
			told++
		}
	})
	other := b.layer.proxy.NewContext(b.wire)
	waits := 0
	b.request = func(c ctx) {
		if string(c.Msg.MethodName()) == "INVITE" {
			x, err := b.layer.Begin(c)
			if err != nil {
				t.Error(err)
			}
			c.Wait(func() {
				for range 200 {
					other.Receive([]byte(request("CANCEL", bob, "1", "Reason: SIP;cause=200")), overUDP)
				}
				waits = len(x.queue)
			})
		}
		b.relay(c)
	}
	b.take(request("INVITE", bob, "1"), overUDP)
	if waits != 1 {
		t.Errorf("%d events wait", waits)
	}
	b.take(request("CANCEL", bob, "1"), overUDP)
	if told != 1 {
		t.Errorf("canceled %d times", told)
	}
	b.wire.sent = nil
	b.take(request("ACK", bob, "1"), overUDP)
	b.want()
}

// A branch that was canceled is not tried at another address.
func TestCanceledBranchIsNotRetried(t *testing.T) {
	for _, code := range []int{0, 100} {
		r := newRig(t, true, true)
		r.retry = func(*Branch) bool { t.Error("tried again"); return false }
		b := r.branch(true)
		if code > 0 {
			r.response(b, code)
		}
		r.tx.CancelBranch(r.now, b)
		if code > 0 {
			r.response(b, 503)
		} else {
			r.pass(31 * time.Second)
		}
		if got := r.log[len(r.log)-1]; !strings.Contains(got, "answer") {
			t.Errorf("%q", r.log)
		}
	}
}

// Who waits for branches in a failure_route gets them as a fork of their own, or at the end of the wait what there was.
func TestWaitsBehindAFailure(t *testing.T) {
	r := newRig(t, true, true)
	r.failed = func(*Branch) { r.tx.Wait(r.now, 1) }
	b := r.branch(true)
	r.response(b, 486)
	r.want("0s request 0", "0s ack 0")
	r.pass(10 * time.Second)
	other := r.branch(true)
	r.tx.Wait(r.now, 0)
	r.response(other, 480)
	r.want("10s request 1", "10s ack 1", "10s answer 1 480")

	r = newRig(t, true, true)
	r.failed = func(*Branch) { r.tx.Wait(r.now, 1) }
	b = r.branch(true)
	r.response(b, 486)
	r.pass(120 * time.Second)
	r.want("0s request 0", "0s ack 0", "2m0s answer 0 486")

	r = newRig(t, true, true) // a 6xx has ended the search
	r.tx.Block6xx = true
	r.failed = func(*Branch) { r.tx.Wait(r.now, 1) }
	b = r.branch(true)
	r.response(b, 603)
	r.want("0s request 0", "0s ack 0", "0s answer 0 603")

	r = newRig(t, true, true) // what is answered waits for nothing
	r.tx.Respond(0, 486)
	r.tx.Wait(0, 1)
	r.tx.Acknowledged(0)
	r.wantGone(true)

	r = newRig(t, true, true) // and what ends otherwise leaves no timer
	r.tx.Wait(0, 1)
	r.tx.Undelivered(0)
	r.wantGone(true)
}
