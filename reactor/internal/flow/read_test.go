package flow

import (
	"io"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor/internal/codec"
	"sipreactor/reactor/internal/connection"
	"sipreactor/reactor/internal/deadlines"
	"sipreactor/reactor/internal/message"
	"sipreactor/reactor/internal/reason"
	"sipreactor/reactor/internal/sourcelimit"
	"sipreactor/reactor/internal/transport"
	"sipreactor/reactor/internal/waittest"
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
	if n, why := r.Stat.Malformed.Load(), r.all.Stat.Defects.Counts(); n != 1 || len(why) != 1 {
		t.Errorf("%d malformed messages: %v", n, why)
	}
}

// However much comes together with it.
func TestFramingIsLostInMuch(t *testing.T) {
	r := newRig(t)
	c, _ := r.plain()
	whole := request("OPTIONS", "a", "")
	r.Input(c, []byte("OPTIONS sip:a SIP/2.0\r\nContent-Length: x\r\n\r\n"+strings.Repeat(whole, 4000)))
	if same(t, "messages behind it", r.taken()); len(r.malformed) != 1 {
		t.Errorf("%d are malformed", len(r.malformed))
	}
}

// The peer's first bytes confirm what was written before: it is kept no more, and the peer is
// reached.
func TestFirstBytesConfirm(t *testing.T) {
	r := newRig(t)
	c, peer := r.plain()
	c.Src.Outbound = true
	r.all.Backoff.Limit = time.Hour
	r.all.Backoff.Failed(r.all.Now(), connection.KeyOf(&c.Target, c.Src.Remote, "", ""), false, connection.Destination(&c.Target), nil)
	c.Own.Unacked.Unconfirmed = true
	r.give(c, "hello", message.NewRequest)
	r.Flush(c)
	r.reads(peer, "hello")
	waittest.For(t, "it is known to be acknowledged", func() bool {
		out, _ := c.Own.Unacked.Ask(c.Own.Sock.Fd())
		return out == 0
	})
	if c.Own.Unacked.Empty() {
		t.Error("what the peer may have thrown away is not kept")
	}
	r.Input(c, []byte("\r\n"))
	if u := &c.Own.Unacked; u.Unconfirmed || !u.Empty() {
		t.Errorf("unconfirmed: %v, kept: %v", u.Unconfirmed, !u.Empty())
	}
	if n := r.all.Backoff.Len(); n != 0 {
		t.Errorf("%d destinations are left alone, with one of them speaking", n)
	}
}

// An engine that ends takes nothing more.
func TestInputIsIgnored(t *testing.T) {
	r := newRig(t)
	c, _ := r.plain()
	r.all.IgnoresInput.Store(true)
	r.Input(c, []byte(request("OPTIONS", "a", "")))
	same(t, "messages", r.taken())
}

// ending is a codec whose peer has said that it says nothing more.
type ending struct{ codec.Plain }

func (e *ending) Read([]byte) (int, error) { return 0, io.EOF }

// The word of a peer that it has ended is no fault.
func TestCloseNotify(t *testing.T) {
	r := newRig(t)
	c, _ := r.accepted(new(ending))
	r.Input(c, []byte("x"))
	if said := r.endsAs(c, reason.PeerClosed); !strings.Contains(said, "close_notify") {
		t.Error(said)
	}
}

// partial is a codec that has a part of a record.
type partial struct {
	codec.Plain
	whole bool
}

func (p *partial) Unfinished() bool { return !p.whole }

// A part of a record has the clock of a message, from when it began: behind what is whole that
// is later.
func TestRecordHasATime(t *testing.T) {
	r := newRig(t)
	k := new(partial)
	c, _ := r.accepted(k)
	r.Input(c, nil)
	first := c.Own.Waits.Due(deadlines.Message)
	if !c.Own.Waits.For(deadlines.Message) {
		t.Fatal("it is waited for for ever")
	}
	r.later(time.Minute)
	if r.Input(c, nil); c.Own.Waits.Due(deadlines.Message) != first {
		t.Error("its time begins anew with each byte")
	}
	if r.Input(c, []byte(request("OPTIONS", "a", ""))); c.Own.Waits.Due(deadlines.Message) <= first {
		t.Error("that of the next one has begun with the last")
	}
	first = c.Own.Waits.Due(deadlines.Message)
	r.later(time.Minute)
	if r.Input(c, []byte("\r\n\r\n")); c.Own.Waits.Due(deadlines.Message) <= first {
		t.Error("that of one behind a ping has begun with the last")
	}
	k.whole = true // and there was no message in it
	if r.Input(c, nil); c.Own.Waits.For(deadlines.Message) {
		t.Error("what is whole is waited for")
	}
}

// Bytes that are no message keep a connection, too.
func TestWhatKeepsAConnection(t *testing.T) {
	for what, in := range map[string]string{"a message": request("OPTIONS", "a", ""), "a ping": "\r\n\r\n", "an answer to one": "\r\n"} {
		r := newRig(t)
		r.all.Limits.Framing[transport.TCP].DropCRLF = true
		c, _ := r.plain()
		before := c.IdleDue(100)
		r.later(10 * time.Second)
		r.Seconds.Store(r.all.Seconds())
		if r.Input(c, []byte(in)); c.IdleDue(100) < before+9 {
			t.Errorf("%s does not", what)
		}
	}
}

// An answer ends a back-off, once a second for each connection.
func TestAnsweredFrom(t *testing.T) {
	r := newRig(t)
	c, _ := r.plain()
	r.all.Backoff.Limit = time.Hour
	fail := func() {
		r.all.Backoff.Failed(r.all.Now(), connection.KeyOf(&message.Target{Proto: c.Src.Proto}, c.Src.Remote, "", ""), false, connection.Destination(&c.Target), nil)
	}
	for _, tt := range []struct {
		later time.Duration
		left  int
	}{{0, 0}, {0, 1}, {2 * time.Second, 0}} {
		r.later(tt.later)
		r.Seconds.Store(r.all.Seconds())
		fail()
		if r.AnsweredFrom(c); r.all.Backoff.Len() != tt.left {
			t.Errorf("%d are left alone, want %d", r.all.Backoff.Len(), tt.left)
		}
	}
}

// What one source has of messages that are not complete has a bound, and counts until they are.
func TestUnfinishedOfASource(t *testing.T) {
	r := newRig(t)
	var sources sourcelimit.Table
	limits := &sourcelimit.Limits{Connections: 10, Unfinished: 1}
	part := request("OPTIONS", "a", "")
	one, _ := r.plain()
	two, _ := r.plain()
	for _, c := range []*connection.Conn{one, two} {
		if v := sources.Enter(&c.Own.Share, limits, c.Src.Remote.Addr(), false, 1); v != sourcelimit.Admitted {
			t.Fatal(v)
		}
	}
	for range 3 {
		r.Input(one, []byte(part[:10]))
		r.Input(one, []byte(part[10:]))
		if _, _, _, unfinished := sources.Totals(); unfinished != 0 {
			t.Fatalf("%d messages that are whole are not", unfinished)
		}
	}
	r.Input(one, []byte(part[:10]))
	r.lives(one, "within the bound")
	r.Input(two, []byte(part[:10]))
	if said := r.endsAs(two, reason.ConnectionLimit); !strings.Contains(said, "tcp_max_unfinished_per_source") {
		t.Errorf("%q names no parameter", said)
	}
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

// Each message has its own time, also where the next one begins in the same bytes, and an empty line's end has none.
func TestNextMessageHasItsTime(t *testing.T) {
	r := newRig(t)
	c, _ := r.plain()
	whole := request("INVITE", "a", "")
	r.Input(c, []byte(whole[:10]))
	first := c.Own.Waits.Due(deadlines.Message)
	r.later(time.Minute)
	if r.Input(c, []byte(whole[10:]+whole[:10])); c.Own.Waits.Due(deadlines.Message) < first+int64(time.Minute) {
		t.Error("its time has begun with the one before")
	}
	c, _ = r.plain()
	r.Input(c, []byte("\r\n\r"))
	if r.Input(c, []byte("\n")); c.Own.Waits.For(deadlines.Message) {
		t.Error("an empty line is waited for that is whole")
	}
}

// What is answered is unanswered no more.
func TestAnswersAreCounted(t *testing.T) {
	r := newRig(t)
	c, _ := r.plain()
	r.give(c, request("OPTIONS", "a", ""), message.NewRequest)
	r.Flush(c)
	before := r.Stat.Unanswered.Load()
	r.Input(c, []byte(response("200", "OPTIONS", "a")))
	if after := r.Stat.Unanswered.Load(); before != 1 || after != 0 {
		t.Errorf("%d are unanswered, and then %d", before, after)
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
	r.Input(c, []byte("@b SIP/2.0\r\nContent-Length: 0\r\n\r\n"))
	r.Input(c, []byte("INVITE sip:a")) // each message has its own
	r.later(r.all.Limits.MessageTime + time.Millisecond)
	r.Overdue(c)
	r.lives(c, "though the rest of the next has come")
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

// One that is whole with the last piece too many is not taken either.
func TestShreddedMessageIsNotTaken(t *testing.T) {
	r := newRig(t)
	c, _ := r.plain()
	whole := request("OPTIONS", "a", "")
	for i := range r.config.MaxChunks - 1 {
		r.Input(c, []byte(whole[i:i+1]))
	}
	r.lives(c, "within the limit")
	r.Input(c, []byte(whole[r.config.MaxChunks-1:]))
	same(t, "messages", r.taken(), whole)

	r.config.MaxChunks--
	for i := range r.config.MaxChunks {
		r.Input(c, []byte(whole[i:i+1]))
	}
	r.Input(c, []byte(whole[r.config.MaxChunks:]))
	same(t, "messages", r.taken())
	r.endsAs(c, reason.TooManyChunks)
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
