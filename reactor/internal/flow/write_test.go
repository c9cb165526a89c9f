package flow

import (
	"bytes"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor/internal/connection"
	"sipreactor/reactor/internal/deadlines"
	"sipreactor/reactor/internal/kernel"
	"sipreactor/reactor/internal/message"
	"sipreactor/reactor/internal/poller"
	"sipreactor/reactor/internal/reason"
	"sipreactor/reactor/internal/sourcelimit"
	"sipreactor/reactor/internal/transport"
	"sipreactor/reactor/internal/waittest"
)

// acknowledged has a peer read a message that is written, and its kernel acknowledge it: the loop has not looked since.
func (r *rig) acknowledged(c *connection.Conn, peer net.Conn, class message.Class) {
	r.Helper()
	r.give(c, "hello", class)
	r.Flush(c)
	r.reads(peer, "hello")
	waittest.For(r, "it is acknowledged", func() bool {
		n, err := kernel.Unacknowledged(c.Own.Sock.Fd())
		return n == 0 && err == nil
	})
}

// give puts a message into a connection's send queue.
func (r *rig) give(c *connection.Conn, text string, class message.Class) {
	r.Helper()
	if _, err := c.Enqueue(message.Bytes(text), &message.Target{Class: class}, nil); err != nil {
		r.Fatal(err)
	}
}

// fill writes until the peer, who reads nothing, and the kernel take no more.
func (r *rig) fill(c *connection.Conn) (sent int) {
	r.Helper()
	text := strings.Repeat("x", 16<<10)
	for !c.Own.Waits.For(deadlines.Send) {
		r.give(c, text, message.NewRequest)
		r.Flush(c)
		if sent++; sent > 10000 {
			r.Fatal("the peer takes everything")
		}
	}
	return sent
}

// What waits goes out together, in its order.
func TestFlushWritesWhatWaits(t *testing.T) {
	r := newRig(t)
	c, peer := r.plain()
	for _, m := range []string{"one", "two", "three"} {
		r.give(c, m, message.Final)
	}
	r.Flush(c)
	r.reads(peer, "onetwothree")
	if r.Stat.Batches.Load() != 1 || c.Carried.MessagesOut.Load() != 3 {
		t.Errorf("%d batches, %d messages", r.Stat.Batches.Load(), c.Carried.MessagesOut.Load())
	}
	waittest.For(t, "the peer has acknowledged it", func() bool {
		r.look(c)
		return c.Own.Unacked.Empty()
	})
}

// Who takes nothing for the send timeout is given up, and what it has not taken comes back.
func TestReaderThatStops(t *testing.T) {
	r := newRig(t)
	c, peer := r.plain()
	_ = peer.SetReadBuffer(1 << 14)
	kernel.BoundSend(c.Own.Sock.Fd())
	r.fill(c)
	r.give(c, "behind", message.NewRequest)
	r.later(r.config.SendTimeout / 2)
	r.SendOverdue(c, r.all.Now())
	r.lives(c, "within the send timeout")
	r.closedWindow(c)
	r.later(r.config.SendTimeout)
	r.SendOverdue(c, r.all.Now())
	r.endsAs(c, reason.SendTimeout)
	if n := r.Stat.SendTimeouts.Load(); n != 1 {
		t.Errorf("%d send timeouts are counted", n)
	}
	back := r.Back()
	if n := len(back); n == 0 || back[n-1] != "behind" {
		t.Errorf("%d messages come back, the last is not what came last", n)
	}
}

// closedWindow waits until TCP knows that the peer takes nothing.
func (r *rig) closedWindow(c *connection.Conn) {
	r.Helper()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(time.Millisecond) {
		if info, err := kernel.Info(c.Own.Sock.Fd()); err == nil && kernel.WindowClosed(info) {
			return
		}
		if time.Now().After(end) {
			r.Fatal("the window does not close")
		}
	}
}

// A reader that is slow is none that stops.
func TestSlowReader(t *testing.T) {
	r := newRig(t)
	c, peer := r.plain()
	_ = peer.SetReadBuffer(1 << 14)
	kernel.BoundSend(c.Own.Sock.Fd())
	r.fill(c)
	for range 5 {
		r.later(r.config.SendTimeout * 9 / 10)
		before, _ := kernel.Unacknowledged(c.Own.Sock.Fd())
		r.takes(peer, c, before)
		r.SendOverdue(c, r.all.Now())
		r.lives(c, "in spite of progress")
		r.Writable(c)
		r.lives(c, "in spite of progress")
		if !c.Own.Waits.For(deadlines.Send) {
			r.fill(c)
		}
	}
}

// takes has the peer read until TCP has acknowledged something more.
func (r *rig) takes(peer net.Conn, c *connection.Conn, before int) {
	r.Helper()
	b := make([]byte, 32<<10)
	_ = peer.SetReadDeadline(time.Now().Add(30 * time.Second))
	for {
		if _, err := peer.Read(b); err != nil {
			r.Fatal(err)
		}
		if now, _ := kernel.Unacknowledged(c.Own.Sock.Fd()); now < before {
			return
		}
	}
}

// A client that asks and does not read is not read while its answers have no room, and is
// again when they do.
func TestClientIsHeldWhileItsAnswersWait(t *testing.T) {
	r := newRig(t)
	c, peer := r.plain()
	_ = peer.SetReadBuffer(1 << 14)
	kernel.BoundSend(c.Own.Sock.Fd())
	r.fill(c)
	for c.WaitingBytes() < swampedAt {
		r.give(c, strings.Repeat("y", 32<<10), message.Final)
	}
	r.Hold(c)
	if !c.Reading.Held() {
		t.Fatal("it is read, though its answers have no room")
	}
	go func() { _, _ = io.Copy(io.Discard, peer) }()
	for end := time.Now().Add(30 * time.Second); c.Own.Waits.For(deadlines.Send); time.Sleep(time.Millisecond) {
		if r.Writable(c); time.Now().After(end) {
			t.Fatal("the peer reads, and takes nothing")
		}
	}
	if c.Reading.Held() {
		t.Error("it is not read again")
	}
}

// An orderly end lets go out what waits; one by a fault gives it back.
func TestEnds(t *testing.T) {
	r := newRig(t)
	orderly, peer := r.plain()
	r.give(orderly, "last words", message.Final)
	r.Close(orderly, reason.Because(reason.IdleTimeout, ""))
	r.reads(peer, "last words")
	r.endsAs(orderly, reason.IdleTimeout)
	if back := r.Back(); len(back) != 0 {
		t.Errorf("%q comes back", back)
	}

	r = newRig(t)
	faulty, peer := r.plain()
	r.give(faulty, "not sent", message.NewRequest)
	r.Close(faulty, reason.Because(reason.WriteError, "made up"))
	r.Close(faulty, reason.Because(reason.IdleTimeout, ""))
	r.endsAs(faulty, reason.WriteError)
	same(t, "back", r.Back(), "not sent")
	if b, _ := io.ReadAll(peer); bytes.Contains(b, []byte("not sent")) {
		t.Error("what comes back has gone out, too")
	}
}

// A peer that has ended its half gets the responses that it waits for, and nothing else.
func TestHalfClosed(t *testing.T) {
	r := newRig(t)
	c, peer := r.plain()
	r.Input(c, []byte(request("INVITE", "a", "")))
	r.Flow.ended(c, "close_notify")
	r.lives(c, "while a request is not answered")
	if _, err := c.Enqueue(message.Bytes(request("BYE", "b", "")), &message.Target{Class: message.NewRequest}, nil); err == nil {
		t.Error("a request has a place on it")
	}
	answer := response("200", "INVITE", "a")
	r.give(c, answer, message.Final)
	r.Flush(c)
	r.reads(peer, answer)
	if said := r.endsAs(c, reason.PeerClosed); !strings.Contains(said, "has its responses") {
		t.Error(said)
	}
}

// Its time runs from the first word of its end.
func TestHalfClosedTwice(t *testing.T) {
	r := newRig(t)
	c, _ := r.plain()
	r.Input(c, []byte(request("INVITE", "a", "")))
	r.Flow.ended(c, "close_notify")
	due := c.Own.Waits.Due(deadlines.HalfClosed)
	r.later(time.Minute)
	r.Flow.ended(c, "")
	if c.Own.Waits.Due(deadlines.HalfClosed) != due || r.Stat.HalfClosed.Load() != 1 {
		t.Errorf("it begins anew, or counts again: %d", r.Stat.HalfClosed.Load())
	}
}

// It does not wait for responses for ever.
func TestHalfClosedIsAbandoned(t *testing.T) {
	r := newRig(t)
	c, _ := r.plain()
	r.Input(c, []byte(request("INVITE", "a", "")))
	r.Flow.ended(c, "")
	r.later(r.all.Limits.HalfClosedTime - time.Minute)
	r.Overdue(c)
	r.lives(c, "before the time of a transaction is over")
	r.later(2 * time.Minute)
	r.Overdue(c)
	if said := r.endsAs(c, reason.PeerClosed); !strings.Contains(said, "no response") {
		t.Error(said)
	}
}

// A message that will never be whole counts to its source no more, and a browser's end that
// has left is not dialled.
func TestWhatTheEndsLeave(t *testing.T) {
	r := newRig(t)
	c, _ := r.plain()
	var sources sourcelimit.Table
	limits := &sourcelimit.Limits{Connections: 10, Unfinished: 10}
	if v := sources.Enter(&c.Own.Share, limits, c.Src.Remote.Addr(), false, 1); v != sourcelimit.Admitted {
		t.Fatal(v)
	}
	r.Input(c, []byte(request("INVITE", "a", "")+request("BYE", "b", "")[:20]))
	if _, n, _, unfinished := sources.Totals(); n != 1 || unfinished != 1 {
		t.Fatalf("%d connections with %d messages that are not whole", n, unfinished)
	}
	r.Flow.ended(c, "")
	r.lives(c, "while a request is not answered")
	if c.Own.Waits.For(deadlines.Message) {
		t.Error("half-closed: it waits for the rest of a message")
	}
	if _, n, _, unfinished := sources.Totals(); n != 1 || unfinished != 0 {
		t.Errorf("half-closed: %d connections with %d messages that are not whole", n, unfinished)
	}
	c.Src.Proto = transport.WS
	r.Close(c, reason.Because(reason.IdleTimeout, ""))
	if _, n, _, _ := sources.Totals(); n != 0 {
		t.Errorf("%d connections count when all have ended", n)
	}
	if !r.all.Visitors.Had(c.Src.Remote) {
		t.Error("the browser's end is forgotten")
	}
}

// stopped returns a connection whose answers have no room behind a closed window.
func (r *rig) stopped() *connection.Conn {
	r.Helper()
	c, peer := r.plain()
	_ = peer.SetReadBuffer(1 << 14)
	kernel.BoundSend(c.Own.Sock.Fd())
	r.fill(c)
	for c.WaitingBytes() < swampedAt {
		r.give(c, strings.Repeat("y", 32<<10), message.Final)
	}
	r.closedWindow(c)
	return c
}

// Two that are swamped by each other do not wait for each other: who takes nothing for half of
// the send timeout is read all the same.
func TestSwampedByEachOther(t *testing.T) {
	r := newRig(t)
	c := r.stopped()
	r.Hold(c)
	r.SendOverdue(c, r.all.Now())
	if !c.Reading.Held() {
		t.Fatal("it is read at once")
	}
	r.later(r.config.SendTimeout * 6 / 10)
	r.SendOverdue(c, r.all.Now())
	r.lives(c, "within the send timeout")
	if c.Reading.Held() {
		t.Error("it is not read again")
	}
	if c.Own.Waits.Due(deadlines.Send) <= r.all.Now() {
		t.Error("nobody looks at it again")
	}
	if r.Hold(c); c.Reading.Held() {
		t.Error("it is held again")
	}
}

// A half-closed connection goes on with what its socket did not take, without its loop.
func TestHalfClosedAndBlocked(t *testing.T) {
	r := newRig(t)
	c, peer := r.plain()
	_ = peer.SetReadBuffer(1 << 14)
	kernel.BoundSend(c.Own.Sock.Fd())
	r.Input(c, []byte(request("INVITE", "a", "")))
	r.fill(c)
	r.closedWindow(c)
	r.SocketCloses(c, poller.ErrEnd)
	r.lives(c, "while a request is not answered")
	if r.asked.Store(0); !c.Reading.Detached() {
		t.Fatal("its loop has it")
	}
	go func() { _, _ = io.Copy(io.Discard, peer) }()
	waittest.For(t, "the socket takes more", func() bool { return r.asked.Load()&connection.EvWritable != 0 })
	waittest.For(t, "all is written", func() bool {
		r.Writable(c)
		return !c.Own.Waits.For(deadlines.Send)
	})
}
