package reactor

import (
	"os"
	"time"

	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/deadlines"
	"sipreactor/reactor/internal/glance"
	"sipreactor/reactor/internal/handshakes"
	"sipreactor/reactor/internal/kernel"
	"sipreactor/reactor/internal/phase"
	"sipreactor/reactor/internal/poller"
	"sipreactor/reactor/internal/reason"
	"sipreactor/reactor/internal/sendqueue"
)

// A peer may end its half of a connection and still read ours: with a FIN behind
// its last request, or with TLS's close_notify (RFC 8446 6.1). While requests of
// its are not answered, the connection then lives on as a half-closed one: it
// takes replies only, senders that look for a connection do not find it, and it
// ends when the last request has its final reply, or after halfClosedTime.
//
// A loop closes a descriptor at the end of its stream. So that the socket lives on
// it is detached from the loop (poller.Socket). The connect queue watches that one, for a reset only: there is
// nothing more to be read. A peer that has gone altogether looks the same as one
// that ended its half, until it resets what is sent to it.

// halfClosedTime is how long a half-closed connection waits for the replies to
// its requests: 64·T1, as long as a transaction that is not an INVITE's may take
// (RFC 3261 17.1.2.2).
const halfClosedTime = 32 * time.Second

// replied looks for final replies among what is written next. Loop only.
func (c *conn) replied(b *sendqueue.Batch) {
	for i := range b.Ends {
		c.owed.Replied(b.Message(i))
	}
}

// answers looks at the message that was put into the send queue last: a request has no place on a half-closed
// connection, where it is taken out again and false is the answer. The lock is held.
func (c *conn) answers() bool {
	if b := c.out.Waiting; c.half && !glance.IsReply(b.Message(len(b.Ends)-1)) {
		c.out.RemoveLast()
		return false
	}
	return true
}

// outlives reports whether a connection goes on though its peer says nothing more,
// because that has replies to get. Loop only.
func (c *conn) outlives() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.life.Why() != nil || c.life.At() != phase.Established {
		return false
	}
	return c.owed.Theirs() > 0 || !c.src.Outbound && (c.out.Waiting != nil || c.out.Flight != nil)
}

// ended is the peer's word that it says nothing more; how is the end's detail.
// Loop only.
func (l *loop) ended(c *conn, how string) {
	if !c.outlives() {
		l.close(c, reason.Because(PeerClosed, how))
		return
	}
	c.reading.End()
	c.waits.Clear(deadlines.Message)
	if c.framing.Drop() { // it will never be whole
		c.place.Unfinished(false)
	}
	c.mu.Lock()
	first := !c.half
	c.half = true
	c.mu.Unlock()
	if first {
		l.stat.HalfClosed.Add(1)
		c.waits.Set(deadlines.HalfClosed, l.eng.now()+int64(l.eng.cfg.halfClosedTime), c)
	}
	l.flush(c)
}

// satisfied ends a half-closed connection whose requests are answered and whose
// replies are written. Loop only.
func (l *loop) satisfied(c *conn) {
	if c.owed.Theirs() == 0 {
		l.close(c, reason.Because(PeerClosed, "and has its replies"))
	}
}

// abandoned ends a half-closed connection whose requests stay without a reply.
// Loop only.
func (l *loop) abandoned(c *conn) {
	l.close(c, reason.Because(PeerClosed, "and requests of its had no reply after "+l.eng.cfg.halfClosedTime.String()))
}

// survives is asked when the loop is about to close the connection. It returns true
// if the socket lives on without a loop: the peer's stream has ended,
// but whole messages before that end are not worked off. Loop only.
func (l *loop) survives(c *conn, err error) bool {
	if err != poller.ErrEnd {
		return false
	}
	waits := c.life.At() == phase.Handshaking && !c.Closes() && (!c.hs.Is(handshakes.Here) || c.hs.Waiting() > 0)
	if !waits && !c.outlives() {
		return false
	}
	c.mu.Lock()
	blocked := c.blocked
	c.mu.Unlock()
	if c.known {
		l.eng.connects.Forget(c)
	}
	c.mu.Lock() // others look at the descriptor
	detached := c.sock.Detach()
	c.mu.Unlock()
	if !detached {
		return false
	}
	c.reading.Detach()
	watch := l.eng.connects.WatchEnd
	if blocked {
		watch = l.eng.connects.WatchWrite
	}
	c.known = true
	if err := watch(c); err != nil {
		l.close(c, reason.Fail(WriteError, err))
		return true
	}
	if c.life.At() == phase.Established {
		l.ended(c, "")
	}
	return true
}

// reset ends a half-closed connection whose peer has reset it, and answers
// whether it has. Loop only.
func (l *loop) reset(c *conn) bool {
	if !c.reading.Detached() || !kernel.Dead(c.sock.Fd()) {
		return false
	}
	l.close(c, reason.Fail(ReadError, os.NewSyscallError("read", kernel.SocketError(c.sock.Fd(), unix.ECONNRESET))))
	return true
}
