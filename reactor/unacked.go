package reactor

import (
	"strconv"
	"sync"
	"time"

	"sipreactor/reactor/internal/kernel"
	"sipreactor/reactor/internal/phase"
	"sipreactor/sipframe"
)

// unacked is what was written on a connection and is not known to be
// acknowledged by the peer's TCP: copies of the messages, with the count of
// wire bytes at which each ends. What was not acknowledged when the connection
// ends was not delivered, and is given back.
//
// The kernel is not asked for each message, but when much is kept, and once a
// second. What may be kept is bounded by what the kernel takes: what it holds
// unsent (kernel.UnsentBytes) and what is in flight (sendBuffer). The loop owns it.
type unacked struct {
	first, last *kept
	bytes       int    // of plaintext that are kept
	ask         int    // with more than that, the kernel is asked
	sent        uint64 // bytes that the socket took, those of the handshake too
	acked       uint64 // of those, acknowledged when the kernel was last asked
	since       int64  // from when on nothing more was acknowledged, on the engine's clock
	listed      bool   // among those that the loop looks at every second
	// trial keeps what is acknowledged as well: the peer may still refuse our
	// certificate, and with it all that came behind. See onTrial.
	trial bool
}

// kept is a piece of it: messages one behind the other.
type kept struct {
	buf   *sipframe.Buffer
	marks []mark
	gone  int // of marks, that are acknowledged
	next  *kept
}

// mark is the end of a message.
type mark struct {
	end  int    // offset behind its last byte
	wire uint64 // wire bytes of the connection up to the record with that
	asks bool   // a request that is owed an answer
	note any    // the sender's
}

var keptPool = sync.Pool{New: func() any { return new(kept) }}

const (
	// askBytes is how much is kept before the kernel is asked for the first time.
	askBytes = 64 << 10
	// keptLeast and keptMost are how large a piece is made for small messages:
	// most connections have one of them on the way.
	keptLeast, keptMost = 2 << 10, 16 << 10
)

// keep takes a copy of a message that is wholly written.
func (u *unacked) keep(text []byte, m mark) {
	k := u.last
	if k == nil || len(k.buf.Free()) < len(text) {
		k = keptPool.Get().(*kept)
		k.buf = sipframe.NewBuffer(max(len(text), min(max(u.bytes, keptLeast), keptMost)))
		if u.last == nil {
			u.first = k
		} else {
			u.last.next = k
		}
		u.last = k
	}
	k.buf.Advance(copy(k.buf.Free(), text))
	m.end = len(k.buf.Bytes())
	k.marks = append(k.marks, m)
	u.bytes += len(text)
}

// message gives the i-th message.
func (k *kept) message(i int) []byte {
	start := 0
	if i > 0 {
		start = k.marks[i-1].end
	}
	return k.buf.Bytes()[start:k.marks[i].end]
}

// forget lets go of what is acknowledged.
func (u *unacked) forget() {
	for k := u.first; k != nil; k = u.first {
		for ; k.gone < len(k.marks); k.gone++ {
			if k.marks[k.gone].wire > u.acked {
				return
			}
			u.bytes -= len(k.message(k.gone))
		}
		u.drop(k)
	}
}

// drop lets go of the first piece.
func (u *unacked) drop(k *kept) {
	if u.first = k.next; u.first == nil {
		u.last = nil
	}
	k.buf.Release()
	for i := range k.marks {
		k.marks[i].note = nil
	}
	*k = kept{marks: k.marks[:0]}
	keptPool.Put(k)
}

// update asks the kernel what is acknowledged, and lets go of that. It gives
// how many bytes are not, and whether there is progress.
func (u *unacked) update(fd int) (out int, progress bool) {
	out, err := kernel.Unacknowledged(fd)
	if err != nil {
		return 0, false
	}
	if acked := u.sent - min(uint64(out), u.sent); acked > u.acked {
		u.acked, progress = acked, true
	}
	if !u.trial {
		u.forget()
	}
	u.ask = max(askBytes, 2*u.bytes)
	return out, progress
}

// giveBack gives what is kept back to the Handler, and tells how many requests
// there were among it. Owner only.
func (u *unacked) giveBack(c *conn, why *Error) (requests int64) {
	for k := u.first; k != nil; k = u.first {
		for i := k.gone; i < len(k.marks); i++ {
			c.eng.stat.returned.Add(1)
			c.eng.giveBack(c, k.message(i), k.marks[i].note, why)
			if k.marks[i].asks {
				requests++
			}
		}
		u.drop(k)
	}
	u.bytes = 0
	return requests
}

// sent counts bytes that the socket has taken, and has the loop look after
// their acknowledgement.
func (l *loop) sent(c *conn, n int) {
	l.stat.carried[c.src.Proto].bytesOut.Add(uint64(n))
	c.carried.bytesOut.Add(uint64(n))
	c.unacked.sent += uint64(n)
	if !c.unacked.listed {
		c.unacked.since = l.eng.now()
		l.list(c)
	}
}

// list has the loop look at a connection once more.
func (l *loop) list(c *conn) {
	if !c.unacked.listed {
		c.unacked.listed = true
		l.unacked = append(l.unacked, c)
	}
}

// written counts messages that the socket has taken, and keeps them.
func (l *loop) written(c *conn, list []entry) {
	if len(list) == 0 {
		return
	}
	o, u := &c.out, &c.unacked
	base := u.sent - uint64(o.taken)
	messages, asked := 0, 0
	for i := range list {
		if e := &list[i]; !e.pong {
			messages++
			if e.asks {
				asked++
			}
			u.keep(o.flight.message(o.count-len(list)+i), mark{wire: base + uint64(e.wire), asks: e.asks, note: e.note})
		}
	}
	l.stat.carried[c.src.Proto].messagesOut.Add(uint64(messages))
	c.carried.messagesOut.Add(uint64(messages))
	l.asked(c, asked)
	switch {
	case u.trial && u.bytes > trialBytes:
		l.acquit(c)
	case !u.trial && u.bytes > max(u.ask, askBytes):
		if _, progress := u.update(c.sock.Fd()); progress {
			u.since = l.eng.now()
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
		c.unacked.listed = false
		if c.phase == phase.Established {
			l.look(c)
		}
	}
	l.looked = list[:0]
}

// look asks what the peer has acknowledged, and gives up a connection on which
// something was not for too long. Bytes that the kernel holds because the peer's
// window is closed do not count: they are the send timeout's matter. Loop only.
func (l *loop) look(c *conn) {
	u := &c.unacked
	c.ackDue = 0
	out, progress := u.update(c.sock.Fd())
	now := l.eng.now()
	if progress {
		l.alive(c)
	}
	if out == 0 {
		return
	}
	l.list(c)
	info, err := kernel.Info(c.sock.Fd())
	switch {
	case err != nil || info.Unacked == 0 && kernel.WindowClosed(info):
		u.since = now
		return
	case progress:
		u.since = max(u.since, now-int64(time.Duration(info.Last_ack_recv)*time.Millisecond))
	}
	limit := l.eng.cfg.userTimeout(&c.src)
	if c.src.Outbound && now >= u.since+int64(limit) {
		limit += l.eng.cfg.roundTrip(c.sock.Fd())
	}
	due := u.since + int64(limit)
	switch {
	case now >= due:
		c.condemn(because(NoAcknowledgement, "of "+strconv.Itoa(out)+" bytes after "+
			time.Duration(now-u.since).Round(time.Millisecond).String()+" (tcp_user_timeout)"))
		l.finish(c) // an orderly end does not wait for such a peer either
	case due-now < int64(2*time.Second): // the next look would be late
		c.ackDue = due
		c.arm(due)
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
