package transaction

import (
	"testing"
	"time"

	"sipreactor/reactor/proxy"
)

// left checks whether the only transaction has become a remnant.
func (b *bed) left(want bool) {
	b.Helper()
	exchanges, remnants := 0, 0
	for i := range b.layer.table.pages[0].Load() {
		p := &b.layer.table.pages[0].Load()[i]
		if p.x.Load() != nil {
			exchanges++
		}
		if p.left.Load() != nil {
			remnants++
		}
	}
	if got := exchanges == 0 && remnants == 1; got != want {
		b.Errorf("%d exchanges and %d remnants; a remnant: %v", exchanges, remnants, want)
	}
}

// An INVITE that has its 2xx leaves a remnant: repetitions of either side, a CANCEL, calls by handle, and its end.
func TestRemnantOfInvite(t *testing.T) {
	for name, keeps := range map[string]bool{"plain": false, "with an onreply_route": true} {
		t.Run(name, func(t *testing.T) {
			b := newBed(t)
			heard := 0
			if keeps {
				b.onReply = func(_ ctx, x *Exchange, leg *Leg) bool {
					if heard++; heard > 1 && (x.Attached != "the script's" || leg.Attached != "the branch's") {
						t.Errorf("kept %v and %v", x.Attached, leg.Attached)
					}
					x.Attached, leg.Attached = "the script's", "the branch's"
					return false
				}
			}
			b.take(request("INVITE", bob, "1"), overUDP)
			invite := b.want("SIP/2.0 100 Giving it a try", "INVITE "+bob+" SIP/2.0")[1]
			b.take(answer(t, invite, "180 Ringing"), fromCallee)
			b.left(false)
			b.take(answer(t, invite, "200 OK"), fromCallee)
			b.want("SIP/2.0 200 OK")
			b.left(true)

			b.take(answer(t, invite, "200 OK"), fromCallee)
			b.want("SIP/2.0 200 OK")
			b.take(answer(t, invite, "180 Ringing"), fromCallee)
			b.take(answer(t, invite, "486 Busy Here"), fromCallee)
			b.take(request("INVITE", bob, "1"), overUDP)
			b.want()
			b.take(request("CANCEL", bob, "1"), overUDP)
			b.want("SIP/2.0 200 canceling")
			b.take(request("INVITE", bob, "2"), overUDP)
			b.want("SIP/2.0 482 Loop Detected")
			done := false
			h := b.layer.table.pages[0].Load()[0].left.Load().handle()
			if !b.layer.Do(b.ctx, h, func(x *Exchange, _ *proxy.Context) { done = x.Status() == 200 && x.Handle() == h }) || !done {
				t.Error("a call by handle does not reach it")
			}
			b.left(true)
			if keeps && heard != 3 {
				t.Errorf("the onreply_route ran %d times, want 3", heard)
			}
			b.pass(31 * time.Second)
			b.left(true)
			b.pass(2 * time.Second)
			if b.layer.Live() != 0 {
				t.Error("it is there for longer than 64*T1")
			}
		})
	}
}

// A request that is no INVITE and came by UDP leaves its answer.
func TestRemnantAnswersAgain(t *testing.T) {
	b := newBed(t)
	b.take(request("OPTIONS", bob, "1"), overUDP)
	out := b.want("OPTIONS " + bob + " SIP/2.0")[0]
	b.take(answer(t, out, "404 Not Found"), fromCallee)
	first := b.want("SIP/2.0 404 Not Found")[0]
	b.pass(time.Second)
	b.left(true)
	b.take(request("OPTIONS", bob, "1"), overUDP)
	if again := b.want("SIP/2.0 404 Not Found")[0]; again.text != first.text || again.to != first.to {
		t.Errorf("%v %s\nat first %v %s", again.to, again.text, first.to, first.text)
	}
	b.pass(5 * time.Second)
	if b.layer.Live() != 0 {
		t.Error("it is there for longer than wt_timer")
	}
}

// What has more to do stays as it is: another branch, a listener.
func TestNoRemnant(t *testing.T) {
	b := newBed(t)
	b.branch = func(_ ctx, x *Exchange, _ *Leg) bool {
		if x.branches == nil {
			x.Listen(func(*Happening) {})
		}
		return false
	}
	b.take(request("INVITE", bob, "1"), overTLS)
	invite := b.want("SIP/2.0 100 Giving it a try", "INVITE "+bob+" SIP/2.0")[1]
	b.take(answer(t, invite, "200 OK"), fromCallee)
	b.want("SIP/2.0 200 OK")
	b.left(false)
}
