package reactor

import (
	"time"

	"golang.org/x/sys/unix"
)

// flush seals what waits in the outbox and writes it, until it is empty or the
// socket takes no more.
func (l *loop) flush(c *conn) {
	for c.phase == established && l.drain(c) {
		c.mu.Lock()
		b := c.out.box
		c.out.box = nil
		doom, half := c.doom, c.half
		c.mu.Unlock()
		if b == nil {
			switch {
			case doom != nil:
				l.finish(c)
			case half:
				l.satisfied(c)
			}
			return
		}
		c.out.flight, c.out.taken, c.out.count = b, 0, 0
		if _, err := c.codec.Write(b.text); err != nil {
			l.close(c, fail(WriteError, err))
			return
		}
		c.out.sealed = len(c.codec.Output())
		l.stat.batches.Add(1)
	}
}

// drain writes what is sealed. It answers true when all of it is taken.
func (l *loop) drain(c *conn) bool {
	for {
		out := c.codec.Output()
		if len(out) == 0 {
			l.landed(c)
			return true
		}
		n, err := unix.Write(c.fd, out)
		switch {
		case n > 0:
			c.codec.Sent(n)
			l.wrote(c, n)
			c.active.Store(l.seconds.Load())
			if c.out.flight != nil {
				l.written(c, c.out.advance(n))
			}
			if c.sendDue != 0 {
				c.sendDue = l.sendDeadline(c)
			}
		case err == unix.EINTR:
		case err == unix.EAGAIN:
			l.block(c)
			return false
		case (err == unix.EPIPE || err == unix.ECONNRESET) && unread(c.fd) > 0:
			// The peer is gone, but has said something before: its last messages, the alert that tells why.
			// The loop reads that, comes to the end and closes.
			return false
		default:
			l.close(c, fail(WriteError, err))
			return false
		}
	}
}

// wrote counts bytes that the socket has taken.
func (l *loop) wrote(c *conn, n int) {
	l.stat.carried[c.src.Proto].bytesOut.Add(uint64(n))
	c.carried.bytesOut.Add(uint64(n))
}

// written counts messages that the socket has taken.
func (l *loop) written(c *conn, messages int) {
	if c.trial != nil {
		c.trial.messages += messages
		return
	}
	c.delivered(messages)
}

// landed lets go of a batch that is wholly written.
func (l *loop) landed(c *conn) {
	if b := c.out.flight; b != nil {
		c.out.flight = nil
		if c.trial == nil {
			b.free()
		} else if c.trial.keep(b); c.trial.bytes > trialBytes {
			l.acquit(c)
		}
	}
	if c.sendDue != 0 {
		c.sendDue = 0
		c.mu.Lock()
		c.stuck, c.out.held = false, 0
		c.mu.Unlock()
	}
}

// block has the parking lot watch for a socket that takes no more, and lets the
// connection go if more waits than may.
func (l *loop) block(c *conn) {
	c.mu.Lock()
	c.stuck = true
	c.out.held = 0
	if c.out.flight != nil {
		c.out.held = len(c.out.flight.ends) - c.out.count
	}
	full := c.out.waitingCount() > c.cfg.MaxPostponed && c.phase == established
	c.mu.Unlock()
	if full {
		l.close(c, because(QueueFull, "the peer takes nothing"))
		return
	}
	if c.sendDue == 0 {
		l.stat.blocked.Add(1)
		c.sendDue = l.sendDeadline(c)
	}
	c.arm(c.sendDue)
	if err := l.eng.lot.watch(c); err != nil {
		l.close(c, fail(WriteError, err))
	}
}

// writable goes on writing. Loop only; the parking lot asked for it.
func (l *loop) writable(c *conn) {
	switch {
	case c.hs != nil && c.hs.busy: // handshaken will
	case c.phase == handshaking:
		l.drain(c)
	case c.phase == established:
		l.flush(c)
	}
}

// sendDeadline is when an outbox that makes no progress from now on is given up.
func (l *loop) sendDeadline(c *conn) int64 {
	return l.eng.now() + int64(c.cfg.SendTimeout) + int64(l.eng.cfg.roundTrip(c.fd))
}

// roundTrip asks the kernel how long the path takes, at most two seconds.
func roundTrip(fd int) time.Duration {
	info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
	if err != nil {
		return 0
	}
	return min(time.Duration(info.Rtt)*time.Microsecond, maxRoundTrip)
}

const maxRoundTrip = 2 * time.Second

// unread is how many bytes the kernel holds that we have not read.
func unread(fd int) int {
	n, err := unix.IoctlGetInt(fd, unix.TIOCINQ)
	if err != nil {
		return 0
	}
	return max(n, 0)
}
