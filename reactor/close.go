package reactor

import (
	"errors"
	"sipreactor/reactor/internal/deadlines"
	"sipreactor/reactor/internal/handshakes"
	"sipreactor/reactor/internal/kernel"
	"sipreactor/reactor/internal/phase"
	"sipreactor/reactor/internal/poller"
	"sipreactor/reactor/internal/reason"
	"sipreactor/reactor/internal/sendqueue"
	"sipreactor/reactor/internal/websocket"
	"sipreactor/tlsstate"
)

// The one close path. Whoever finds that a connection must close calls close (on
// its loop) or conn.askClose (anywhere): the first reason stays. proceed lets an
// orderly end wait for what is still to be written, sayGoodbye sends the alert or
// the close_notify and closes the socket, which comes back as closed: part decides
// what becomes of what the kernel has taken, and cleanUp settles everything that
// hung on the connection. A connection that never reached a loop goes straight to
// cleanUp.
//
// An orderly end destroys nothing that the kernel has taken: the socket lingers
// (package connectqueue) until the peer has it. An end by a fault takes back what was not
// acknowledged, and aborts, so that nothing that is given back can still arrive.

// close ends a connection for a reason. Loop only.
func (l *loop) close(c *conn, why *Error) {
	c.noteClose(why)
	l.proceed(c)
}

// proceed carries out a connection's close. Loop only.
func (l *loop) proceed(c *conn) {
	if c.hs.Is(handshakes.Away) {
		return // the machine is a handshaker's: handshaken comes back here
	}
	if c.life.At() == phase.Established && c.life.Why().Reason.Orderly() && !c.ending {
		c.ending = true
		c.reading.End()
		l.flush(c) // says goodbye when all is written; the send timeout bounds the wait
	}
	if c.life.At() == phase.Established && c.ending && c.waits.For(deadlines.Send) && reason.Patient(c.life.Why().Reason) {
		return
	}
	l.sayGoodbye(c)
}

// sayGoodbye sends the alert or the close_notify, as far as the socket takes it at
// once, and closes.
func (l *loop) sayGoodbye(c *conn) {
	if c.life.At() >= phase.Closing {
		return // flush has said it
	}
	c.step(phase.Closing)
	if c.codec != nil {
		if c.life.Was() == phase.Established && c.out.Flight == nil && c.life.Why().Reason.Orderly() {
			c.goodbye(c.life.Why())
			_ = c.codec.CloseNotify()
		}
		for out := c.codec.Output(); len(out) > 0 && !c.waits.For(deadlines.Send); out = c.codec.Output() {
			n, err := c.sock.Write(out)
			if err != nil || n <= 0 {
				break
			}
			c.codec.Sent(n)
			l.sent(c, n)
			if c.out.Flight != nil {
				l.written(c, c.out.Advance(n))
			}
		}
	}
	if c.life.Why().Reason.Orderly() || c.life.Was() == phase.Handshaking && c.src.Proto.Web() { // whose refusal is to arrive
		kernel.Discard(c.sock.Fd())
	}
	c.sock.Close()
}

// closed is the loop's word that the descriptor is about to close: we closed it, or
// the peer did. A peer that only ended its half of the stream may have replies
// to get: see survives.
func (l *loop) closed(c *conn, err error) {
	if c.life.At() == phase.Closed || l.survives(c, err) {
		return
	}
	if c.life.At() == phase.Handshaking {
		c.noteClose(reason.Because(HandshakeFailed, "the peer closed the connection"))
	}
	if err == nil || err == poller.ErrEnd || err == poller.ErrBroken {
		c.noteClose(reason.Because(PeerClosed, ""))
	}
	c.noteClose(reason.Fail(ReadError, err))
	l.idle.Remove(c)
	l.policy.Answers(&c.reading.AnswersWait, false)
	l.part(c)
	c.cleanUp()
}

// part leaves the descriptor of a connection to the loop, which closes it next.
func (l *loop) part(c *conn) {
	u, why := &c.unacked, c.life.Why()
	if c.life.Was() != phase.Established {
		return // handshakes have nothing that anybody gets back
	}
	if u.Unconfirmed && !reason.Alerted(why) {
		u.Unconfirmed = false
	}
	u.Ask(c.sock.Fd())
	if why.Reason.Orderly() {
		if u.Empty() && why.Reason == PeerClosed || l.linger(c) {
			return
		}
		if u.Empty() {
			return // the kernel says the goodbye
		}
	}
	c.mu.Lock()
	back := !u.Empty() || c.out.Flight != nil || c.out.Waiting != nil
	c.mu.Unlock()
	if back {
		kernel.AbortOnClose(c.sock.Fd())
		l.eng.stat.Aborted.Add(1)
	}
}

// linger keeps the socket of a connection that ends in order until the peer has
// the rest; false when it cannot.
func (l *loop) linger(c *conn) bool {
	return l.eng.connects.Linger(c.sock.Fd(), &c.unacked, func(rest *sendqueue.Unacknowledged) {
		if !rest.Empty() {
			l.eng.stat.Aborted.Add(1)
		}
		l.eng.returnAll(c, rest, c.life.Why())
	})
}

// cleanUp settles all that hangs on a connection whose descriptor is closed or
// never was. The owner calls it, once. What it owes others comes first, its codec last.
func (c *conn) cleanUp() {
	e := c.eng
	defer e.table.Remove(c.id) // last: Stop waits for an empty table, and so until all of this is told
	was, box, why := c.over()
	if c.known {
		e.connects.Forget(c)
	}
	c.waits.Stop()
	c.framing.Drop()
	c.place.Leave()
	e.peers.Leave(c)
	if !c.src.Outbound {
		e.inbound.Add(-1)
	}
	if c.src.Outbound {
		c.countBackoff(was, why)
	}
	c.returnUnacked(why)
	if flight := c.out.Flight; flight != nil {
		c.out.Flight = nil
		e.undeliver(c, flight, c.out.Count, why)
	}
	if box != nil {
		e.undeliver(c, box, 0, why)
	}
	e.stat.Closed[why.Reason].Add(1)
	c.countFailure(was, why)
	ev := &Event{Kind: ConnClosed, Err: why, Was: was}
	defer c.tellEnd(ev)
	c.stopCodec(was, ev)
}

// tellEnd tells the observer and the log of the connection's end.
func (c *conn) tellEnd(ev *Event) {
	c.eng.tell(c, ev)
	c.mu.Lock()
	domain := c.tls.domain
	c.mu.Unlock()
	if ev.TLS != nil { // it ended in its handshake
		domain = ev.TLS.Domain
	}
	c.eng.connlog.Closed(c.eng.now(), c.called(), ev.Was, ev.Err, domain)
}

// over is the connection's step into its last phase: it returns the phase before that, what waits to be written, and why.
func (c *conn) over() (was phase.Phase, box *sendqueue.Batch, why *Error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	was = c.life.Was()
	c.life.Step(phase.Closed)
	box, c.out.Waiting = c.out.Waiting, nil
	return was, box, c.life.Why()
}

// stopCodec ends the codec, and notes for the event of its end what a handshake has come to.
func (c *conn) stopCodec(was phase.Phase, ev *Event) {
	if c.codec == nil || c.hs.Is(handshakes.Away) {
		return
	}
	codec, signing := c.codec, c.hs.Is(handshakes.Signing)
	if was == phase.Handshaking {
		ev.TLS, ev.Secrets = c.tlsState(), c.secrets()
		ev.Request, ev.Answer = c.talk()
	}
	if signing {
		c.loop.stat.Signing.Add(-1)
	}
	c.codec, c.hs = nil, nil
	codec.Stop()
}

// returnUnacked returns back what was written and not acknowledged. What the peer
// has, and has not answered, is counted.
func (c *conn) returnUnacked(why *Error) {
	requests := c.eng.returnAll(c, &c.unacked, why)
	if n := c.owed.Close(); n != 0 {
		c.loop.stat.Unanswered.Add(-n)
		c.eng.stat.NeverAnswered.Add(uint64(max(n-requests, 0)))
	}
}

// undeliver tells the fate of a batch's messages from the i-th on: the sender
// that still waits, or the Handler.
func (e *Engine) undeliver(c *conn, b *sendqueue.Batch, i int, why *Error) {
	for ; i < len(b.Ends); i++ {
		m := &b.Ends[i]
		if m.Pong || m.Wait != nil && m.Wait.Settle(why) {
			continue
		}
		e.giveBack(c, b.Message(i), m.Note, why)
	}
	b.Free()
}

// countFailure counts a connection that ended before it was established. Owner
// only, at its end.
func (c *conn) countFailure(was phase.Phase, why *Error) {
	switch {
	case was < phase.Handshaking:
		c.eng.stat.DialsFailed[why.Reason].Add(1)
	case was == phase.Handshaking:
		var t *tlsstate.Error
		var w *websocket.Error
		switch {
		case errors.As(why, &t):
			c.eng.stat.HandshakeDefects.Add(t.Reason)
		case errors.As(why, &w):
			c.eng.stat.HandshakeDefects.Add(w.Reason)
		}
		c.loop.stat.Handshakes[c.src.side()].Failed[why.Reason].Add(1)
	}
}
