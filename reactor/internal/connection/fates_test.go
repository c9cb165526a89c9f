package connection

import (
	"log/slog"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/connlog"
	"sipreactor/reactor/internal/event"
	"sipreactor/reactor/internal/figures"
	"sipreactor/reactor/internal/message"
	"sipreactor/reactor/internal/phase"
	"sipreactor/reactor/internal/reason"
	"sipreactor/reactor/internal/sendqueue"
	"sipreactor/reactor/internal/transport"
	"sipreactor/tlsstate"
)

// common is what connections of a test have in common, and what they gave back.
type common struct {
	Common
	back []string
}

func newCommon() *common {
	a := new(common)
	a.Born, a.Observer, a.Log = time.Now(), event.Nobody{}, connlog.New(slog.New(slog.DiscardHandler))
	a.Schedule = func() {}
	a.Backoff.Limit = time.Minute
	a.GiveBack = func(_ *Conn, text []byte, _ any, _ *reason.Error) { a.back = append(a.back, string(text)) }
	return a
}

// in puts a connection into a phase of its life.
func (a *common) in(c *Conn, at phase.Phase) *Conn {
	c.Common, c.Loop, c.Config = &a.Common, new(loop), &transport.StreamConfig{Async: true, MaxPostponed: 1}
	c.life.Begin(at)
	a.Table.Add(c)
	return c
}

// loop is one that has a connection, and notes what it is asked.
type loop struct {
	figures.LoopCounters
	asked []uint32
}

func (l *loop) Post(_ *Conn, what uint32)       { l.asked = append(l.asked, what) }
func (l *loop) Counters() *figures.LoopCounters { return &l.LoopCounters }

// A connection lives on until the last second that it is kept for, which a shorter time does not change.
func TestKeepFor(t *testing.T) {
	a := newCommon()
	c := a.in(peerConn("192.0.2.1:5061", false, nil), phase.Established)
	for _, step := range []struct {
		keep time.Duration
		due  int64
	}{{time.Millisecond, 1}, {10 * time.Second, 10}, {2 * time.Second, 10}, {10*time.Second + 1, 11}} {
		if c.KeepFor(step.keep); c.IdleDue(0) != step.due {
			t.Errorf("kept for %v: until %d, want %d", step.keep, c.IdleDue(0), step.due)
		}
	}
	if c.Alive(20); c.IdleDue(5) != 25 {
		t.Errorf("active in 20: until %d", c.IdleDue(5))
	}
}

// Where we dialled less time is left to what is not acknowledged, unless it is configured.
func TestUserTimeout(t *testing.T) {
	var l Limits
	in, out := &message.Source{}, &message.Source{Outbound: true}
	if got := [2]time.Duration{l.Unacknowledged(in), l.Unacknowledged(out)}; got != [2]time.Duration{userTimeoutIn, userTimeoutOut} {
		t.Errorf("%v", got)
	}
	l.UserTimeout = time.Minute
	if l.Unacknowledged(in) != time.Minute || l.Unacknowledged(out) != time.Minute {
		t.Error("it is not the one that is configured")
	}
}

// A connection that nobody waits for is not under way.
func TestUnderWay(t *testing.T) {
	a := newCommon()
	a.in(peerConn("192.0.2.1:1", false, nil), phase.Handshaking)
	a.in(peerConn("192.0.2.1:2", true, nil), phase.Connecting) // a probe
	dialled := a.in(peerConn("192.0.2.1:3", true, nil), phase.Connecting)
	dialled.First(message.Bytes("hi"), &message.Target{}, nil)
	up := a.in(peerConn("192.0.2.1:4", true, nil), phase.Established)
	up.First(message.Bytes("hi"), &message.Target{}, nil)
	a.in(peerConn("192.0.2.1:5", false, nil), phase.Established)
	if u := a.UnderWay(); u.Handshakes != 2 || u.Unsent != 1 || u.Halves != 0 {
		t.Errorf("%+v", u)
	}
}

// Of each message one is told: its sender, if that waits, or the Handler; of a pong nobody.
func TestUndeliver(t *testing.T) {
	a := newCommon()
	c := a.in(peerConn("192.0.2.1:5061", true, nil), phase.Established)
	waits, left := sendqueue.NewWaiter(), sendqueue.NewWaiter()
	left.Abandon()
	var q sendqueue.Queue
	q.Add(message.Bytes("written"), sendqueue.Entry{})
	q.Add(message.Bytes("waits"), sendqueue.Entry{Wait: waits})
	q.Add(message.Bytes("pong"), sendqueue.Entry{Pong: true})
	q.Add(message.Bytes("left"), sendqueue.Entry{Wait: left})
	q.Add(message.Bytes("nobody's"), sendqueue.Entry{})
	why := reason.Because(reason.WriteError, "made up")
	a.undeliver(c, q.Waiting, 1, why)
	if !slices.Equal(a.back, []string{"left", "nobody's"}) {
		t.Errorf("%q come back", a.back)
	}
	if n := <-waits.News(); n.Err != why {
		t.Errorf("who waits is told %v", n.Err)
	}
}

// An end gives back what is not written, and leaves the counts.
func TestCleanUp(t *testing.T) {
	a := newCommon()
	c := a.in(peerConn("192.0.2.1:5061", false, nil), phase.Established)
	a.Inbound.Add(1)
	var q sendqueue.Queue
	q.Add(message.Bytes("written"), sendqueue.Entry{})
	q.Add(message.Bytes("half"), sendqueue.Entry{})
	c.Own.Flight = sendqueue.Flight{Batch: q.Waiting, Count: 1}
	c.First(message.Bytes("waits"), &message.Target{}, nil)
	c.NoteClose(reason.Because(reason.WriteError, "made up"))
	if c.CleanUp(); a.Inbound.Load() != 0 || a.Table.Len() != 0 || c.At() != phase.Closed {
		t.Errorf("%d were accepted, %d are in the table, it is %v", a.Inbound.Load(), a.Table.Len(), c.At())
	}
	if !slices.Equal(a.back, []string{"half", "waits"}) {
		t.Errorf("%q come back", a.back)
	}
}

// Who did not wait for a phase is told of once, at the end of that or of a later one.
func TestUnpark(t *testing.T) {
	d := &Dialing{parked: phase.Connecting + 1}
	if !d.unpark(phase.Enrolling) || d.unpark(phase.Handshaking) {
		t.Error("a connect that was parked is not one")
	}
	if d.parked = phase.Handshaking + 1; d.unpark(phase.Enrolling) || !d.unpark(phase.Handshaking) {
		t.Error("a handshake that was parked is a connect")
	}
	if (*Dialing)(nil).unpark(phase.Handshaking) {
		t.Error("somebody waits for an accepted connection")
	}
}

// How long a connect may take is by who waits for it.
func TestConnectLimit(t *testing.T) {
	a := newCommon()
	a.Limits.ConnectTimeout, a.Limits.ParkedTimeout = time.Second, time.Minute
	c := a.in(peerConn("192.0.2.1:5061", true, nil), phase.Connecting)
	if got := c.ConnectLimit(); got != time.Minute {
		t.Errorf("parked: %v", got)
	}
	if c.Config.Async = false; c.ConnectLimit() != time.Second {
		t.Errorf("waited for: %v", c.ConnectLimit())
	}
	if c.Probing = true; c.ConnectLimit() != ProbeTime {
		t.Errorf("a probe: %v", c.ConnectLimit())
	}
}

// A peer is verified when its handshake says so.
func TestVerified(t *testing.T) {
	for _, state := range []*tlsstate.State{nil, {}, {Verified: true}} {
		c := newCommon().in(peerConn("192.0.2.1:5061", true, nil), phase.Handshaking)
		c.Own.Dial = new(Dialing)
		if c.ComesUp(state); c.Ends().Verified != (state != nil && state.Verified) {
			t.Errorf("%+v: verified: %v", state, c.Ends().Verified)
		}
	}
}

// What a destination is left alone for: that it could not be reached, for a fault of its own.
func TestWhatIsLeftAlone(t *testing.T) {
	for what, tt := range map[string]struct {
		was  phase.Phase
		why  *reason.Error
		left int
	}{
		"refused":      {phase.Connecting, DialFailed(unix.ECONNREFUSED), 1},
		"our lack":     {phase.Connecting, DialFailed(unix.EMFILE), 0},
		"no handshake": {phase.Handshaking, reason.Because(reason.HandshakeTimeout, ""), 1},
		"it was up":    {phase.Established, reason.Because(reason.SendTimeout, ""), 0},
	} {
		a := newCommon()
		if a.in(peerConn("192.0.2.1:5061", true, nil), tt.was).countBackoff(tt.was, tt.why); a.Backoff.Len() != tt.left {
			t.Errorf("%s: %d are left alone", what, a.Backoff.Len())
		}
	}
	a := newCommon()
	c := a.in(peerConn("192.0.2.1:5061", true, nil), phase.Connecting)
	c.countBackoff(phase.Connecting, DialFailed(unix.ECONNREFUSED))
	a.Backoff.Due(a.Now() + int64(time.Minute))
	c.Probing = true
	if c.countBackoff(phase.Connecting, DialFailed(unix.EMFILE)); a.Backoff.Snapshot(a.Now())[0].Probing {
		t.Error("a probe that came to nothing is on its way for ever")
	}
}

// A CRLF that means nothing goes to nobody who has ended its half or takes nothing.
func TestProbe(t *testing.T) {
	for what, spoil := range map[string]func(*Conn){"": nil, "half": func(c *Conn) { c.half = true }, "blocked": func(c *Conn) { c.blocked = true }} {
		c := newCommon().in(peerConn("192.0.2.1:5061", false, nil), phase.Established)
		if spoil != nil {
			spoil(c)
		}
		if c.Probe(); (c.out.Waiting != nil) != (what == "") || len(c.Loop.(*loop).asked) != 0 != (what == "") {
			t.Errorf("%s: %v waits, asked %v", what, c.out.Waiting, c.Loop.(*loop).asked)
		}
	}
}

// Behind a socket that takes no more messages are refused, of which the end tells, and one pong waits for all pings.
func TestBlockedQueue(t *testing.T) {
	c := newCommon().in(peerConn("192.0.2.1:5061", false, nil), phase.Established)
	c.Blocks(false)
	for range 3 {
		c.Pong()
		c.Answer([]byte("pong"))
	}
	if n := len(c.out.Waiting.Ends); n != 1 {
		t.Errorf("%d pongs wait", n)
	}
	to := &message.Target{Class: message.NewRequest}
	if o, err := c.Enqueue(message.Bytes("one"), to, nil); o != message.Queued || err != nil || c.HasRefused() {
		t.Errorf("%v, %v; refused: %v", o, err, c.HasRefused())
	}
	if _, err := c.Enqueue(message.Bytes("two"), to, nil); err == nil || err.Reason != reason.QueueFull || !c.HasRefused() {
		t.Errorf("%v; refused: %v", err, c.HasRefused())
	}
}
