package flow

import (
	"io"
	"testing"
	"time"

	"sipreactor/reactor/internal/codec"
	"sipreactor/reactor/internal/connection"
	"sipreactor/reactor/internal/deadlines"
	"sipreactor/reactor/internal/kernel"
	"sipreactor/reactor/internal/message"
	"sipreactor/reactor/internal/phase"
	"sipreactor/reactor/internal/poller"
	"sipreactor/reactor/internal/reason"
	"sipreactor/reactor/internal/tcptest"
	"sipreactor/reactor/internal/transport"
	"sipreactor/reactor/internal/waittest"
	"sipreactor/reactor/internal/wheel"
	"sipreactor/tlsstate"
)

// An end in order waits for what is still to be written, and takes nothing more meanwhile.
func TestOrderlyEndWaits(t *testing.T) {
	r := newRig(t)
	c, peer := r.plain()
	_ = peer.SetReadBuffer(1 << 14)
	kernel.BoundSend(c.Own.Sock.Fd())
	r.fill(c)
	r.Close(c, reason.Because(reason.Shutdown, ""))
	r.lives(c, "before all is written")
	if r.Input(c, []byte(request("OPTIONS", "a", ""))); len(r.messages) != 0 {
		t.Error("it takes messages")
	}
	go func() { _, _ = io.Copy(io.Discard, peer) }()
	waittest.For(t, "all is written", func() bool {
		r.Writable(c)
		return c.At() == phase.Closed
	})
	r.endsAs(c, reason.Shutdown)
	if back := r.Back(); len(back) != 0 {
		t.Errorf("%d messages come back", len(back))
	}
}

// What the peer has acknowledged does not come back, though nobody has looked since; and nothing expires that has ended.
func TestAcknowledgedAtTheEnd(t *testing.T) {
	r := newRig(t)
	c, peer := r.plain()
	r.acknowledged(c, peer, message.NewRequest)
	r.Close(c, reason.Because(reason.WriteError, "made up"))
	if back := r.Back(); len(back) != 0 {
		t.Errorf("%q comes back", back)
	}
	if *c.WheelLink() != (wheel.Link[connection.Conn]{}) {
		t.Error("it is among the idle")
	}
}

// What lingers and is given up is counted, and comes back.
func TestLingeringIsGivenUp(t *testing.T) {
	r := newRig(t)
	c, peer := r.plain()
	_ = peer.SetReadBuffer(1 << 14)
	r.give(c, string(make([]byte, 1<<18)), message.Final)
	if r.Flush(c); c.Own.Waits.For(deadlines.Send) {
		t.Fatal("the kernel holds less than that")
	}
	r.Close(c, reason.Because(reason.IdleTimeout, ""))
	if n := r.all.Connects.Lingering(); n != 1 || r.all.Stat.Aborted.Load() != 0 {
		t.Fatalf("%d linger, %d are aborted", n, r.all.Stat.Aborted.Load())
	}
	r.all.Connects.CutLingering()
	if n := r.all.Stat.Aborted.Load(); n != 1 || len(r.Back()) != 1 {
		t.Errorf("%d are aborted, %d messages come back", n, len(r.Back()))
	}
}

// A connection is not finished while its peer's words are in the kernel, or its messages are not done.
func TestFinish(t *testing.T) {
	r := newRig(t)
	c, peer := r.plain()
	if _, err := io.WriteString(peer, "hello"); err != nil {
		t.Fatal(err)
	}
	waittest.For(t, "the kernel has it", func() bool { return kernel.Unread(c.Own.Sock.Fd()) > 0 })
	r.Finish(c)
	r.lives(c, "with something unread")
	r.all.IgnoresInput.Store(true)
	c.Reading.Taken()
	r.Finish(c)
	r.lives(c, "with a message in hand")
	c.Reading.Handled()
	r.Finish(c)
	r.endsAs(c, reason.Shutdown)

	r = newRig(t)
	c, peer = r.plain()
	if _, err := io.WriteString(peer, "hello"); err != nil {
		t.Fatal(err)
	}
	waittest.For(t, "the kernel has it", func() bool { return kernel.Unread(c.Own.Sock.Fd()) > 0 })
	c.Reading.End() // nobody will read that
	r.Finish(c)
	r.endsAs(c, reason.Shutdown)
}

// Nothing lingers for a peer that has closed and has all there was, nor for one whose handshake is not done.
func TestNothingLingers(t *testing.T) {
	r := newRig(t)
	c, peer := r.plain()
	r.acknowledged(c, peer, message.Final)
	r.Close(c, reason.Because(reason.PeerClosed, ""))
	r.endsAs(c, reason.PeerClosed)
	if n := r.all.Connects.Lingering(); n != 0 {
		t.Errorf("%d linger for a peer that has closed", n)
	}
	r = newRig(t)
	c, peer = r.accepted(&shaker{steps: 2})
	tcptest.Deafen(t, peer)
	r.Input(c, []byte("x"))
	r.steps()
	r.Close(c, reason.Because(reason.Shutdown, ""))
	r.endsAs(c, reason.Shutdown)
	if n := r.all.Connects.Lingering(); n != 0 {
		t.Errorf("%d linger in a handshake", n)
	}
}

// A refusal of WebSocket's arrives, whatever its peer has said besides: that is no reason for a reset.
func TestRefusalOfWebSocketArrives(t *testing.T) {
	r := newRig(t)
	c, peer := r.accepted(&shaker{steps: 2})
	c.Src.Proto = transport.WS
	if _, err := io.WriteString(peer, "and besides"); err != nil {
		t.Fatal(err)
	}
	waittest.For(t, "the kernel has it", func() bool { return kernel.Unread(c.Own.Sock.Fd()) > 0 })
	const refusal = "HTTP/1.1 400 Bad Request\r\n\r\n"
	if _, err := c.Own.Codec.Write([]byte(refusal)); err != nil {
		t.Fatal(err)
	}
	r.Close(c, reason.Because(reason.HandshakeFailed, "made up"))
	r.endsAs(c, reason.HandshakeFailed)
	if all, err := io.ReadAll(peer); string(all) != refusal || err != nil {
		t.Errorf("%q, %v", all, err)
	}
}

// An end that management asks for does not wait for a peer that takes nothing.
func TestManagementDoesNotWait(t *testing.T) {
	r := newRig(t)
	c := r.stopped()
	r.Close(c, reason.Because(reason.ClosedByManagement, ""))
	r.endsAs(c, reason.ClosedByManagement)
}

// polite is a codec that says goodbye.
type polite struct {
	codec.Plain
	goodbyes int
}

func (p *polite) CloseNotify() error {
	p.goodbyes++
	_, err := p.Write([]byte("goodbye"))
	return err
}

// Goodbye is said at an end in order, and not in the middle of what is being written.
func TestGoodbye(t *testing.T) {
	for name, tt := range map[string]struct {
		why  reason.Reason
		full bool
		want int
	}{
		"in order":            {reason.IdleTimeout, false, 1},
		"by management":       {reason.ClosedByManagement, false, 1},
		"a fault":             {reason.WriteError, false, 0},
		"in what is half out": {reason.ClosedByManagement, true, 0},
	} {
		r := newRig(t)
		k := new(polite)
		c, peer := r.accepted(k)
		if tt.full {
			_ = peer.SetReadBuffer(1 << 14)
			kernel.BoundSend(c.Own.Sock.Fd())
			r.fill(c)
		}
		r.Close(c, reason.Because(tt.why, ""))
		if r.endsAs(c, tt.why); k.goodbyes != tt.want {
			t.Errorf("%s: %d goodbyes, want %d", name, k.goodbyes, tt.want)
		}
		if n := c.Carried.BytesOut.Load(); !tt.full && n != uint64(len("goodbye")*tt.want) {
			t.Errorf("%s: %d bytes are counted", name, n)
		}
	}
}

// A peer that is gone has closed, whatever the kernel says of how.
func TestPeerIsGone(t *testing.T) {
	for _, err := range []error{nil, poller.ErrEnd, poller.ErrBroken} {
		r := newRig(t)
		c, _ := r.plain()
		r.SocketCloses(c, err)
		r.endsAs(c, reason.PeerClosed)
	}
	r := newRig(t)
	c, _ := r.plain()
	r.SocketCloses(c, io.ErrUnexpectedEOF)
	r.endsAs(c, reason.ReadError)
}

// What was written before the peer has spoken comes back, acknowledged or not, if an alert says
// that it refuses us. One that just goes may have taken it.
func TestRefusedBehindTheHandshake(t *testing.T) {
	alert := &tlsstate.Error{Blame: tlsstate.BlamePeer, Alert: tlsstate.Alert{Received: true}}
	for _, tt := range []struct {
		why  *reason.Error
		back int
	}{{reason.OfRead(alert), 1}, {reason.Because(reason.ReadError, "made up"), 0}} {
		r := newRig(t)
		c, peer := r.plain()
		c.Own.Unacked.Unconfirmed = true
		r.give(c, "hello", message.NewRequest)
		r.Flush(c)
		r.reads(peer, "hello")
		waittest.For(t, "it is acknowledged", func() bool {
			n, err := kernel.Unacknowledged(c.Own.Sock.Fd())
			return n == 0 && err == nil
		})
		if r.Close(c, tt.why); len(r.Back()) != tt.back {
			t.Errorf("%v: %q comes back", tt.why, r.Back())
		}
	}
}

// What the peer has acknowledged before it is idle for its lifetime counts.
func TestAcknowledgedBeforeItIsIdle(t *testing.T) {
	r := newRig(t)
	c, peer := r.plain()
	r.acknowledged(c, peer, message.Final)
	r.later(time.Duration(r.all.Limits.Lifetime+2) * time.Second)
	r.Tick()
	r.lives(c, "a moment after it is known to have carried something")
}

// A peer that leaves within its handshake has failed.
func TestPeerLeavesItsHandshake(t *testing.T) {
	for _, err := range []error{poller.ErrEnd, poller.ErrBroken} {
		r := newRig(t)
		c, _ := r.accepted(&shaker{steps: 2})
		r.SocketCloses(c, err)
		r.endsAs(c, reason.HandshakeFailed)
	}
}

// Of a connection that is held nothing is read: its message is not late.
func TestHeldMessage(t *testing.T) {
	r := newRig(t)
	c, _ := r.plain()
	brimful(c)
	r.Input(c, []byte("INVITE sip:a"))
	r.Hold(c)
	r.later(r.all.Limits.MessageTime + time.Second)
	r.Overdue(c)
	r.lives(c, "while it is held")
	if due := c.Own.Waits.Due(deadlines.Message); due <= r.all.Now() {
		t.Error("its time does not begin anew")
	}
}
