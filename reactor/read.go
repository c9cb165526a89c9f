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
	"sipreactor/sipframe"
	"sipreactor/tlsstate"
)

// read gets what the socket brought.
func (l *loop) read(c *conn, in []byte) {
	defer l.guard(c)
	n := uint64(len(in))
	l.stat.Carried[c.src.Proto].BytesIn.Add(n)
	c.carried.BytesIn.Add(n)
	var began int64
	if l.more = len(in) >= poller.ReadBytes; l.more {
		began = l.eng.now()
	}
	switch {
	case c.reading.Over(), l.eng.ignoresInput.Load():
	case c.life.At() == phase.Handshaking:
		l.feedHandshake(c, in)
	case c.life.At() == phase.Established:
		c.codec.Feed(in)
		l.pump(c)
		if c.life.At() == phase.Established {
			l.confirm(c)
		}
	}
	l.answersWait(c, l.more && l.deep(c, began))
	c.reading.Full = began
}

// pump decrypts and frames everything that the codec has been fed.
func (l *loop) pump(c *conn) {
	base := l.unfold(c)
	var err error
	for err == nil {
		if l.slab.Full() {
			l.slab.Turn(l.cut(c, base))
			base = 0
			if c.reading.Over() {
				break
			}
		}
		var n int
		n, err = c.codec.Read(l.slab.Free())
		if n > 0 {
			l.slab.Took(n, c.src.Proto.Secure())
		}
	}
	if !c.reading.Over() {
		l.fold(c, l.cut(c, base))
	}
	l.dispatch(c)
	if l.answerControls(c); c.life.At() == phase.Established && c.saidGoodbye() {
		l.close(c, reason.Because(PeerClosed, "close "+strconv.Itoa(int(c.framing.Stream().Code()))))
		return
	}
	if c.life.At() == phase.Established && (err == nil || errors.Is(err, tlsstate.ErrWantRead)) {
		l.flush(c) // answers, pongs, and what the machine had to say
		if c.reading.Detached() && c.life.At() == phase.Established && !c.reading.Over() {
			l.ended(c, "")
		}
		return
	}
	l.readEnded(c, err) // the peer's word, before a write finds out that it is gone
}

// readEnded closes a connection whose codec will give nothing more.
func (l *loop) readEnded(c *conn, err error) {
	if err == nil || errors.Is(err, tlsstate.ErrWantRead) || c.life.At() == phase.Closed {
		return
	}
	if errors.Is(err, io.EOF) {
		l.ended(c, "close_notify")
		return
	}
	l.close(c, reason.OfRead(err))
}

// unfold makes the slab ready, with the bytes of a message that began earlier. It returns
// the offset at which the connection's bytes start.
func (l *loop) unfold(c *conn) (base int) {
	base, kept := c.framing.Begin(&l.slab)
	if kept {
		c.place.Unfinished(false)
	}
	return base
}

// fold keeps the bytes of a message that is not complete, which start at from,
// and counts the chunks they came in. The clock of a message runs from its first
// byte, and as well for a part of a record or of TLS's own messages: of those,
// too, the peer makes us keep what it has begun.
func (l *loop) fold(c *conn, from int) {
	rest := l.slab.Bytes()[from:]
	begun := c.framing.Begun()
	if c.reading.Over() || len(rest) == 0 && !begun && !c.codec.Unfinished() {
		c.waits.Clear(deadlines.Message)
		c.framing.Whole()
		return
	}
	if !c.waits.For(deadlines.Message) || len(rest) == 0 && !begun && l.slab.Brought() {
		c.msgLate = false
		c.waits.Set(deadlines.Message, l.eng.now()+int64(l.eng.cfg.MaxMessageTime), c)
	}
	if len(rest) == 0 {
		return // all that is kept is a part of a record, by the codec, or the head of a frame
	}
	if c.framing.Keep(&l.slab, from, c.cfg.MaxChunks) {
		l.close(c, tooManyChunks(c))
		return
	}
	if !c.place.Unfinished(true) {
		l.close(c, reason.Because(ConnectionLimit, "tcp_max_unfinished_per_source reached"))
	}
}

// tooManyChunks is the end of a connection whose peer shreds its messages.
func tooManyChunks(c *conn) *Error {
	return reason.Because(TooManyChunks, fmt.Sprintf("a message was not complete after %d (%v_max_msg_chunks)", c.cfg.MaxChunks, c.src.Proto))
}

// cut frames the slab from base on and takes what is complete. It gives the
// offset of the first byte that must be kept.
func (l *loop) cut(c *conn, base int) (from int) {
	bytes := l.slab.Bytes()
	pos := base
	for {
		cut, shredded := c.framing.Next(&c.eng.framing[c.src.Proto], &l.slab, pos, c.cfg.MaxChunks)
		start, end := cut.Start, cut.End
		switch cut.Kind {
		case sipframe.NeedMore:
			return start
		case sipframe.Frame:
			if shredded {
				l.close(c, tooManyChunks(c))
				c.reading.End()
				return len(bytes)
			}
			l.complete(c)
			c.owed.Came(bytes[start:end])
			l.frame(c, item{kind: itemMessage, data: bytes[start:end:end]})
			if c.owed.Answered(bytes[start:end]) {
				l.stat.Unanswered.Add(-1)
			}
			l.stat.Carried[c.src.Proto].MessagesIn.Add(1)
			c.carried.MessagesIn.Add(1)
		case sipframe.Ping:
			l.alive(c)
			c.pong()
			l.stat.Pings.Add(1)
		case sipframe.Dropped:
			l.alive(c)
		case sipframe.Bad:
			c.reading.End()
			l.stat.Malformed.Add(1)
			l.eng.stat.Defects.Add(cut.Defect.Reason)
			defect := cut.Defect
			l.frame(c, item{kind: itemMalformed, data: bytes[start:end:end], defect: &defect})
			return len(bytes)
		case sipframe.Over:
			c.reading.End() // pump ends it, behind what came before
			return len(bytes)
		}
		pos = end
	}
}

// complete notes that a message is whole.
func (l *loop) complete(c *conn) {
	c.waits.Clear(deadlines.Message)
	l.alive(c)
}

// alive puts off the idle timeout.
func (l *loop) alive(c *conn) { c.active.Store(l.seconds.Load()) }
