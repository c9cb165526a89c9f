package flow

import (
	"strings"
	"testing"
	"time"

	"sipreactor/reactor/internal/deadlines"
	"sipreactor/reactor/internal/reason"
)

// What one read brings is cut, handed on together, and the rest of it kept.
func TestReadIsCut(t *testing.T) {
	r := newRig(t)
	c, peer := r.plain()
	a, b := request("INVITE", "a", "v=0"), request("BYE", "b", "")
	r.Input(c, []byte(a+"\r\n\r\n"+b[:20]))
	same(t, "messages", r.taken(), a)
	if r.dispatched != 1 || !c.Own.Waits.For(deadlines.Message) {
		t.Errorf("%d times handed on, waits %v", r.dispatched, c.Own.Waits.For(deadlines.Message))
	}
	r.reads(peer, "\r\n") // the answer to the ping
	if n := c.Carried.MessagesOut.Load(); n != 0 {
		t.Errorf("%d messages have gone out", n)
	}
	r.Input(c, []byte(b[20:]))
	same(t, "messages", r.taken(), b)
	if c.Own.Waits.For(deadlines.Message) {
		t.Error("it waits for the rest of what is whole")
	}
	if r.Stat.Pings.Load() != 1 || c.Carried.MessagesIn.Load() != 2 {
		t.Errorf("%d pings, %d messages", r.Stat.Pings.Load(), c.Carried.MessagesIn.Load())
	}
}

// Behind what cannot be framed nothing is read any more.
func TestFramingIsLostForGood(t *testing.T) {
	r := newRig(t)
	c, _ := r.plain()
	whole := request("OPTIONS", "a", "")
	r.Input(c, []byte(whole+"OPTIONS sip:a SIP/2.0\r\nContent-Length: x\r\n\r\n"))
	same(t, "messages", r.taken(), whole)
	if len(r.malformed) != 1 || !c.Reading.Over() {
		t.Fatalf("malformed: %q, over: %v", r.malformed, c.Reading.Over())
	}
	r.Input(c, []byte(whole))
	same(t, "messages behind it", r.taken())
}

// The message's clock runs from its first byte, and other messages do not stop it.
func TestMessageHasATime(t *testing.T) {
	r := newRig(t)
	c, _ := r.plain()
	long := request("INVITE", "a", strings.Repeat("x", 100))
	r.Input(c, []byte(long[:10]))
	r.later(r.all.Limits.MessageTime / 2)
	r.Input(c, []byte(long[10:20]))
	r.Overdue(c)
	r.lives(c, "before its time")
	r.later(r.all.Limits.MessageTime/2 + time.Minute)
	r.Overdue(c)
	if said := r.endsAs(c, reason.MessageTimeout); !strings.Contains(said, "tcp_max_msg_time") {
		t.Errorf("%q names no parameter", said)
	}
}

// A message whose rest is in the kernel has a moment more, once: it is we who are late.
func TestRestInTheKernel(t *testing.T) {
	r := newRig(t)
	c, peer := r.plain()
	r.Input(c, []byte("INVITE sip:a"))
	if _, err := peer.Write([]byte("@b SIP/2.0\r\n")); err != nil {
		t.Fatal(err)
	}
	r.later(r.all.Limits.MessageTime + time.Millisecond)
	r.Overdue(c)
	r.lives(c, "though its rest has come")
	r.later(time.Minute)
	r.Overdue(c)
	r.endsAs(c, reason.MessageTimeout)
}

// A peer that shreds its messages is given up.
func TestChunksAreCounted(t *testing.T) {
	r := newRig(t)
	c, _ := r.plain()
	for i := range r.config.MaxChunks {
		r.Input(c, []byte("x"))
		if i < r.config.MaxChunks-1 {
			r.lives(c, "within the limit")
		}
	}
	r.Input(c, []byte("x"))
	if said := r.endsAs(c, reason.TooManyChunks); !strings.Contains(said, "tcp_max_msg_chunks") {
		t.Errorf("%q names no parameter", said)
	}
}

// An idle connection ends with its lifetime, one that is kept later, one that says
// something later still.
func TestIdle(t *testing.T) {
	r := newRig(t)
	kept, _ := r.plain()
	kept.KeepFor(time.Duration(2*r.all.Limits.Lifetime) * time.Second)
	idle, _ := r.plain()
	busy, _ := r.plain()
	r.later(time.Duration(r.all.Limits.Lifetime-60) * time.Second)
	r.Tick()
	r.lives(idle, "before its lifetime")
	r.Input(busy, []byte("\r\n\r\n"))
	r.later(62 * time.Second)
	r.Tick()
	r.endsAs(idle, reason.IdleTimeout)
	r.lives(kept, "as long as it is kept")
	r.lives(busy, "a while behind what its peer said")
}

// A panic over one connection ends that one.
func TestPanicEndsItsConnection(t *testing.T) {
	r := newRig(t)
	other, _ := r.plain()
	c, _ := r.accepted(&broken{})
	r.Input(c, []byte("x"))
	r.endsAs(c, reason.EngineFailed)
	if len(r.crashes) != 1 {
		t.Errorf("%v are told", r.crashes)
	}
	r.Input(other, []byte(request("OPTIONS", "a", "")))
	same(t, "messages of the other", r.taken(), request("OPTIONS", "a", ""))
}
