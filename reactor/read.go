package reactor

import (
	"errors"
	"fmt"
	"io"
	"strconv"

	"sipreactor/reactor/internal/deadlines"
	"sipreactor/reactor/internal/phase"
	"sipreactor/reactor/internal/poller"
	"sipreactor/reactor/internal/reason"
	"sipreactor/reactor/internal/sendqueue"
	"sipreactor/sipframe"
	"sipreactor/tlsstate"
)

// A chunk is one read of the socket that brings fewer than smallRead bytes of a
// message and leaves it incomplete, and each record of fewer than smallRecord
// bytes that leaves it so, however many of them came in a read: a peer that
// shreds messages is the attack that tls_max_msg_chunks is for, one that sizes
// its records by what the path carries is not.
const (
	smallRead   = 1024
	smallRecord = 256
)

// record is one read of plaintext: a TLS record, or what one read of a plain
// socket brought, in pieces.
type record struct {
	end   int // offset in the slab behind its last byte
	small bool
}

// slabSize is what a loop decrypts into at a time. Frames of many connections
// share it; it goes back to its pool when the last of them is done with.
const slabSize = 64 << 10

// read gets what the socket brought.
func (l *loop) read(c *conn, in []byte) {
	n := uint64(len(in))
	l.stat.Carried[c.src.Proto].BytesIn.Add(n)
	c.carried.BytesIn.Add(n)
	var began int64
	if l.more = len(in) >= poller.ReadBytes; l.more {
		began = l.eng.now()
	}
	switch {
	case c.ignoresInput, l.eng.ignoresInput.Load():
	case c.phase == phase.Handshaking:
		l.feedHandshake(c, in)
	case c.phase == phase.Established:
		c.codec.Feed(in)
		l.pump(c)
		if c.phase == phase.Established {
			l.confirm(c)
		}
	}
	l.answersWait(c, l.more && l.deep(c, began))
	c.full = began
}

// pump decrypts and frames everything that the codec has been fed.
func (l *loop) pump(c *conn) {
	base := l.unfold(c)
	l.recs, l.fresh = l.recs[:0], len(l.slab.Bytes())
	var err error
	for err == nil {
		if len(l.slab.Free()) < sendqueue.RecordSize {
			base = l.turn(c, base)
			if c.ignoresInput {
				break
			}
		}
		var n int
		n, err = c.codec.Read(l.slab.Free())
		if n > 0 {
			l.slab.Advance(n)
			l.recs = append(l.recs, record{end: len(l.slab.Bytes()), small: n < smallRecord && c.src.Proto.Secure()})
		}
	}
	if !c.ignoresInput {
		l.fold(c, l.cut(c, base))
	}
	l.dispatch(c)
	if l.answerControls(c); c.phase == phase.Established && c.web != nil && c.web.Over() {
		l.close(c, reason.Because(PeerClosed, "close "+strconv.Itoa(int(c.web.Code()))))
		return
	}
	if c.phase == phase.Established && (err == nil || errors.Is(err, tlsstate.ErrWantRead)) {
		l.flush(c) // answers, pongs, and what the machine had to say
		if c.eof && c.phase == phase.Established && !c.ignoresInput {
			l.ended(c, "")
		}
		return
	}
	l.readEnded(c, err) // the peer's word, before a write finds out that it is gone
}

// readEnded closes a connection whose codec will give nothing more.
func (l *loop) readEnded(c *conn, err error) {
	if err == nil || errors.Is(err, tlsstate.ErrWantRead) || c.phase == phase.Closed {
		return
	}
	if errors.Is(err, io.EOF) {
		l.ended(c, "close_notify")
		return
	}
	l.close(c, readError(err))
}

// unfold makes the slab ready: room for a record behind the bytes of a message
// that began earlier. It gives the offset at which the connection's bytes start.
func (l *loop) unfold(c *conn) (base int) {
	var rest []byte
	if c.partial != nil {
		rest = c.partial.Bytes()
	}
	if l.slab == nil || len(l.slab.Free()) < len(rest)+sendqueue.RecordSize {
		l.renew(len(rest) + sendqueue.RecordSize)
	}
	base = len(l.slab.Bytes())
	if c.partial != nil {
		l.slab.Advance(copy(l.slab.Free(), rest))
		c.partial.Release()
		c.partial = nil
		c.unfinished(false)
	}
	return base
}

// renew takes a fresh slab with room for at least n bytes.
func (l *loop) renew(n int) {
	if l.slab != nil {
		l.slab.Release()
	}
	l.slab = sipframe.NewBuffer(max(n, slabSize))
}

// turn cuts the full slab and goes on in a fresh one, the bytes of a message
// that is not complete in front.
func (l *loop) turn(c *conn, base int) (fresh int) {
	from := l.cut(c, base)
	old := l.slab.Bytes()
	rest := old[from:]
	slab := sipframe.NewBuffer(max(slabSize, len(rest)+2*sendqueue.RecordSize))
	slab.Advance(copy(slab.Free(), rest))
	kept := l.recs[:0]
	for _, r := range l.recs {
		if r.end > from {
			kept = append(kept, record{end: r.end - from, small: r.small})
		}
	}
	l.recs, l.fresh = kept, max(l.fresh-from, 0)
	l.slab.Release()
	l.slab = slab
	return 0
}

// fold keeps the bytes of a message that is not complete, which start at from,
// and counts the chunks they came in. The clock of a message runs from its first
// byte, and as well for a part of a record or of TLS's own messages: of those,
// too, the peer makes us keep what it has begun.
func (l *loop) fold(c *conn, from int) {
	rest := l.slab.Bytes()[from:]
	begun := c.web != nil && c.web.Unfinished()
	if c.ignoresInput || len(rest) == 0 && !begun && !c.codec.Unfinished() {
		c.waits.Clear(deadlines.Message)
		c.chunks = 0 // a control frame in pieces is no message in pieces
		return
	}
	if !c.waits.For(deadlines.Message) || len(rest) == 0 && !begun && len(l.recs) > 0 {
		c.msgLate = false
		c.waits.Set(deadlines.Message, l.eng.now()+int64(l.eng.cfg.MaxMessageTime), c)
	}
	if len(rest) == 0 {
		return // all that is kept is a part of a record, by the codec, or the head of a frame
	}
	c.chunks += l.chunks(from)
	if limit := c.cfg.MaxChunks; limit > 0 && c.chunks >= limit {
		l.close(c, tooManyChunks(c))
		return
	}
	c.partial = sipframe.NewBuffer(len(rest))
	c.partial.Advance(copy(c.partial.Free(), rest))
	if !c.unfinished(true) {
		l.close(c, reason.Because(ConnectionLimit, "tcp_max_unfinished_per_source reached"))
		return
	}
}

// tooManyChunks is the end of a connection whose peer shreds its messages.
func tooManyChunks(c *conn) *Error {
	return reason.Because(TooManyChunks, fmt.Sprintf("a message was not complete after %d (%v_max_msg_chunks)", c.cfg.MaxChunks, c.src.Proto))
}

// chunks is how many chunks this read brought of a message that starts at from
// and is not complete.
func (l *loop) chunks(from int) int {
	n := l.smallBetween(from, len(l.slab.Bytes())+1)
	brought := len(l.slab.Bytes()) - max(from, l.fresh)
	if 0 < brought && brought < smallRead && l.largeBehind(from) {
		n++
	}
	return n
}

// smallBetween counts the small records of this read that brought bytes behind
// offset from and end before to.
func (l *loop) smallBetween(from, to int) (n int) {
	for _, r := range l.recs {
		if r.small && from < r.end && r.end < to {
			n++
		}
	}
	return n
}

// largeBehind reports whether a record of this read that is not small brought bytes
// behind offset from.
func (l *loop) largeBehind(from int) bool {
	for _, r := range l.recs {
		if !r.small && r.end > from {
			return true
		}
	}
	return false
}

// cut frames the slab from base on and takes what is complete. It gives the
// offset of the first byte that must be kept.
func (l *loop) cut(c *conn, base int) (from int) {
	bytes := l.slab.Bytes()
	pos := base
	for {
		cut := c.framing.Next(&c.eng.framing[c.src.Proto], bytes[pos:])
		start, end := pos+cut.Start, pos+cut.End
		switch cut.Kind {
		case sipframe.NeedMore:
			return start
		case sipframe.Frame:
			if limit := c.cfg.MaxChunks; limit > 0 && c.chunks+l.smallBetween(start, end) >= limit {
				l.close(c, tooManyChunks(c))
				c.ignoresInput = true
				return len(bytes)
			}
			l.complete(c)
			c.asked(bytes[start:end])
			l.frame(c, item{kind: itemMessage, data: bytes[start:end:end]})
			l.answered(c, bytes[start:end])
			l.stat.Carried[c.src.Proto].MessagesIn.Add(1)
			c.carried.MessagesIn.Add(1)
		case sipframe.Ping:
			l.alive(c)
			c.pong()
			l.stat.Pings.Add(1)
		case sipframe.Dropped:
			l.alive(c)
		case sipframe.Bad:
			c.ignoresInput = true
			l.stat.Malformed.Add(1)
			l.eng.stat.Defects.Add(cut.Defect.Reason)
			defect := cut.Defect
			l.frame(c, item{kind: itemMalformed, data: bytes[start:end:end], defect: &defect})
			return len(bytes)
		case sipframe.Over:
			c.ignoresInput = true // pump ends it, behind what came before
			return len(bytes)
		}
		pos = end
	}
}

// complete notes that a message is whole.
func (l *loop) complete(c *conn) {
	c.chunks = 0
	c.waits.Clear(deadlines.Message)
	l.alive(c)
}

// alive puts off the idle timeout.
func (l *loop) alive(c *conn) { c.active.Store(l.seconds.Load()) }
