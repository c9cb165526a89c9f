package flow

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/codec"
	"sipreactor/reactor/internal/connection"
	"sipreactor/reactor/internal/event"
	"sipreactor/reactor/internal/handshakes"
	"sipreactor/reactor/internal/kernel"
	"sipreactor/reactor/internal/phase"
	"sipreactor/reactor/internal/reason"
	"sipreactor/tlsstate"
)

// handshake begins. A client speaks first.
func (l *Flow) handshake(c *connection.Conn, m codec.Shaker) {
	c.Own.Codec = m
	c.Own.Handshake = handshakes.New(m, c.HandshakeTime(), l.all.Now())
	if a, ok := codec.Machine(c.Own.Codec).(tlsstate.AsyncMachine); ok {
		a.OnSigned(func() { c.Loop.Post(c, connection.EvSigned) })
	}
	l.all.Observe(c, event.HandshakeStarted, nil, "")
	if !c.Src.Outbound {
		l.startClock(c, true)
		return
	}
	c.TellConnected()
	l.compute(c)
}

// feedHandshake returns the peer's bytes to the machine, or keeps them while it
// is away or waits for a signature.
func (l *Flow) feedHandshake(c *connection.Conn, in []byte) {
	h := c.Own.Handshake
	if !h.Add(in) {
		l.Close(c, reason.Because(reason.HandshakeFailed, "too many bytes"))
		return
	}
	if h.Is(handshakes.Here) {
		h.Clock.Stop(l.all.Now())
		l.compute(c)
		return
	}
	if h.Full() && !h.Paused {
		h.Paused = true
		c.Own.Sock.PauseReading()
	}
}

// Handshaken takes the machine back.
func (l *Flow) Handshaken(c *connection.Conn) {
	h := c.Own.Handshake
	fed, err := h.Return()
	if c.At() == phase.Closed {
		c.Own.Codec.Stop()
		c.Own.Codec, c.Own.Handshake = nil, nil
		return
	}
	if h.Wants() && !c.Closes() {
		l.awaitSignature(c, fed)
		return
	}
	if h.Paused {
		h.Paused = false
		c.Own.Sock.ResumeReading()
	}
	spoke := len(c.Own.Codec.Output()) > 0
	l.all.Log.Step(c.Called(), fed, len(c.Own.Codec.Output()), err)
	l.drain(c)
	switch {
	case c.At() == phase.Closed:
	case c.Closes():
		l.Proceed(c)
	case err == nil:
		l.handshakeDone(c, spoke)
	case !errors.Is(err, tlsstate.ErrWantRead):
		l.all.TellPanic(c, err)
		l.Close(c, reason.OfHandshake(err))
	case h.Waiting() > 0:
		l.compute(c)
	case c.Reading.Detached():
		l.Close(c, reason.Because(reason.HandshakeFailed, "the peer closed the connection"))
	default:
		l.startClock(c, spoke)
	}
}

// awaitSignature leaves a machine alone until its signature is made. The peer's
// clock does not run meanwhile.
func (l *Flow) awaitSignature(c *connection.Conn, fed int) {
	l.all.Log.Step(c.Called(), fed, 0, tlsstate.ErrWantSignature) // what there is to send goes with the rest of the flight
	if c.Own.Handshake.Sign() {
		l.Stat.Signing.Add(1)
		return
	}
	l.compute(c)
}

// Signed goes on with a handshake whose signature is made.
func (l *Flow) Signed(c *connection.Conn) {
	if c.Own.Handshake != nil && c.Own.Handshake.Signed() { // else it failed otherwise, or Handshaken looks
		l.Stat.Signing.Add(-1)
		l.compute(c)
	}
}

// handshakeDone establishes the connection. What came behind the handshake is
// read at once, or it would wait for bytes that may never come. spoke tells
// whether the last step had something to send.
func (l *Flow) handshakeDone(c *connection.Conn, spoke bool) {
	rest, took := c.Own.Handshake.Rest(), c.Own.Handshake.Clock.Took(l.all.Now())
	c.Own.Handshake = nil
	state := c.TLSState()
	l.handshook(c, state, took)
	request, answer := c.Talk()
	leaveUpgrade(c)
	c.Own.Unacked.Unconfirmed = mayBeRefused(state)
	if !c.Src.Outbound && !spoke {
		// A client that leaves Nagle's algorithm on holds its first request back
		// until its Finished is acknowledged, for which the kernel would wait for
		// something to send.
		_ = unix.SetsockoptInt(c.Own.Sock.Fd(), unix.IPPROTO_TCP, unix.TCP_QUICKACK, 1)
	}
	l.establish(c, request, answer)
	if c.At() == phase.Established {
		c.Own.Codec.Feed(rest)
		l.pump(c)
	}
}

// compute has the machine's next step computed: by the loop, soon, or by a
// handshaker.
func (l *Flow) compute(c *connection.Conn) {
	c.Own.Handshake.Leave()
	l.program.Compute(c)
}

// startClock begins a wait for the peer.
func (l *Flow) startClock(c *connection.Conn, spoke bool) {
	c.Own.Waits.Look(c.Own.Handshake.Clock.Start(l.all.Now(), spoke), c)
}

// handshakeOverdue closes the connection when the peer's time is over.
func (l *Flow) handshakeOverdue(c *connection.Conn, now int64) {
	h := c.Own.Handshake
	if h == nil || !h.Clock.Runs() {
		return
	}
	due := h.Clock.Due(now, c.RoundTrip, kernel.MaxRoundTrip)
	if now < due {
		c.Own.Waits.Look(due, c)
		return
	}
	if kernel.Unread(c.Own.Sock.Fd()) > 0 {
		// The bytes are in the kernel: it is we who are late, the loop reads
		// them next.
		c.Own.Waits.Look(now+int64(10*time.Millisecond), c)
		return
	}
	took := h.Clock.Took(now).Round(time.Millisecond)
	l.Close(c, reason.Because(reason.HandshakeTimeout, "no answer after "+took.String()+" ("+c.HandshakeParameter()+" "+c.HandshakeTime().String()+")"))
}

// handshook counts a handshake that succeeded; s is nil for one without TLS. Loop only.
func (l *Flow) handshook(c *connection.Conn, s *tlsstate.State, took time.Duration) {
	if s != nil {
		l.Stat.Handshakes[c.Side()].Done(s, took)
	}
	c.ShookHands(took)
}
