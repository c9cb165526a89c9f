package flow

import (
	"io"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor/internal/codec"
	"sipreactor/reactor/internal/connection"
	"sipreactor/reactor/internal/deadlines"
	"sipreactor/reactor/internal/kernel"
	"sipreactor/reactor/internal/message"
	"sipreactor/reactor/internal/reason"
	"sipreactor/reactor/internal/transport"
	"sipreactor/reactor/internal/waittest"
)

// A socket that takes no more is told of once, and looked at by one clock; when it takes again
// all is as before.
func TestBlockedAndNotAnyMore(t *testing.T) {
	r := newRig(t)
	c, peer := r.plain()
	_ = peer.SetReadBuffer(1 << 14)
	kernel.BoundSend(c.Own.Sock.Fd())
	r.fill(c)
	r.closedWindow(c)
	r.Writable(c) // no more has room than before, or nearly so
	due := c.Own.Waits.Due(deadlines.Send)
	if in := due - r.all.Now(); in > int64(r.config.SendTimeout)/2 {
		t.Errorf("it is looked at in %v", time.Duration(in))
	}
	r.later(time.Minute)
	if r.Writable(c); c.Own.Waits.Due(deadlines.Send) != due {
		t.Error("each write that takes nothing puts off the next look")
	}
	if n := r.Stat.Blocked.Load(); n != 1 {
		t.Errorf("it is told %d times", n)
	}
	if i, _ := c.Info(r.all.Seconds()); !i.Stuck {
		t.Error("it is not known to be stuck")
	}
	go func() { _, _ = io.Copy(io.Discard, peer) }()
	waittest.For(t, "all is written", func() bool {
		r.Writable(c)
		return !c.Own.Waits.For(deadlines.Send)
	})
	if i, _ := c.Info(r.all.Seconds()); i.Stuck {
		t.Error("it is stuck for ever")
	}
}

// Of several that took no more a moment ago all that take again go on.
func TestUnblock(t *testing.T) {
	r := newRig(t)
	var all []*connection.Conn
	began := r.all.Now()
	for range 3 {
		c, peer := r.plain()
		_ = peer.SetReadBuffer(1 << 14)
		kernel.BoundSend(c.Own.Sock.Fd())
		r.fill(c)
		go func() { _, _ = io.Copy(io.Discard, peer) }()
		all = append(all, c)
	}
	for _, c := range all {
		waittest.For(t, "it takes again", func() bool {
			n, err := kernel.Unacknowledged(c.Own.Sock.Fd())
			return n == 0 && err == nil
		})
	}
	r.later(-time.Duration(r.all.Now() - began)) // no time has passed
	r.Unblock()
	for i, c := range all {
		if c.Own.Waits.For(deadlines.Send) {
			t.Errorf("connection %d of %d does not go on", i, len(all))
		}
	}
}

// Progress on a socket that takes no more is life, and begins the time of what is not acknowledged.
func TestProgressWhileBlocked(t *testing.T) {
	r := newRig(t)
	c, peer := r.plain()
	_ = peer.SetReadBuffer(1 << 14)
	kernel.BoundSend(c.Own.Sock.Fd())
	r.fill(c)
	before, _ := kernel.Unacknowledged(c.Own.Sock.Fd())
	r.later(time.Minute)
	r.Seconds.Store(r.all.Seconds())
	now, idle := r.all.Now(), c.IdleDue(100)
	r.takes(peer, c, before)
	r.SendOverdue(c, r.all.Now())
	if c.Own.Unacked.Since < now || c.IdleDue(100) < idle+59 {
		t.Errorf("unacknowledged since %v before, idle at %d", time.Duration(now-c.Own.Unacked.Since), c.IdleDue(100))
	}
}

// A peer that reads nothing and answers is no reader that has stopped.
func TestBlockedAndAnswering(t *testing.T) {
	r := newRig(t)
	c := r.stopped()
	r.SendOverdue(c, r.all.Now())
	for range 5 {
		r.later(r.config.SendTimeout * 9 / 10)
		c.Owed.Answered([]byte(response("200", "INVITE", "a")))
		r.SendOverdue(c, r.all.Now())
		r.lives(c, "while it answers")
	}
}

// A reader that has stopped, and for which messages found no room, ends for that.
func TestReaderThatStopsAndRefuses(t *testing.T) {
	r := newRig(t)
	c := r.stopped()
	r.SendOverdue(c, r.all.Now())
	for refused := false; !refused; {
		_, err := c.Enqueue(message.Bytes("x"), &message.Target{Class: message.NewRequest}, nil)
		refused = err != nil && err.Reason == reason.QueueFull
	}
	r.later(r.config.SendTimeout * 2)
	r.SendOverdue(c, r.all.Now())
	r.endsAs(c, reason.QueueFull)
	if n := r.Stat.SendTimeouts.Load(); n != 0 {
		t.Errorf("%d are counted as send timeouts", n)
	}
}

// What comes back from a WebSocket of ours is as it was given, without the mask that it goes out with.
func TestMaskedComesBackPlain(t *testing.T) {
	r := newRig(t)
	c, peer := r.plain()
	c.Src.Proto, c.Src.Outbound = transport.WS, true
	c.Speaks()
	_ = peer.SetReadBuffer(1 << 14)
	kernel.BoundSend(c.Own.Sock.Fd())
	r.fill(c)
	r.Close(c, reason.Because(reason.WriteError, "made up"))
	back := r.Back()
	for _, m := range back {
		if strings.Trim(m, "x") != "" {
			t.Fatalf("%d messages come back, one of them as %q", len(back), m[:16])
		}
	}
	if len(back) == 0 {
		t.Error("nothing comes back")
	}
}

// unwriting is a codec that seals nothing.
type unwriting struct{ codec.Plain }

func (u *unwriting) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

// What cannot be sealed ends its connection, and comes back.
func TestCodecFails(t *testing.T) {
	r := newRig(t)
	c, _ := r.accepted(new(unwriting))
	r.give(c, "hello", message.NewRequest)
	r.Flush(c)
	r.endsAs(c, reason.WriteError)
	same(t, "back", r.Back(), "hello")
}
