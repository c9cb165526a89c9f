package flow

import (
	"strconv"
	"time"

	"sipreactor/reactor/internal/connection"
	"sipreactor/reactor/internal/deadlines"
	"sipreactor/reactor/internal/kernel"
	"sipreactor/reactor/internal/phase"
	"sipreactor/reactor/internal/reason"
	"sipreactor/reactor/internal/sendqueue"
)

// The kernel is asked what the peer has acknowledged not for each message, but when
// much is kept, and once a second. What may be kept is bounded by what the kernel
// takes: what it holds unsent (kernel.UnsentBytes) and what is in flight.

// sent counts bytes that the socket has taken, and has the loop look after
// their acknowledgement.
func (l *Flow) sent(c *connection.Conn, n int) {
	l.Stat.Carried[c.Src.Proto].BytesOut.Add(uint64(n))
	c.Carried.BytesOut.Add(uint64(n))
	c.Own.Unacked.Sent += uint64(n)
	if !c.Own.Listed {
		c.Own.Unacked.Since = l.all.Now()
		l.list(c)
	}
}

// list has the loop look at a connection once more.
func (l *Flow) list(c *connection.Conn) {
	if !c.Own.Listed {
		c.Own.Listed = true
		l.unacked = append(l.unacked, c)
	}
}

// written counts messages that the socket has taken, and keeps them.
func (l *Flow) written(c *connection.Conn, list []sendqueue.Entry) {
	if len(list) == 0 {
		return
	}
	f, u := &c.Own.Flight, &c.Own.Unacked
	base := u.Sent - uint64(f.Taken)
	messages, asked := 0, 0
	for i := range list {
		if e := &list[i]; !e.Pong {
			messages++
			if e.Asks {
				asked++
			}
			u.Keep(f.Batch.Message(f.Count-len(list)+i), sendqueue.Mark{Wire: base + uint64(e.Wire), Asks: e.Asks, Note: e.Note})
		}
	}
	l.Stat.Carried[c.Src.Proto].MessagesOut.Add(uint64(messages))
	c.Carried.MessagesOut.Add(uint64(messages))
	if asked > 0 {
		c.Owed.Asked(l.Seconds.Load(), int64(asked))
		l.Stat.Unanswered.Add(int64(asked))
	}
	switch {
	case u.Unconfirmed && u.Bytes() > UnconfirmedBytes:
		l.confirm(c)
	case !u.Unconfirmed && u.Much():
		if _, progress := u.Ask(c.Own.Sock.Fd()); progress {
			u.Since = l.all.Now()
			l.alive(c)
		}
	}
}

// lookAll looks at every connection that has something unacknowledged. Every
// sendqueue.LookEvery; loop only. If it comes much later, the program or its machine
// was stopped: that time is nobody's.
func (l *Flow) lookAll() {
	now := l.all.Now()
	stopped := time.Duration(now-l.lookedAt) - sendqueue.LookEvery
	l.lookedAt = now
	list := l.unacked
	l.unacked = l.looked[:0]
	for i, c := range list {
		list[i] = nil
		c.Own.Listed = false
		if stopped > sendqueue.LookEvery {
			c.Own.Unacked.Stopped(now, stopped)
		}
		if c.At() == phase.Established {
			l.look(c)
		}
	}
	l.looked = list[:0]
}

// look asks what the peer has acknowledged, and gives up a connection on which
// something was not for too long. Bytes that the kernel holds because the peer's
// window is closed do not count: they are the send timeout's matter (shut). Loop only.
func (l *Flow) look(c *connection.Conn) {
	defer l.Guard(c)
	u := &c.Own.Unacked
	c.Own.Waits.Clear(deadlines.Acknowledgement)
	out, progress := u.Ask(c.Own.Sock.Fd())
	now := l.all.Now()
	if progress {
		l.alive(c)
		c.Own.Stall.Opened()
	}
	if out == 0 {
		c.Own.Stall.Opened()
		return
	}
	l.list(c)
	info, err := kernel.Info(c.Own.Sock.Fd())
	if err != nil || info.Unacked == 0 && kernel.WindowClosed(info) {
		u.Since = now
		l.shut(c, now)
		return
	}
	c.Own.Stall.Opened()
	if progress {
		u.Moves(now, time.Duration(info.Last_ack_recv)*time.Millisecond)
	}
	limit := l.all.Limits.Unacknowledged(&c.Src)
	if c.Src.Outbound && now >= u.Since+int64(limit) {
		limit += c.RoundTrip()
	}
	due := u.Since + int64(limit)
	switch {
	case now >= due && now-l.lookedAt > int64(2*sendqueue.LookEvery): // lookAll is late, and will tell
	case now >= due:
		c.NoteClose(reason.Because(reason.NoAcknowledgement, "of "+strconv.Itoa(out)+" bytes after "+
			time.Duration(now-u.Since).Round(time.Millisecond).String()+" (tcp_user_timeout)"))
		l.sayGoodbye(c) // an orderly end does not wait for such a peer either
	case due-now < int64(2*time.Second): // the next look would be late
		c.Own.Waits.Set(deadlines.Acknowledgement, due, c)
	}
}

// ShutLeast is the least time that requests stay with the kernel behind a closed window: it asks a peer whose window
// has opened again without a word after 200 ms, and then less often.
const ShutLeast = time.Second

// shut gives up a connection whose reader has stopped for the send timeout while requests wait, though the kernel has
// taken all of them: it keeps some 64 kB behind a closed window for as long as there is a connection. What is
// nobody's request may wait. Loop only.
func (l *Flow) shut(c *connection.Conn, now int64) {
	if c.Own.Waits.For(deadlines.Send) { // sendOverdue looks
		c.Own.Stall.Opened()
		return
	}
	c.Own.Stall.Shut(now, c.Owed.Finals())
	due := c.Own.Stall.ShutDue(now, max(c.Config.SendTimeout, ShutLeast), c.RoundTrip)
	switch {
	case now >= due && c.Own.Unacked.Asks():
		l.Stat.SendTimeouts.Add(1)
		c.NoteClose(reason.Because(reason.SendTimeout, "the peer took nothing for "+c.Own.Stall.ShutFor(now).Round(time.Millisecond).String()))
		l.sayGoodbye(c)
	case now < due && due-now < int64(time.Second):
		c.Own.Waits.Set(deadlines.Acknowledgement, due, c)
	}
}
