package transaction

import (
	"errors"
	"slices"
	"testing"
	"time"

	"sipreactor/reactor"
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

// A remnant's end waits for who holds it.
func TestRemnantIsHeld(t *testing.T) {
	b := newBed(t)
	b.take(request("INVITE", bob, "1"), overUDP)
	b.take(answer(t, b.want("SIP/2.0 100 Giving it a try", "INVITE "+bob+" SIP/2.0")[1], "200 OK"), fromCallee)
	b.want("SIP/2.0 200 OK")
	r := b.layer.table.pages[0].Load()[0].left.Load()
	r.held.Store(true)
	b.pass(40 * time.Second)
	b.left(true)
	r.held.Store(false)
	b.pass(2 * remnantPatience)
	b.left(false)
}

// An INVITE that has its 2xx leaves a remnant: repetitions of either side, a CANCEL, calls by handle, and its end.
func TestRemnantOfInvite(t *testing.T) {
	for name, keeps := range map[string]bool{"plain": false, "with an onreply_route": true} {
		t.Run(name, func(t *testing.T) {
			b := newBed(t)
			heard := 0
			if keeps {
				b.onResponse = func(_ ctx, x *Exchange, leg *Leg) bool {
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

// What modules keep with a transaction, and those who listen, have it while it is a remnant: they are told once that it is
// over, and then of a 2xx that comes again.
func TestRemnantIsListenedTo(t *testing.T) {
	b := newBed(t)
	var told []Occasion
	stop := b.layer.Listen(func(h *Happening) { // of all: it is no reason to keep more
		if h.What == Over {
			told = append(told, h.What)
		}
	})
	defer stop()
	key := new(int)
	own := 0
	b.branch = func(_ ctx, x *Exchange, _ *Leg) bool {
		x.Attach(key, "the module's")
		x.Listen(func(h *Happening) {
			own++
			if h.Exchange.Attachment(key) != "the module's" || h.Exchange.Source() != overUDP {
				t.Errorf("%v of %v: %v", h.What, h.Exchange.Source(), h.Exchange.Attachment(key))
			}
			if h.What == ResponseIn || h.What == Answered {
				told = append(told, h.What)
			}
		})
		return false
	}
	b.take(request("INVITE", bob, "1"), overUDP)
	invite := b.want("SIP/2.0 100 Giving it a try", "INVITE "+bob+" SIP/2.0")[1]
	b.take(answer(t, invite, "200 OK"), fromCallee)
	b.want("SIP/2.0 200 OK")
	b.left(true)
	b.take(answer(t, invite, "200 OK"), fromCallee)
	b.want("SIP/2.0 200 OK")
	b.left(true)
	if want := []Occasion{ResponseIn, Answered, Over, ResponseIn, Answered}; !slices.Equal(told, want) {
		t.Errorf("told %v, want %v", told, want)
	}
	before := own
	b.pass(33 * time.Second)
	if b.layer.Live() != 0 || own != before || len(told) != 5 {
		t.Errorf("%d are left, told %d times of the end; %v", b.layer.Live(), own-before, told)
	}
	b.branch = nil
	b.take(request("OPTIONS", bob, "2"), overUDP) // the next one has nothing of it
	out := b.want("OPTIONS " + bob + " SIP/2.0")[0]
	b.take(answer(t, out, "200 OK"), fromCallee)
	b.want("SIP/2.0 200 OK")
	b.left(true)
	if own != before || len(told) != 6 {
		t.Errorf("told of another's: %d times, %v", own-before, told)
	}
}

// A response that cannot be repeated is counted, whether the request came again or a timer has it repeated.
func TestRepeatsThatAreNotSentAreCounted(t *testing.T) {
	count := func(b *bed) uint64 { return b.layer.proxy.Count(proxy.ResponsesUndelivered) }
	refuse := func(*reactor.Target, string) error { return errors.New("there is no way") }
	b := newBed(t)
	b.take(request("OPTIONS", bob, "1"), overUDP)
	b.take(answer(t, b.want("OPTIONS " + bob + " SIP/2.0")[0], "404 Not Found"), fromCallee)
	b.want("SIP/2.0 404 Not Found")
	b.pass(time.Second)
	b.left(true)
	b.refuse = refuse
	b.take(request("OPTIONS", bob, "1"), overUDP)
	if n := count(b); n != 1 {
		t.Errorf("of a remnant %d are counted", n)
	}

	b = newBed(t)
	b.take(request("INVITE", bob, "1"), overUDP)
	b.take(answer(t, b.want("SIP/2.0 100 Giving it a try", "INVITE "+bob+" SIP/2.0")[1], "486 Busy Here"), fromCallee)
	b.refuse = refuse
	b.take(request("INVITE", bob, "1"), overUDP)
	if n := count(b); n != 1 {
		t.Errorf("of a transaction %d are counted", n)
	}
	b.pass(600 * time.Millisecond) // T1
	if n := count(b); n != 2 {
		t.Errorf("with that of the timer %d are counted", n)
	}
	b.refuse = nil
}
