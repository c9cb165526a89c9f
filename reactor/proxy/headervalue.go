package proxy

import (
	"slices"

	"sipreactor/sipframe"
)

// HeaderValue gives the value of header i of the message as it stands: as it
// came, or as SetHeaderValue left it; nil if the header was taken out. It is
// valid until the next change.
func (c *Context) HeaderValue(i int) []byte {
	h := c.Msg.Header(i)
	for _, e := range c.edits {
		switch {
		case e.takes(h.Line) && e.from == e.to:
			return nil
		case e.takes(h.Value):
			return c.arena[e.from:e.to]
		}
	}
	return c.Msg.Bytes(h.Value)
}

// SetHeaderValue replaces the value of header i, also one that it has replaced
// before; an empty one takes the header out. ErrHeader if the value could not
// stand on one line; ErrSpan if the proxy itself writes the header, the message
// cannot do without it, or it was changed otherwise.
func (c *Context) SetHeaderValue(i int, value []byte) error {
	h := c.Msg.Header(i)
	switch {
	case !validValue(value):
		return ErrHeader
	case reserved(h.Kind) || essential(h.Kind):
		return ErrSpan
	}
	c.edits = slices.DeleteFunc(c.edits, func(e edit) bool {
		return e.takes(h.Value) || e.takes(h.Line) && e.from == e.to
	})
	for _, e := range c.edits {
		if e.off < h.Line.End() && e.end > h.Line.Off {
			return ErrSpan
		}
	}
	if len(value) == 0 {
		c.edit(h.Line, nil)
	} else {
		c.edit(h.Value, value)
	}
	return nil
}

// takes tells whether an edit stands for exactly the span.
func (e *edit) takes(s sipframe.Span) bool { return e.off == s.Off && e.end == s.End() }

// Changed returns a span of the message as AppendChanged appends it. It is borrowed: where nothing was changed it is the
// message's.
func (c *Context) Changed(s sipframe.Span) []byte {
	for _, e := range c.edits {
		if e.off <= s.End() && e.end >= s.Off {
			return c.AppendChanged(nil, s)
		}
	}
	return c.Msg.Bytes(s)
}

// AppendChanged appends a span of the message as it stands: with the texts that the Router has put into it in the place of
// others.
func (c *Context) AppendChanged(dst []byte, s sipframe.Span) []byte {
	pos := s.Off
	for pos < s.End() {
		next := -1
		for i, e := range c.edits { // the first one from here on
			if e.off >= pos && e.end <= s.End() && (e.end > e.off || e.off > s.Off) && (next < 0 || e.off < c.edits[next].off) {
				next = i
			}
		}
		if next < 0 {
			break
		}
		e := c.edits[next]
		dst = append(append(dst, c.Msg.Bytes(between(pos, e.off))...), c.arena[e.from:e.to]...)
		if e.end == e.off { // an insertion: the byte behind it comes, too
			dst = append(dst, c.Msg.Bytes(between(e.off, e.off+1))...)
			e.end++
		}
		pos = e.end
	}
	if pos >= s.End() {
		return dst
	}
	return append(dst, c.Msg.Bytes(between(pos, s.End()))...)
}
