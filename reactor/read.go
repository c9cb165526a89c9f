package reactor

import (
	"errors"
	"io"

	"sipreactor/sipframe"
	"sipreactor/tlsstate"
)

// record is one read of plaintext: a TLS record, or what one read of a plain
// socket brought.
type record struct {
	end   int // offset in the slab behind its last byte
	small bool
}

// smallRecord is the size under which a record that does not complete its
// message is a chunk of its own: a peer that shreds messages is the attack that
// tls_max_msg_chunks is for, one that sizes records dynamically is not.
const smallRecord = 256

// slabSize is what a loop decrypts into at a time. Frames of many connections
// share it; it goes back to its pool when the last of them is done with.
const slabSize = 64 << 10

// read gets what the socket brought.
func (l *loop) read(c *conn, in []byte) {
	n := uint64(len(in))
	l.stat.carried[c.src.Proto].bytesIn.Add(n)
	c.carried.bytesIn.Add(n)
	switch {
	case c.deaf, l.eng.deaf.Load():
	case c.phase == handshaking:
		l.feedHandshake(c, in)
	case c.phase == established:
		// What is posted for it meanwhile is served here, without the list.
		mine := c.pending.CompareAndSwap(0, evFlush)
		c.codec.Feed(in)
		rest := l.pump(c, mine)
		if c.phase == established {
			l.acquit(c)
		}
		if rest != 0 {
			l.serve(c, rest)
		}
	}
}

// pump decrypts and frames everything that the codec has been fed. mine says
// that it takes what is posted for the connection meanwhile; it gives back what
// of that is still to be served.
func (l *loop) pump(c *conn, mine bool) (rest uint32) {
	base := l.unfold(c)
	l.recs = l.recs[:0]
	var err error
	for err == nil {
		if len(l.slab.Free()) < recordSize {
			base = l.turn(c, base)
			if c.deaf {
				break
			}
		}
		var n int
		n, err = c.codec.Read(l.slab.Free())
		if n > 0 {
			l.slab.Advance(n)
			l.recs = append(l.recs, record{end: len(l.slab.Bytes()), small: n < smallRecord})
		}
	}
	if !c.deaf {
		l.fold(c, l.cut(c, base))
	}
	l.dispatch()
	if mine {
		rest = c.pending.Swap(0) &^ evFlush
	}
	if c.phase == established && (err == nil || errors.Is(err, tlsstate.ErrWantRead)) {
		l.flush(c) // answers, pongs, and what the machine had to say
		if c.eof && c.phase == established && !c.deaf {
			l.ended(c, "")
		}
		return rest
	}
	l.readEnded(c, err) // the peer's word, before a write finds out that it is gone
	return rest
}

// readEnded closes a connection whose codec will give nothing more.
func (l *loop) readEnded(c *conn, err error) {
	if err == nil || errors.Is(err, tlsstate.ErrWantRead) || c.phase == closed {
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
	if l.slab == nil || len(l.slab.Free()) < len(rest)+recordSize {
		l.renew(len(rest) + recordSize)
	}
	base = len(l.slab.Bytes())
	if c.partial != nil {
		l.slab.Advance(copy(l.slab.Free(), rest))
		c.partial.Release()
		c.partial = nil
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
	slab := sipframe.NewBuffer(max(slabSize, len(rest)+2*recordSize))
	slab.Advance(copy(slab.Free(), rest))
	kept := l.recs[:0]
	for _, r := range l.recs {
		if r.end > from {
			kept = append(kept, record{end: r.end - from, small: r.small})
		}
	}
	l.recs = kept
	l.slab.Release()
	l.slab = slab
	return 0
}

// fold keeps the bytes of a message that is not complete, which start at from,
// and counts the chunks they came in.
func (l *loop) fold(c *conn, from int) {
	rest := l.slab.Bytes()[from:]
	if len(rest) == 0 || c.deaf {
		c.msgDue = 0
		return
	}
	small, large := l.chunksBetween(from, len(l.slab.Bytes())+1)
	c.chunks += small
	if large {
		c.chunks++
	}
	if limit := c.cfg.MaxChunks; limit > 0 && c.chunks >= limit {
		l.close(c, because(TooManyChunks, "the message is not complete"))
		return
	}
	c.partial = sipframe.NewBuffer(len(rest))
	c.partial.Advance(copy(c.partial.Free(), rest))
	if c.msgDue == 0 {
		c.msgDue, c.msgLate = l.eng.now()+int64(l.eng.cfg.MaxMessageTime), false
		c.arm(c.msgDue)
	}
}

// chunksBetween looks at the records of this read that brought bytes behind
// offset from and end before to: how many small ones, and whether any other.
func (l *loop) chunksBetween(from, to int) (small int, large bool) {
	for _, r := range l.recs {
		switch {
		case r.end <= from || r.end >= to:
		case r.small:
			small++
		default:
			large = true
		}
	}
	return small, large
}

// cut frames the slab from base on and bags what is complete. It gives the
// offset of the first byte that must be kept.
func (l *loop) cut(c *conn, base int) (from int) {
	bytes := l.slab.Bytes()
	pos := base
	for {
		cut := c.framer.Next(&c.eng.framing[c.src.Proto], bytes[pos:])
		start, end := pos+cut.Start, pos+cut.End
		switch cut.Kind {
		case sipframe.NeedMore:
			return start
		case sipframe.Frame:
			small, _ := l.chunksBetween(start, end)
			if limit := c.cfg.MaxChunks; limit > 0 && c.chunks+small >= limit {
				l.close(c, because(TooManyChunks, "a message in tiny records"))
				c.deaf = true
				return len(bytes)
			}
			l.complete(c)
			c.asked(bytes[start:end])
			l.answered(c, bytes[start:end])
			l.bag(c, item{kind: itemMessage, data: bytes[start:end:end]})
			l.stat.carried[c.src.Proto].messagesIn.Add(1)
			c.carried.messagesIn.Add(1)
		case sipframe.Ping:
			l.alive(c)
			c.pong()
			l.stat.pings.Add(1)
		case sipframe.Dropped:
			l.alive(c)
		case sipframe.Bad:
			c.deaf = true
			l.stat.malformed.Add(1)
			l.eng.stat.defects.Add(cut.Defect.Reason)
			defect := cut.Defect
			l.bag(c, item{kind: itemMalformed, data: bytes[start:end:end], defect: &defect})
			return len(bytes)
		}
		pos = end
	}
}

// complete notes that a message is whole.
func (l *loop) complete(c *conn) {
	c.chunks, c.msgDue = 0, 0
	l.alive(c)
}

// alive puts off the idle timeout.
func (l *loop) alive(c *conn) { c.active.Store(l.seconds.Load()) }
