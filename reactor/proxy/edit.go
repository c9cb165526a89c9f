package proxy

import (
	"bytes"
	"strconv"

	"sipreactor/reactor"
	"sipreactor/sipframe"
)

// edit puts arena[from:to] in the place of the message's bytes off to end; off
// equal to end is an insertion.
type edit struct {
	off, end uint32
	from, to int
}

// edit notes a change of the message. text is copied.
func (c *Context) edit(s sipframe.Span, text []byte) {
	from := len(c.arena)
	c.arena = append(c.arena, text...)
	c.edits = append(c.edits, edit{off: s.Off, end: s.End(), from: from, to: len(c.arena)})
}

// insert notes an insertion whose text consists of parts.
func (c *Context) insert(off uint32, parts ...[]byte) {
	from := len(c.arena)
	for _, p := range parts {
		c.arena = append(c.arena, p...)
	}
	c.edits = append(c.edits, edit{off: off, end: off, from: from, to: len(c.arena)})
}

// between makes a span of two offsets.
func between(from, to uint32) sipframe.Span { return sipframe.Span{Off: from, Len: to - from} }

// write hands the edits to the rewriter, for a message that leaves by proto.
func (c *Context) write(proto reactor.Proto) error {
	c.fitType()
	body := c.fitBody(proto)
	c.nameVersion()
	if !c.replaced {
		c.endLines()
	}
	c.apply()
	if c.replaced {
		if err := c.proofread(body); err != nil {
			return err
		}
	}
	limit := c.proxy.cfg.MaxMessageSize
	if proto == reactor.UDP {
		limit = min(limit, maxDatagram)
	}
	if c.rewrite.Len() > limit {
		return ErrTooLarge
	}
	return nil
}

// maxDatagram is what a datagram over IPv4 can hold.
const maxDatagram = 65535 - 20 - 8

// apply hands the edits to the rewriter.
func (c *Context) apply() {
	w := &c.rewrite
	w.Reset(c.Msg)
	for _, e := range c.edits {
		w.Replace(between(e.off, e.end), c.arena[e.from:e.to])
	}
}

// writeAsIs has the rewriter write the message as it came, with more headers and
// without the Router's changes, but for what two readers could understand
// differently.
func (c *Context) writeAsIs(headers []byte) error {
	edits, text := c.edits, len(c.arena)
	c.edits = edits[len(edits):]
	stop := c.Msg.BodyOffset() + uint32(len(c.Msg.Body()))
	c.edit(between(stop, uint32(len(c.Msg.Raw()))), nil)
	var err error
	if len(headers) > 0 {
		err = c.AppendHeader(headers)
	}
	c.nameVersion()
	c.endLines()
	c.apply()
	c.edits, c.arena = edits, c.arena[:text]
	return err
}

// nameVersion has the start line say SIP/2.0, whatever case it came in: it is to be
// sent in upper case (RFC 3261 7.1).
func (c *Context) nameVersion() {
	if string(c.Msg.Version()) != version {
		c.edit(c.Msg.VersionSpan(), []byte(version))
	}
}

const version = "SIP/2.0"

// fitBody has the message end with its body, whose length it gives: a stream needs
// a Content-Length (RFC 3261 18.3), a body that the Router changed has another one,
// and what follows the body in a datagram stays behind.
func (c *Context) fitBody(proto reactor.Proto) (n int) {
	start, n := c.Msg.BodyOffset(), len(c.Msg.Body())
	stop := start + uint32(n)
	for _, e := range c.edits {
		if e.off >= start && e.end <= stop {
			n += e.to - e.from - int(e.end-e.off)
		}
	}
	if all := uint32(len(c.Msg.Raw())); stop < all {
		c.edit(between(stop, all), nil)
	}
	i := c.Msg.Find(sipframe.HeaderContentLength)
	if i >= 0 && !c.bodyEdited || i < 0 && proto == reactor.UDP {
		return n
	}
	var text [20]byte
	length := strconv.AppendInt(text[:0], int64(n), 10)
	if i < 0 {
		c.insert(c.Msg.HeadersEnd(), contentLength, length, crlf)
		return n
	}
	for ; i >= 0; i = c.Msg.FindNext(sipframe.HeaderContentLength, i) {
		c.edit(c.Msg.Header(i).Value, length)
	}
	return n
}

// endLines gives CRLF to header lines that came with a bare LF. We read both
// (RFC 3261 7.5 and usage), but a next hop that does not would see the headers end
// elsewhere, and what a client writes there as a message of its own.
func (c *Context) endLines() {
	head := c.Msg.Raw()[:c.Msg.BodyOffset()]
	if bytes.Count(head, crlf[:1]) == bytes.Count(head, crlf[1:]) {
		return // there is no CR that is not before an LF
	}
	edits := c.edits
	for i, ch := range head {
		if ch == '\n' && (i == 0 || head[i-1] != '\r') && !cut(edits, uint32(i)) {
			c.insert(uint32(i), crlf[:1])
		}
	}
}

// cut tells whether an edit takes out the byte at off.
func cut(edits []edit, off uint32) bool {
	for _, e := range edits {
		if e.off <= off && off < e.end {
			return true
		}
	}
	return false
}

var contentLength = []byte("Content-Length: ")

// proofread looks at what the Router's replacements have made of the message,
// whose body has n bytes. They may hold anything and end anywhere: the lines of the
// head are repaired as those of a peer are (tidy), and what is then no message that
// we would take from a peer is not sent. It is called only for messages in which
// spans were replaced; all other changes are checked where they are made.
func (c *Context) proofread(n int) error {
	all := c.rewrite.AppendTo(c.check.b[:0])
	c.check.b = all
	head := len(all) - n - int(c.Msg.BodyOffset()-c.Msg.HeadersEnd())
	if head < 0 {
		return ErrBroken
	}
	b := tidy(c.proof.b[:0], all[:head])
	ends := len(b) + len(crlf)
	c.proof.b = append(append(b, crlf...), all[len(all)-n:]...)
	m := &c.other
	if m.Parse(c.proof.b) != nil || m.IsRequest() != c.Msg.IsRequest() {
		return ErrBroken
	}
	m.Validate(&c.verdict)
	_, length, _ := m.ContentLength()
	switch {
	case c.verdict.Code == 400 || c.verdict.Drop,
		!length && c.Msg.Find(sipframe.HeaderContentLength) >= 0,
		int(m.BodyOffset()) != ends, len(m.Body()) != n:
		return ErrBroken
	}
	c.rewrite.Reset(m)
	return nil
}

// tidy writes the lines of a head behind dst: each ended by CRLF, whatever ended
// it before, without empty ones, and without control characters. Of those only HT
// stays, and what a backslash quotes, as it may in a quoted string (RFC 3261 25.1).
func tidy(dst, head []byte) []byte {
	for len(head) > 0 {
		line, rest, _ := bytes.Cut(head, crlf[1:])
		head = rest
		from := len(dst)
		dst = append(dst, bytes.TrimRight(line, "\r")...)
		text := dst[from:]
		for i, ch := range text {
			if isControl(ch) && (i == 0 || text[i-1] != '\\' || ch == 0 || ch == '\r') {
				text[i] = ' '
			}
		}
		if len(bytes.TrimSpace(text)) == 0 {
			dst = dst[:from]
			continue
		}
		dst = append(dst, crlf...)
	}
	return dst
}

// isControl tells whether a byte is a control character other than HT.
func isControl(ch byte) bool { return ch < ' ' && ch != '\t' || ch == 0x7f }

// OneLine makes spaces of b's control characters, line ends among them: the text
// can then be a part of a header or a reason phrase without ending it.
func OneLine(b []byte) {
	for i, ch := range b {
		if isControl(ch) {
			b[i] = ' '
		}
	}
}
