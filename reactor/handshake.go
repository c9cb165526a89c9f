package reactor

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/codec"
	"sipreactor/reactor/internal/handshakes"
	"sipreactor/reactor/internal/kernel"
	"sipreactor/reactor/internal/phase"
	"sipreactor/reactor/internal/reason"
	"sipreactor/tlsstate"
)

// handshake begins. A client speaks first.
func (l *loop) handshake(c *conn, m codec.Shaker) {
	c.codec = m
	c.hs = handshakes.New(m, c.handshakeTime(), l.eng.now())
	if a, ok := codec.Machine(c.codec).(tlsstate.AsyncMachine); ok {
		a.OnSigned(func() { l.post(c, evSigned) })
	}
	l.eng.observe(c, HandshakeStarted, nil, "")
	if !c.src.Outbound {
		l.startClock(c, true)
		return
	}
	c.tellConnected()
	l.compute(c)
}

// feedHandshake returns the peer's bytes to the machine, or keeps them while it
// is away or waits for a signature.
func (l *loop) feedHandshake(c *conn, in []byte) {
	h := c.hs
	if !h.Add(in) {
		l.close(c, reason.Because(HandshakeFailed, "too many bytes"))
		return
	}
	if h.Is(handshakes.Here) {
		h.Clock.Stop(l.eng.now())
		l.compute(c)
		return
	}
	if h.Full() && !h.Paused {
		h.Paused = true
		c.sock.PauseReading()
	}
}

// handshaken takes the machine back.
func (l *loop) handshaken(c *conn) {
	h := c.hs
	fed, err := h.Return()
	if c.life.At() == phase.Closed {
		c.codec.Stop()
		c.codec, c.hs = nil, nil
		return
	}
	if h.Wants() && !c.Closes() {
		l.awaitSignature(c, fed)
		return
	}
	if h.Paused {
		h.Paused = false
		c.sock.ResumeReading()
	}
	spoke := len(c.codec.Output()) > 0
	l.eng.connlog.Step(c.called(), fed, len(c.codec.Output()), err)
	l.drain(c)
	switch {
	case c.life.At() == phase.Closed:
	case c.Closes():
		l.proceed(c)
	case err == nil:
		l.handshakeDone(c, spoke)
	case !errors.Is(err, tlsstate.ErrWantRead):
		l.eng.tellPanic(c, err)
		l.close(c, reason.OfHandshake(err))
	case h.Waiting() > 0:
		l.compute(c)
	case c.reading.Detached():
		l.close(c, reason.Because(HandshakeFailed, "the peer closed the connection"))
	default:
		l.startClock(c, spoke)
	}
}

// awaitSignature leaves a machine alone until its signature is made. The peer's
// clock does not run meanwhile.
func (l *loop) awaitSignature(c *conn, fed int) {
	l.eng.connlog.Step(c.called(), fed, 0, tlsstate.ErrWantSignature) // what there is to send goes with the rest of the flight
	if c.hs.Sign() {
		l.stat.Signing.Add(1)
		return
	}
	l.compute(c)
}

// signed goes on with a handshake whose signature is made.
func (l *loop) signed(c *conn) {
	if c.hs != nil && c.hs.Signed() { // else it failed otherwise, or handshaken looks
		l.stat.Signing.Add(-1)
		l.compute(c)
	}
}

// handshakeDone establishes the connection. What came behind the handshake is
// read at once, or it would wait for bytes that may never come. spoke tells
// whether the last step had something to send.
func (l *loop) handshakeDone(c *conn, spoke bool) {
	rest, took := c.hs.Rest(), c.hs.Clock.Took(l.eng.now())
	c.hs = nil
	state := c.tlsState()
	c.handshook(state, took)
	request, answer := c.talk()
	c.leaveUpgrade()
	c.unacked.Unconfirmed = mayBeRefused(state)
	if !c.src.Outbound && !spoke {
		// A client that leaves Nagle's algorithm on holds its first request back
		// until its Finished is acknowledged, for which the kernel would wait for
		// something to send.
		_ = unix.SetsockoptInt(c.sock.Fd(), unix.IPPROTO_TCP, unix.TCP_QUICKACK, 1)
	}
	l.establish(c, request, answer)
	if c.life.At() == phase.Established {
		c.codec.Feed(rest)
		l.pump(c)
	}
}

// compute has the machine's next step computed: by the loop, soon, or by a
// handshaker.
func (l *loop) compute(c *conn) {
	c.hs.Leave()
	l.sched.Compute(c)
}

// Kind numbers what the next step of a handshake is like: the first of an accepted
// connection signs, the first of ours does not, later ones verify or compute little; HTTP
// alone is another matter.
func (c *conn) Kind() int {
	kind := 0
	switch {
	case c.src.Proto == WS:
		return 4
	case c.src.Outbound:
		kind = 2
	}
	if c.hs.Begun() {
		kind++
	}
	return kind
}

// Compute computes the next step of the handshake. Its owner calls it.
func (c *conn) Compute() { c.hs.Compute() }

// Computed gives the machine back to the loop. A goroutine of the pool calls it.
func (c *conn) Computed() { c.loop.post(c, evHandshake) }

// Gone reports whether the connection has ended.
func (c *conn) Gone() bool { return c.life.At() == phase.Closed }

// startClock begins a wait for the peer.
func (l *loop) startClock(c *conn, spoke bool) { c.waits.Look(c.hs.Clock.Start(l.eng.now(), spoke), c) }

// handshakeTime is the time that the peer may take over the whole handshake, and
// handshakeParameter what that is called.
func (c *conn) handshakeTime() time.Duration {
	if t := c.cfg.Web.AcceptTimeout; t > 0 && c.src.Proto.Web() && !c.src.Outbound {
		return t
	}
	return c.cfg.HandshakeTimeout
}

func (c *conn) handshakeParameter() string {
	if c.src.Proto.Web() && !c.src.Outbound {
		return c.src.Proto.String() + "_accept_timeout"
	}
	return c.src.Proto.String() + "_handshake_timeout"
}

// handshakeOverdue closes the connection when the peer's time is over.
func (l *loop) handshakeOverdue(c *conn, now int64) {
	h := c.hs
	if h == nil || !h.Clock.Runs() {
		return
	}
	due := h.Clock.Due(now, c.roundTrip, kernel.MaxRoundTrip)
	if now < due {
		c.waits.Look(due, c)
		return
	}
	if kernel.Unread(c.sock.Fd()) > 0 {
		// The bytes are in the kernel: it is we who are late, the loop reads
		// them next.
		c.waits.Look(now+int64(10*time.Millisecond), c)
		return
	}
	took := h.Clock.Took(now).Round(time.Millisecond)
	l.close(c, reason.Because(HandshakeTimeout, "no answer after "+took.String()+" ("+c.handshakeParameter()+" "+c.handshakeTime().String()+")"))
}

// tlsState describes the TLS connection; nil on a plain one.
func (c *conn) tlsState() *tlsstate.State {
	if m := codec.Machine(c.codec); m != nil {
		return m.State()
	}
	return nil
}

// secrets takes what the TLS machine has kept of them; "" mostly.
func (c *conn) secrets() string {
	if m := codec.Machine(c.codec); m != nil {
		return m.Secrets()
	}
	return ""
}

// handshook counts a handshake that succeeded; s is nil for one without TLS. Loop only.
func (c *conn) handshook(s *tlsstate.State, took time.Duration) {
	if s != nil {
		c.loop.stat.Handshakes[c.src.side()].Done(s, took)
	}
	c.mu.Lock()
	c.tls.took = took
	c.mu.Unlock()
}
