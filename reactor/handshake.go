package reactor

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/kernel"
	"sipreactor/reactor/internal/phase"
	"sipreactor/reactor/internal/ring"
	"sipreactor/tlsstate"
)

// handshake is what a connection has only while its TLS handshake is under
// way. The loop owns it, but for feed, err and later while a handshaker has it:
// then those and the machine are the handshaker's.
type handshake struct {
	machine shaker
	inbox   []byte // came while the machine was away
	feed    []byte
	busy    bool // the machine is away: with a handshaker, or in the loop's steps
	paused  bool // the kernel keeps what comes
	signing bool // the machine is here and waits for a signature
	signed  bool // which came before the machine was back
	err     error
	later   bool  // this is not the first step
	queued  int64 // when a handshaker was asked for, on the engine's clock

	// The peer's clock: it runs only while we wait for its bytes.
	left    time.Duration // what the peer may still take
	granted time.Duration // round-trip time added so far
	flights int           // of ours, for which none was added yet
	since   int64         // start of this wait on the engine's clock; 0 = it does not run
	begun   int64
}

// A peer may send messages right behind its Finished, while that still waits
// for a handshaker. From inboxFull on the kernel keeps what comes; inboxLimit is
// the end, which no peer reaches before its own send buffer is full.
const (
	inboxFull  = 64 << 10
	inboxLimit = 4 << 20
)

// handshake begins. A client speaks first.
func (l *loop) handshake(c *conn, m shaker) {
	c.codec = m
	c.hs = &handshake{machine: m, left: c.handshakeTime(), begun: l.eng.now()}
	if a, ok := c.machine().(tlsstate.AsyncMachine); ok {
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
	if len(h.inbox)+len(in) > inboxLimit {
		l.close(c, because(HandshakeFailed, "too many bytes"))
		return
	}
	h.inbox = append(h.inbox, in...)
	if !h.busy && !h.signing {
		l.stopClock(c)
		l.compute(c)
		return
	}
	if len(h.inbox) >= inboxFull && !h.paused {
		h.paused = true
		c.sock.PauseReading()
	}
}

// handshaken takes the machine back.
func (l *loop) handshaken(c *conn) {
	h := c.hs
	h.busy = false
	if c.phase == phase.Closed {
		c.codec.Stop()
		c.codec, c.hs = nil, nil
		return
	}
	if errors.Is(h.err, tlsstate.ErrWantSignature) && !c.closes() {
		l.awaitSignature(c)
		return
	}
	if h.paused {
		h.paused = false
		c.sock.ResumeReading()
	}
	spoke := len(c.codec.Output()) > 0
	l.eng.logStep(c, len(h.feed), len(c.codec.Output()))
	l.drain(c)
	switch {
	case c.phase == phase.Closed:
	case c.closes():
		l.proceed(c)
	case h.err == nil:
		l.handshakeDone(c, spoke)
	case !errors.Is(h.err, tlsstate.ErrWantRead):
		l.close(c, tlsError(h.err))
	case len(h.inbox) > 0:
		l.compute(c)
	case c.eof:
		l.close(c, because(HandshakeFailed, "the peer closed the connection"))
	default:
		l.startClock(c, spoke)
	}
}

// awaitSignature leaves a machine alone until its signature is made. The peer's
// clock does not run meanwhile.
func (l *loop) awaitSignature(c *conn) {
	l.eng.logStep(c, len(c.hs.feed), 0) // what there is to send goes with the rest of the flight
	if c.hs.signed {
		c.hs.signed = false
		l.compute(c)
		return
	}
	c.hs.signing = true
	l.stat.signing.Add(1)
}

// signed goes on with a handshake whose signature is made.
func (l *loop) signed(c *conn) {
	h := c.hs
	switch {
	case h == nil: // it failed otherwise
	case h.busy:
		h.signed = true // handshaken looks
	case h.signing:
		h.signing = false
		l.stat.signing.Add(-1)
		l.compute(c)
	}
}

// handshakeDone establishes the connection. What came behind the handshake is
// read at once, or it would wait for bytes that may never come. spoke tells
// whether the last step had something to send.
func (l *loop) handshakeDone(c *conn, spoke bool) {
	rest, took := c.hs.inbox, time.Duration(l.eng.now()-c.hs.begun)
	c.hs = nil
	state := c.tlsState()
	c.handshook(state, took)
	c.leaveUpgrade()
	c.unacked.Unconfirmed = mayBeRefused(state)
	if !c.src.Outbound && !spoke {
		// A client that leaves Nagle's algorithm on holds its first request back
		// until its Finished is acknowledged, for which the kernel would wait for
		// something to send.
		_ = unix.SetsockoptInt(c.sock.Fd(), unix.IPPROTO_TCP, unix.TCP_QUICKACK, 1)
	}
	l.establish(c)
	if c.phase == phase.Established {
		c.codec.Feed(rest)
		l.pump(c)
	}
}

// compute has the machine's next step computed: by the loop, soon, or by a
// handshaker.
func (l *loop) compute(c *conn) {
	h := c.hs
	h.busy = true
	h.feed, h.inbox = h.inbox, h.feed[:0]
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
	if c.hs.later {
		kind++
	}
	return kind
}

// Compute computes the next step of the handshake. Its owner calls it.
func (c *conn) Compute() { c.hs.compute() }

// Gone reports whether the connection has ended.
func (c *conn) Gone() bool { return c.phase == phase.Closed }

// compute is a step of the machine's. Its owner calls it.
func (h *handshake) compute() {
	if len(h.feed) > 0 {
		h.machine.Feed(h.feed)
	}
	h.err = h.machine.Handshake()
	h.later = true
}

// startClock begins a wait for the peer.
func (l *loop) startClock(c *conn, spoke bool) {
	h := c.hs
	if spoke {
		h.flights++
	}
	h.since = l.eng.now()
	c.arm(h.since + int64(h.left))
}

// stopClock ends a wait: the peer's bytes are here.
func (l *loop) stopClock(c *conn) {
	h := c.hs
	if h.since != 0 {
		h.left -= time.Duration(l.eng.now() - h.since)
		h.since = 0
	}
}

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

// grant adds the path's round-trip time to what the peer may take, for each
// flight that we sent, up to kernel.MaxRoundTrip in all.
func (l *loop) grant(c *conn) {
	h := c.hs
	if h.flights == 0 {
		return
	}
	more := min(time.Duration(h.flights)*l.eng.cfg.roundTrip(c.sock.Fd()), kernel.MaxRoundTrip-h.granted)
	h.granted += more
	h.left += more
	h.flights = 0
}

// handshakeOverdue closes the connection when the peer's time is over.
func (l *loop) handshakeOverdue(c *conn, now int64) {
	h := c.hs
	if h == nil || h.since == 0 {
		return
	}
	if now >= h.since+int64(h.left) {
		l.grant(c)
	}
	due := h.since + int64(h.left)
	if now < due {
		c.arm(due)
		return
	}
	if kernel.Unread(c.sock.Fd()) > 0 {
		// The bytes are in the kernel: it is we who are late, the loop reads
		// them next.
		c.arm(now + int64(10*time.Millisecond))
		return
	}
	took := time.Duration(now - h.begun).Round(time.Millisecond)
	l.close(c, because(HandshakeTimeout, "no answer after "+took.String()+" ("+c.handshakeParameter()+" "+c.handshakeTime().String()+")"))
}

// tlsState describes the TLS connection; nil on a plain one.
func (c *conn) tlsState() *tlsstate.State {
	if m := c.machine(); m != nil {
		return m.State()
	}
	return nil
}

// secrets takes what the TLS machine has kept of them; "" mostly.
func (c *conn) secrets() string {
	if m := c.machine(); m != nil {
		return m.Secrets()
	}
	return ""
}

// handshakers is the pool that computes handshakes: fewer goroutines than
// cores, so that traffic always has one. A connection is in the queue at most
// once, which bounds it.
type handshakers struct {
	mu    sync.Mutex
	some  sync.Cond
	queue ring.Ring[*conn]
	stop  bool
	done  sync.WaitGroup
	age   atomic.Int64 // how long the last one waited, while others do
}

func (p *handshakers) start(n int) {
	p.some.L = &p.mu
	p.done.Add(n)
	for range n {
		go p.run()
	}
}

// submit queues a connection whose machine the loop gives away.
func (p *handshakers) submit(c *conn) {
	p.mu.Lock()
	c.hs.queued = c.eng.now()
	p.queue.Push(c)
	p.mu.Unlock()
	p.some.Signal()
}

func (p *handshakers) run() {
	defer p.done.Done()
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		for p.queue.Len() == 0 {
			if p.stop {
				return
			}
			p.some.Wait()
		}
		c := p.queue.Pop()
		if p.queue.Len() > 0 {
			p.age.Store(c.eng.now() - c.hs.queued)
		} else {
			p.age.Store(0)
		}
		p.mu.Unlock()
		c.hs.compute()
		c.loop.post(c, evHandshake)
		p.mu.Lock()
	}
}

// handshakeLate is how long a step may wait for a handshaker before no new
// handshake is taken: a peer gives one up after some seconds.
const handshakeLate = int64(time.Second)

// late reports whether there are more handshakes than can be computed.
func (p *handshakers) late() bool { return p.age.Load() > handshakeLate }

// waiting is how many machines wait for a handshaker.
func (p *handshakers) waiting() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.queue.Len()
}

// close ends the pool when its queue is worked off.
func (p *handshakers) close() {
	p.mu.Lock()
	p.stop = true
	p.mu.Unlock()
	p.some.Broadcast()
	p.done.Wait()
}
