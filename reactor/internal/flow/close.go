package flow

import (
	"sipreactor/reactor/internal/connection"
	"sipreactor/reactor/internal/deadlines"
	"sipreactor/reactor/internal/handshakes"
	"sipreactor/reactor/internal/kernel"
	"sipreactor/reactor/internal/phase"
	"sipreactor/reactor/internal/poller"
	"sipreactor/reactor/internal/reason"
	"sipreactor/reactor/internal/sendqueue"
)

// The one close path. Whoever finds that a connection must close calls close (on
// its loop) or Conn.AskClose (anywhere): the first reason stays. Proceed lets an
// orderly end wait for what is still to be written, sayGoodbye sends the alert or
// the close_notify and closes the socket, which comes back by SocketCloses: part decides
// what becomes of what the kernel has taken, and CleanUp settles everything that
// hung on the connection. A connection that never reached a loop goes straight to
// CleanUp.
//
// An orderly end destroys nothing that the kernel has taken: the socket lingers
// (package connectqueue) until the peer has it. An end by a fault takes back what was not
// acknowledged, and aborts, so that nothing that is given back can still arrive.

// Close ends a connection for a reason. Loop only.
func (l *Flow) Close(c *connection.Conn, why *reason.Error) {
	c.NoteClose(why)
	l.Proceed(c)
}

// Proceed carries out a connection's close. Loop only.
func (l *Flow) Proceed(c *connection.Conn) {
	if c.Own.Handshake.Is(handshakes.Away) {
		return // the machine is a handshaker's: Handshaken comes back here
	}
	if c.At() == phase.Established && c.Why().Reason.Orderly() && !c.Own.Ending {
		c.Own.Ending = true
		c.Reading.End()
		l.Flush(c) // says goodbye when all is written; the send timeout bounds the wait
	}
	if c.At() == phase.Established && c.Own.Ending && c.Own.Waits.For(deadlines.Send) && reason.Patient(c.Why().Reason) {
		return
	}
	l.sayGoodbye(c)
}

// sayGoodbye sends the alert or the close_notify, as far as the socket takes it at
// once, and closes.
func (l *Flow) sayGoodbye(c *connection.Conn) {
	if c.At() >= phase.Closing {
		return // flush has said it
	}
	c.Enter(phase.Closing)
	if c.Own.Codec != nil {
		if c.Was() == phase.Established && c.Own.Flight.Batch == nil && c.Why().Reason.Orderly() {
			goodbye(c, c.Why())
			_ = c.Own.Codec.CloseNotify()
		}
		for out := c.Own.Codec.Output(); len(out) > 0 && !c.Own.Waits.For(deadlines.Send); out = c.Own.Codec.Output() {
			n, err := c.Own.Sock.Write(out)
			if err != nil || n <= 0 {
				break
			}
			c.Own.Codec.Sent(n)
			l.sent(c, n)
			if c.Own.Flight.Batch != nil {
				l.written(c, c.Own.Flight.Advance(n))
			}
		}
	}
	if c.Why().Reason.Orderly() || c.Was() == phase.Handshaking && c.Src.Proto.Web() { // whose refusal is to arrive
		kernel.Discard(c.Own.Sock.Fd())
	}
	c.Own.Sock.Close()
}

// SocketCloses is the loop's word that the descriptor is about to close: we closed it, or
// the peer did. A peer that only ended its half of the stream may have responses
// to get: see survives.
func (l *Flow) SocketCloses(c *connection.Conn, err error) {
	if c.At() == phase.Closed || l.survives(c, err) {
		return
	}
	if c.At() == phase.Handshaking {
		c.NoteClose(reason.Because(reason.HandshakeFailed, "the peer closed the connection"))
	}
	if err == nil || err == poller.ErrEnd || err == poller.ErrBroken {
		c.NoteClose(reason.Because(reason.PeerClosed, ""))
	}
	c.NoteClose(reason.Fail(reason.ReadError, err))
	l.Idle.Remove(c)
	l.program.AnswersWait(c, false)
	l.part(c)
	c.CleanUp()
}

// part leaves the descriptor of a connection to the loop, which closes it next.
func (l *Flow) part(c *connection.Conn) {
	u, why := &c.Own.Unacked, c.Why()
	if c.Was() != phase.Established {
		return // handshakes have nothing that anybody gets back
	}
	if u.Unconfirmed && !reason.Alerted(why) {
		u.Unconfirmed = false
	}
	u.Ask(c.Own.Sock.Fd())
	if why.Reason.Orderly() {
		if u.Empty() && why.Reason == reason.PeerClosed || l.linger(c) {
			return
		}
		if u.Empty() {
			return // the kernel says the goodbye
		}
	}
	if c.Owes() {
		kernel.AbortOnClose(c.Own.Sock.Fd())
		l.all.Stat.Aborted.Add(1)
	}
}

// linger keeps the socket of a connection that ends in order until the peer has
// the rest; false when it cannot.
func (l *Flow) linger(c *connection.Conn) bool {
	return l.all.Connects.Linger(c.Own.Sock.Fd(), &c.Own.Unacked, func(rest *sendqueue.Unacknowledged) {
		if !rest.Empty() {
			l.all.Stat.Aborted.Add(1)
		}
		l.all.ReturnAll(c, rest, c.Why())
	})
}

// Finish ends a connection unless its peer has said something that is still to be read
// or answered. What it says behind this moment and before it has read our FIN is lost to
// it: nothing can be written behind a FIN. Loop only.
func (l *Flow) Finish(c *connection.Conn) {
	if !c.Reading.Here() && (c.Reading.Over() || l.all.IgnoresInput.Load() || kernel.Unread(c.Own.Sock.Fd()) == 0) {
		l.Close(c, reason.Because(reason.Shutdown, ""))
	}
}
