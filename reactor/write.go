package reactor

import (
	"time"

	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/deadlines"
	"sipreactor/reactor/internal/handshakes"
	"sipreactor/reactor/internal/kernel"
	"sipreactor/reactor/internal/phase"
	"sipreactor/reactor/internal/reason"
)

// flush seals what waits in the send queue and writes it, until it is empty or the
// socket takes no more.
func (l *loop) flush(c *conn) {
	for c.life.At() == phase.Established && l.drain(c) {
		c.mu.Lock()
		b := c.out.Waiting
		c.out.Waiting = nil
		closeReason, half := c.life.Why(), c.half
		c.mu.Unlock()
		if b == nil {
			switch {
			case closeReason != nil:
				l.sayGoodbye(c)
			case half:
				l.satisfied(c)
			}
			return
		}
		c.replied(b)
		c.out.Turn(b)
		_, err := c.codec.Write(b.Text)
		c.out.Turn(b)
		c.out.Launch(b, len(c.codec.Output()))
		if err != nil {
			l.close(c, reason.Fail(WriteError, err))
			return
		}
		l.stat.Batches.Add(1)
	}
}

// drain writes what is sealed. It returns true when all of it is taken.
func (l *loop) drain(c *conn) bool {
	progress := false
	for {
		out := c.codec.Output()
		if len(out) == 0 {
			l.landed(c)
			return true
		}
		n, err := c.sock.Write(out[:min(len(out), kernel.WriteBytes)])
		switch {
		case n > 0:
			progress = true
			c.codec.Sent(n)
			l.sent(c, n)
			if c.out.Flight != nil {
				l.written(c, c.out.Advance(n))
			}
		case err == unix.EINTR:
		case err == unix.EAGAIN:
			l.block(c, progress)
			return false
		case (err == unix.EPIPE || err == unix.ECONNRESET) && kernel.Unread(c.sock.Fd()) > 0:
			// The peer is gone, but has said something before: its last messages, the alert that tells why.
			// The loop reads that, comes to the end and closes.
			return false
		default:
			l.close(c, reason.Fail(WriteError, err))
			return false
		}
	}
}

// landed lets go of a batch that is wholly written.
func (l *loop) landed(c *conn) {
	if b := c.out.Flight; b != nil {
		c.out.Flight = nil
		b.Free()
	}
	if c.waits.For(deadlines.Send) {
		c.waits.Clear(deadlines.Send)
		c.mu.Lock()
		c.blocked, c.out.Blocked, c.out.Full = false, 0, false
		c.mu.Unlock()
		l.unswamp(c)
	}
}

// block has the connect queue watch for a socket that takes no more. progress
// tells that it has taken something just now.
func (l *loop) block(c *conn, progress bool) {
	c.mu.Lock()
	c.blocked = true
	c.out.Blocked = c.out.Unsent()
	if progress {
		c.out.Full = false
	}
	c.mu.Unlock()
	if !c.waits.For(deadlines.Send) || progress {
		if !c.waits.For(deadlines.Send) {
			l.stat.Blocked.Add(1)
			l.blocked.Add(c, l.eng.now())
		}
		l.moves(c, l.eng.now())
	}
	c.known = true
	if err := l.eng.connects.WatchWrite(c); err != nil {
		l.close(c, reason.Fail(WriteError, err))
	}
}

// unblock goes on writing where the socket takes bytes again. Loop only.
func (l *loop) unblock() {
	if l.blocked.Len() == 0 {
		return
	}
	all, n := l.blocked.Writable(l.eng.now(), (*conn).isBlocked)
	for _, c := range all[:n] {
		l.writable(c)
	}
}

// isBlocked reports whether the socket took no more when it was last written to. Loop only.
func (c *conn) isBlocked() bool {
	return c.life.At() == phase.Established && c.waits.For(deadlines.Send)
}

// writable goes on writing. Loop only; the connect queue asked for it.
func (l *loop) writable(c *conn) {
	defer l.guard(c)
	switch {
	case c.hs.Is(handshakes.Away): // handshaken will
	case l.reset(c):
	case c.life.At() == phase.Handshaking:
		l.drain(c)
	case c.life.At() == phase.Established:
		l.flush(c)
	}
}

// moves notes that the peer of a blocked connection makes progress, or is not
// to blame that there is none, and looks again in a while.
func (l *loop) moves(c *conn, now int64) {
	c.stall.Moves(now, c.owed.Finals())
	l.watchSend(c, now)
}

// watchSend looks again in a while: often enough that a peer which stops right
// behind a look is not given much more than the send timeout. Loop only.
func (l *loop) watchSend(c *conn, now int64) {
	c.waits.Set(deadlines.Send, now+max(int64(c.cfg.SendTimeout)/4, int64(time.Millisecond)), c)
}

// sendOverdue looks whether a blocked connection makes progress, and gives one
// up whose reader has stopped for the send timeout: its window is closed, and
// neither is anything acknowledged nor does the peer answer. While segments are
// under way the path is to blame, and tcp_user_timeout decides. Loop only.
func (l *loop) sendOverdue(c *conn, now int64) {
	_, progress := c.unacked.Ask(c.sock.Fd())
	if progress {
		l.alive(c)
		c.unacked.Since = now
	}
	info, err := kernel.Info(c.sock.Fd())
	if closed := err != nil || kernel.WindowClosed(info); progress || !closed || c.stall.Answered(c.owed.Finals()) {
		l.moves(c, now)
		return
	}
	limit := c.cfg.SendTimeout
	if c.stall.Lasts(now, limit/2) {
		l.unswamp(c)
	}
	if !c.stall.Over(now, limit, c.roundTrip) {
		l.watchSend(c, now)
		return
	}
	c.mu.Lock()
	full := c.out.Full
	c.mu.Unlock()
	why := reason.Because(SendTimeout, "the peer took nothing for "+c.cfg.SendTimeout.String())
	if full {
		why = reason.Because(QueueFull, "the peer took nothing for "+c.cfg.SendTimeout.String())
	} else {
		l.stat.SendTimeouts.Add(1)
	}
	c.noteClose(why)
	l.sayGoodbye(c)
}
