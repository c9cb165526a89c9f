package reactor

import (
	"strconv"
	"time"

	"sipreactor/reactor/internal/deadlines"
	"sipreactor/reactor/internal/kernel"
	"sipreactor/reactor/internal/phase"
	"sipreactor/reactor/internal/reason"
	"sipreactor/reactor/internal/sendqueue"
)

// The kernel is asked what the peer has acknowledged not for each message, but when
// much is kept, and once a second. What may be kept is bounded by what the kernel
// takes: what it holds unsent (kernel.UnsentBytes) and what is in flight.

// returnAll returns what is unacknowledged back to the Handler, and returns how many
// requests there were among it.
func (e *Engine) returnAll(c *conn, u *sendqueue.Unacknowledged, why *Error) (requests int64) {
	u.Take(func(text []byte, m *sendqueue.Mark) {
		e.stat.Returned.Add(1)
		e.giveBack(c, text, m.Note, why)
		if m.Asks {
			requests++
		}
	})
	return requests
}

// sent counts bytes that the socket has taken, and has the loop look after
// their acknowledgement.
func (l *loop) sent(c *conn, n int) {
	l.stat.Carried[c.src.Proto].BytesOut.Add(uint64(n))
	c.carried.BytesOut.Add(uint64(n))
	c.unacked.Sent += uint64(n)
	if !c.listed {
		c.unacked.Since = l.eng.now()
		l.list(c)
	}
}

// list has the loop look at a connection once more.
func (l *loop) list(c *conn) {
	if !c.listed {
		c.listed = true
		l.unacked = append(l.unacked, c)
	}
}

// written counts messages that the socket has taken, and keeps them.
func (l *loop) written(c *conn, list []sendqueue.Entry) {
	if len(list) == 0 {
		return
	}
	o, u := &c.out, &c.unacked
	base := u.Sent - uint64(o.Taken)
	messages, asked := 0, 0
	for i := range list {
		if e := &list[i]; !e.Pong {
			messages++
			if e.Asks {
				asked++
			}
			u.Keep(o.Flight.Message(o.Count-len(list)+i), sendqueue.Mark{Wire: base + uint64(e.Wire), Asks: e.Asks, Note: e.Note})
		}
	}
	l.stat.Carried[c.src.Proto].MessagesOut.Add(uint64(messages))
	c.carried.MessagesOut.Add(uint64(messages))
	if asked > 0 {
		c.owed.Asked(l.seconds.Load(), int64(asked))
		l.stat.Unanswered.Add(int64(asked))
	}
	switch {
	case u.Unconfirmed && u.Bytes() > unconfirmedBytes:
		l.confirm(c)
	case !u.Unconfirmed && u.Much():
		if _, progress := u.Ask(c.sock.Fd()); progress {
			u.Since = l.eng.now()
			l.alive(c)
		}
	}
}

// lookAll looks at every connection that has something unacknowledged. Once a
// second; loop only.
func (l *loop) lookAll() {
	list := l.unacked
	l.unacked = l.looked[:0]
	for i, c := range list {
		list[i] = nil
		c.listed = false
		if c.life.At() == phase.Established {
			l.look(c)
		}
	}
	l.looked = list[:0]
}

// look asks what the peer has acknowledged, and gives up a connection on which
// something was not for too long. Bytes that the kernel holds because the peer's
// window is closed do not count: they are the send timeout's matter (shut). Loop only.
func (l *loop) look(c *conn) {
	defer l.guard(c)
	u := &c.unacked
	c.waits.Clear(deadlines.Acknowledgement)
	out, progress := u.Ask(c.sock.Fd())
	now := l.eng.now()
	if progress {
		l.alive(c)
		c.stall.Opened()
	}
	if out == 0 {
		c.stall.Opened()
		return
	}
	l.list(c)
	info, err := kernel.Info(c.sock.Fd())
	if err != nil || info.Unacked == 0 && kernel.WindowClosed(info) {
		u.Since = now
		l.shut(c, now)
		return
	}
	c.stall.Opened()
	if progress {
		u.Since = max(u.Since, now-int64(time.Duration(info.Last_ack_recv)*time.Millisecond))
	}
	limit := l.eng.cfg.userTimeout(&c.src)
	if c.src.Outbound && now >= u.Since+int64(limit) {
		limit += c.roundTrip()
	}
	due := u.Since + int64(limit)
	switch {
	case now >= due:
		c.noteClose(reason.Because(NoAcknowledgement, "of "+strconv.Itoa(out)+" bytes after "+
			time.Duration(now-u.Since).Round(time.Millisecond).String()+" (tcp_user_timeout)"))
		l.sayGoodbye(c) // an orderly end does not wait for such a peer either
	case due-now < int64(2*time.Second): // the next look would be late
		c.waits.Set(deadlines.Acknowledgement, due, c)
	}
}

// shutLeast is the least time that requests stay with the kernel behind a closed window: it asks a peer whose window
// has opened again without a word after 200 ms, and then less often.
const shutLeast = time.Second

// shut gives up a connection whose reader has stopped for the send timeout while requests wait, though the kernel has
// taken all of them: it keeps some 64 kB behind a closed window for as long as there is a connection. What is
// nobody's request may wait. Loop only.
func (l *loop) shut(c *conn, now int64) {
	if c.waits.For(deadlines.Send) { // sendOverdue looks
		c.stall.Opened()
		return
	}
	c.stall.Shut(now, c.owed.Finals())
	due := c.stall.ShutDue(now, max(c.cfg.SendTimeout, shutLeast), c.roundTrip)
	switch {
	case now >= due && c.unacked.Asks():
		l.stat.SendTimeouts.Add(1)
		c.noteClose(reason.Because(SendTimeout, "the peer took nothing for "+c.stall.ShutFor(now).Round(time.Millisecond).String()))
		l.sayGoodbye(c)
	case now < due && due-now < int64(time.Second):
		c.waits.Set(deadlines.Acknowledgement, due, c)
	}
}

// The defaults of Config.UserTimeout.
const (
	userTimeoutOut = 5 * time.Second
	userTimeoutIn  = 30 * time.Second
)

// userTimeout is how long something may be unacknowledged.
func (c *Config) userTimeout(s *Source) time.Duration {
	switch {
	case c.UserTimeout > 0:
		return c.UserTimeout
	case s.Outbound:
		return userTimeoutOut
	default:
		return userTimeoutIn
	}
}
