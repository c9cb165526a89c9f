package flow

import (
	"time"

	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/connection"
	"sipreactor/reactor/internal/deadlines"
	"sipreactor/reactor/internal/handshakes"
	"sipreactor/reactor/internal/kernel"
	"sipreactor/reactor/internal/phase"
	"sipreactor/reactor/internal/reason"
)

// Flush seals what waits in the send queue and writes it, until it is empty or the
// socket takes no more.
func (l *Flow) Flush(c *connection.Conn) {
	for c.At() == phase.Established && l.drain(c) {
		b, why, half := c.TakeWaiting()
		if b == nil {
			switch {
			case why != nil:
				l.sayGoodbye(c)
			case half:
				l.satisfied(c)
			}
			return
		}
		responded(c, b)
		c.Turn(b)
		_, err := c.Own.Codec.Write(b.Text)
		c.Turn(b)
		c.Own.Flight.Launch(b, len(c.Own.Codec.Output()))
		if err != nil {
			l.Close(c, reason.Fail(reason.WriteError, err))
			return
		}
		l.Stat.Batches.Add(1)
	}
}

// drain writes what is sealed. It returns true when all of it is taken.
func (l *Flow) drain(c *connection.Conn) bool {
	progress := false
	for {
		out := c.Own.Codec.Output()
		if len(out) == 0 {
			l.landed(c)
			return true
		}
		n, err := c.Own.Sock.Write(out[:min(len(out), kernel.WriteBytes)])
		switch {
		case n > 0:
			progress = true
			c.Own.Codec.Sent(n)
			l.sent(c, n)
			if c.Own.Flight.Batch != nil {
				l.written(c, c.Own.Flight.Advance(n))
			}
		case err == unix.EINTR:
		case err == unix.EAGAIN:
			l.block(c, progress)
			return false
		case (err == unix.EPIPE || err == unix.ECONNRESET) && kernel.Unread(c.Own.Sock.Fd()) > 0:
			// The peer is gone, but has said something before: its last messages, the alert that tells why.
			// The loop reads that, comes to the end and closes.
			return false
		default:
			l.Close(c, reason.Fail(reason.WriteError, err))
			return false
		}
	}
}

// landed lets go of a batch that is wholly written.
func (l *Flow) landed(c *connection.Conn) {
	if b := c.Own.Flight.Batch; b != nil {
		c.Own.Flight.Batch = nil
		b.Free()
	}
	if c.Own.Waits.For(deadlines.Send) {
		c.Own.Waits.Clear(deadlines.Send)
		c.Unblocks()
		l.unswamp(c)
	}
}

// block has the connect queue watch for a socket that takes no more. progress
// tells that it has taken something just now.
func (l *Flow) block(c *connection.Conn, progress bool) {
	c.Blocks(progress)
	if !c.Own.Waits.For(deadlines.Send) || progress {
		if !c.Own.Waits.For(deadlines.Send) {
			l.Stat.Blocked.Add(1)
			l.blocked.Add(c, l.all.Now())
		}
		l.moves(c, l.all.Now())
	}
	if err := c.WatchWrite(); err != nil {
		l.Close(c, reason.Fail(reason.WriteError, err))
	}
}

// Unblock goes on writing where the socket takes bytes again. Loop only.
func (l *Flow) Unblock() {
	if l.blocked.Len() == 0 {
		return
	}
	all, n := l.blocked.Writable(l.all.Now(), isBlocked)
	for _, c := range all[:n] {
		l.Writable(c)
	}
}

// isBlocked reports whether the socket took no more when it was last written to. Loop only.
func isBlocked(c *connection.Conn) bool {
	return c.At() == phase.Established && c.Own.Waits.For(deadlines.Send)
}

// Writable goes on writing. Loop only; the connect queue asked for it.
func (l *Flow) Writable(c *connection.Conn) {
	defer l.Guard(c)
	switch {
	case c.Own.Handshake.Is(handshakes.Away): // Handshaken will
	case l.reset(c):
	case c.At() == phase.Handshaking:
		l.drain(c)
	case c.At() == phase.Established:
		l.Flush(c)
	}
}

// moves notes that the peer of a blocked connection makes progress, or is not
// to blame that there is none, and looks again in a while.
func (l *Flow) moves(c *connection.Conn, now int64) {
	c.Own.Stall.Moves(now, c.Owed.Finals())
	l.watchSend(c, now)
}

// watchSend looks again in a while: often enough that a peer which stops right
// behind a look is not given much more than the send timeout. Loop only.
func (l *Flow) watchSend(c *connection.Conn, now int64) {
	c.Own.Waits.Set(deadlines.Send, now+max(int64(c.Config.SendTimeout)/4, int64(time.Millisecond)), c)
}

// SendOverdue looks whether a blocked connection makes progress, and gives one
// up whose reader has stopped for the send timeout: its window is closed, and
// neither is anything acknowledged nor does the peer answer. While segments are
// under way the path is to blame, and tcp_user_timeout decides. Loop only.
func (l *Flow) SendOverdue(c *connection.Conn, now int64) {
	_, progress := c.Own.Unacked.Ask(c.Own.Sock.Fd())
	if progress {
		l.alive(c)
		c.Own.Unacked.Since = now
	}
	info, err := kernel.Info(c.Own.Sock.Fd())
	if closed := err != nil || kernel.WindowClosed(info); progress || !closed || c.Own.Stall.Answered(c.Owed.Finals()) {
		l.moves(c, now)
		return
	}
	limit := c.Config.SendTimeout
	if c.Own.Stall.Lasts(now, limit/2) {
		l.unswamp(c)
	}
	if !c.Own.Stall.Over(now, limit, c.RoundTrip) {
		l.watchSend(c, now)
		return
	}
	why := reason.Because(reason.SendTimeout, "the peer took nothing for "+c.Config.SendTimeout.String())
	if c.HasRefused() {
		why = reason.Because(reason.QueueFull, "the peer took nothing for "+c.Config.SendTimeout.String())
	} else {
		l.Stat.SendTimeouts.Add(1)
	}
	c.NoteClose(why)
	l.sayGoodbye(c)
}
