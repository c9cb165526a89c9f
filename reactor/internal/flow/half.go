package flow

import (
	"os"
	"time"

	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/connection"
	"sipreactor/reactor/internal/deadlines"
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
// takes responses only, senders that look for a connection do not find it, and it
// ends when the last request has its final response, or after HalfClosedTime.
//
// A loop closes a descriptor at the end of its stream. So that the socket lives on
// it is detached from the loop (poller.Socket). The connect queue watches that one, for a reset only: there is
// nothing more to be read. A peer that has gone altogether looks the same as one
// that ended its half, until it resets what is sent to it.

// HalfClosedTime is how long a half-closed connection waits for the responses to
// its requests: 64·T1, as long as a transaction that is not an INVITE's may take
// (RFC 3261 17.1.2.2).
const HalfClosedTime = 32 * time.Second

// responded looks for final responses among what is written next. Loop only.
func responded(c *connection.Conn, b *sendqueue.Batch) {
	for i := range b.Ends {
		c.Owed.Responded(b.Message(i))
	}
}

// ended is the peer's word that it says nothing more; how is the end's detail.
// Loop only.
func (l *Flow) ended(c *connection.Conn, how string) {
	if !c.Outlives() {
		l.Close(c, reason.Because(reason.PeerClosed, how))
		return
	}
	c.Reading.End()
	c.Own.Waits.Clear(deadlines.Message)
	if c.Own.Framing.Drop() { // it will never be whole
		c.Own.Share.Unfinished(false)
	}
	if c.EndHalf() {
		l.Stat.HalfClosed.Add(1)
		c.Own.Waits.Set(deadlines.HalfClosed, l.all.Now()+int64(l.all.Limits.HalfClosedTime), c)
	}
	l.Flush(c)
}

// satisfied ends a half-closed connection whose requests are answered and whose
// responses are written. Loop only.
func (l *Flow) satisfied(c *connection.Conn) {
	if c.Owed.Theirs() == 0 {
		l.Close(c, reason.Because(reason.PeerClosed, "and has its responses"))
	}
}

// abandoned ends a half-closed connection whose requests stay without a response.
// Loop only.
func (l *Flow) abandoned(c *connection.Conn) {
	l.Close(c, reason.Because(reason.PeerClosed, "and requests of its had no response after "+l.all.Limits.HalfClosedTime.String()))
}

// survives is asked when the loop is about to close the connection. It returns true
// if the socket lives on without a loop: the peer's stream has ended,
// but whole messages before that end are not worked off. Loop only.
func (l *Flow) survives(c *connection.Conn, err error) bool {
	if err != poller.ErrEnd {
		return false
	}
	waits := c.At() == phase.Handshaking && !c.Closes() && (!c.Own.Handshake.Is(handshakes.Here) || c.Own.Handshake.Waiting() > 0)
	if !waits && !c.Outlives() {
		return false
	}
	c.Unwatch()
	detached, blocked := c.Detach()
	if !detached {
		return false
	}
	c.Reading.Detach()
	watch := c.WatchEnd
	if blocked {
		watch = c.WatchWrite
	}
	if err := watch(); err != nil {
		l.Close(c, reason.Fail(reason.WriteError, err))
		return true
	}
	if c.At() == phase.Established {
		l.ended(c, "")
	}
	return true
}

// reset ends a half-closed connection whose peer has reset it, and answers
// whether it has. Loop only.
func (l *Flow) reset(c *connection.Conn) bool {
	if !c.Reading.Detached() || !kernel.Dead(c.Own.Sock.Fd()) {
		return false
	}
	l.Close(c, reason.Fail(reason.ReadError, os.NewSyscallError("read", kernel.SocketError(c.Own.Sock.Fd(), unix.ECONNRESET))))
	return true
}
