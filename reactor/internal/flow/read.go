package flow

import (
	"errors"
	"fmt"
	"io"
	"strconv"

	"sipreactor/reactor/internal/connection"
	"sipreactor/reactor/internal/deadlines"
	"sipreactor/reactor/internal/phase"
	"sipreactor/reactor/internal/reason"
	"sipreactor/sipframe"
	"sipreactor/tlsstate"
)

// Input takes what the socket brought.
func (l *Flow) Input(c *connection.Conn, in []byte) {
	defer l.Guard(c)
	n := uint64(len(in))
	l.Stat.Carried[c.Src.Proto].BytesIn.Add(n)
	c.Carried.BytesIn.Add(n)
	switch {
	case c.Reading.Over(), l.all.IgnoresInput.Load():
	case c.At() == phase.Handshaking:
		l.feedHandshake(c, in)
	case c.At() == phase.Established:
		c.Own.Codec.Feed(in)
		l.pump(c)
		if c.At() == phase.Established {
			l.confirm(c)
		}
	}
}

// pump decrypts and frames everything that the codec has been fed.
func (l *Flow) pump(c *connection.Conn) {
	base := l.takeRest(c)
	var err error
	for err == nil {
		if l.Slab.Full() {
			l.Slab.Turn(l.cut(c, base))
			base = 0
			if c.Reading.Over() {
				break
			}
		}
		var n int
		n, err = c.Own.Codec.Read(l.Slab.Free())
		if n > 0 {
			l.Slab.Took(n, c.Src.Proto.Secure())
		}
	}
	if !c.Reading.Over() {
		l.keepRest(c, l.cut(c, base))
	}
	l.program.Dispatch(c)
	if l.answerControls(c); c.At() == phase.Established && saidGoodbye(c) {
		l.Close(c, reason.Because(reason.PeerClosed, "close "+strconv.Itoa(int(c.Own.Framing.Stream().Code()))))
		return
	}
	if c.At() == phase.Established && (err == nil || errors.Is(err, tlsstate.ErrWantRead)) {
		l.Flush(c) // answers, pongs, and what the machine had to say
		if c.Reading.Detached() && c.At() == phase.Established && !c.Reading.Over() {
			l.ended(c, "")
		}
		return
	}
	l.readEnded(c, err) // the peer's word, before a write finds out that it is gone
}

// readEnded closes a connection whose codec will give nothing more.
func (l *Flow) readEnded(c *connection.Conn, err error) {
	if err == nil || errors.Is(err, tlsstate.ErrWantRead) || c.At() == phase.Closed {
		return
	}
	if errors.Is(err, io.EOF) {
		l.ended(c, "close_notify")
		return
	}
	l.Close(c, reason.OfRead(err))
}

// takeRest makes the slab ready, with the bytes of a message that began earlier. It returns
// the offset at which the connection's bytes start.
func (l *Flow) takeRest(c *connection.Conn) (base int) {
	base, kept := c.Own.Framing.Begin(&l.Slab)
	if kept {
		c.Own.Share.Unfinished(false)
	}
	return base
}

// keepRest keeps the bytes of a message that is not complete, which start at from,
// and counts the chunks they came in. The clock of a message runs from its first
// byte, and as well for a part of a record or of TLS's own messages: of those,
// too, the peer makes us keep what it has begun.
func (l *Flow) keepRest(c *connection.Conn, from int) {
	rest := l.Slab.Bytes()[from:]
	begun := c.Own.Framing.Begun()
	if c.Reading.Over() || len(rest) == 0 && !begun && !c.Own.Codec.Unfinished() {
		c.Own.Waits.Clear(deadlines.Message)
		c.Own.Framing.Whole()
		return
	}
	if !c.Own.Waits.For(deadlines.Message) || len(rest) == 0 && !begun && l.Slab.Brought() {
		c.Own.MessageLate = false
		c.Own.Waits.Set(deadlines.Message, l.all.Now()+int64(l.all.Limits.MessageTime), c)
	}
	if len(rest) == 0 {
		return // all that is kept is a part of a record, by the codec, or the head of a frame
	}
	if c.Own.Framing.Keep(&l.Slab, from, c.Config.MaxChunks) {
		l.Close(c, tooManyChunks(c))
		return
	}
	if !c.Own.Share.Unfinished(true) {
		l.Close(c, reason.Because(reason.ConnectionLimit, "tcp_max_unfinished_per_source reached"))
	}
}

// tooManyChunks is the end of a connection whose peer shreds its messages.
func tooManyChunks(c *connection.Conn) *reason.Error {
	return reason.Because(reason.TooManyChunks, fmt.Sprintf("a message was not complete after %d (%v_max_msg_chunks)", c.Config.MaxChunks, c.Src.Proto))
}

// cut frames the slab from base on and takes what is complete. It gives the
// offset of the first byte that must be kept.
func (l *Flow) cut(c *connection.Conn, base int) (from int) {
	bytes := l.Slab.Bytes()
	pos := base
	for {
		cut, shredded := c.Own.Framing.Next(&c.Common.Limits.Framing[c.Src.Proto], &l.Slab, pos, c.Config.MaxChunks)
		start, end := cut.Start, cut.End
		switch cut.Kind {
		case sipframe.NeedMore:
			return start
		case sipframe.Frame:
			if shredded {
				l.Close(c, tooManyChunks(c))
				c.Reading.End()
				return len(bytes)
			}
			l.complete(c)
			c.Owed.Came(bytes[start:end])
			l.program.Message(c, bytes[start:end:end])
			if c.Owed.Answered(bytes[start:end]) {
				l.Stat.Unanswered.Add(-1)
			}
			l.Stat.Carried[c.Src.Proto].MessagesIn.Add(1)
			c.Carried.MessagesIn.Add(1)
		case sipframe.Ping:
			l.alive(c)
			c.Pong()
			l.Stat.Pings.Add(1)
		case sipframe.Dropped:
			l.alive(c)
		case sipframe.Bad:
			c.Reading.End()
			l.Stat.Malformed.Add(1)
			l.all.Stat.Defects.Add(cut.Defect.Reason)
			defect := cut.Defect
			l.program.Malformed(c, bytes[start:end:end], &defect)
			return len(bytes)
		case sipframe.Over:
			c.Reading.End() // pump ends it, behind what came before
			return len(bytes)
		}
		pos = end
	}
}

// complete notes that a message is whole.
func (l *Flow) complete(c *connection.Conn) {
	c.Own.Waits.Clear(deadlines.Message)
	l.alive(c)
}

// alive puts off the idle timeout.
func (l *Flow) alive(c *connection.Conn) { c.Alive(l.Seconds.Load()) }

// AnsweredFrom tells the back-off table of an answer, once a second for each
// connection. Loop only.
func (l *Flow) AnsweredFrom(c *connection.Conn) {
	if l.all.Backoff.Len() == 0 || !c.FirstAnswer(l.Seconds.Load()) {
		return
	}
	if l.all.Backoff.Answered(l.all.Peers.Ends(c)...) {
		l.all.Log.Back(c.Called())
	}
}
