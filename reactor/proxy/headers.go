package proxy

import (
	"bytes"
	"errors"
	"slices"

	"sipreactor/sipframe"
)

// ErrHeader: text that is no complete header, or that would change where the
// message ends.
var ErrHeader = errors.New("proxy: not a header")

// ErrSpan: a span that is not in what a Router may replace.
var ErrSpan = errors.New("proxy: span outside headers and body")

// AppendHeader puts headers behind the last one. text is one or more lines
// "Name: value"; a bare LF ends one as CRLF does, empty lines are left out, and
// control characters become spaces. ErrHeader if it is anything else, or names
// Content-Length, which the proxy writes itself.
func (c *Context) AppendHeader(text []byte) error {
	return c.insertHeader(c.Msg.HeadersEnd(), text)
}

// AppendHeaderAfter puts headers behind the first header of the name; behind
// the last one of all if there is none.
func (c *Context) AppendHeaderAfter(name, text []byte) error {
	off := c.Msg.HeadersEnd()
	if i := c.Msg.FindName(name); i >= 0 {
		off = c.Msg.Header(i).Line.End()
	}
	return c.insertHeader(off, text)
}

// InsertHeader puts headers before the first one.
func (c *Context) InsertHeader(text []byte) error {
	return c.insertHeader(c.Msg.HeadersOffset(), text)
}

// InsertHeaderBefore puts headers before the first header of the name; before
// the first one of all if there is none.
func (c *Context) InsertHeaderBefore(name, text []byte) error {
	off := c.Msg.HeadersOffset()
	if i := c.Msg.FindName(name); i >= 0 {
		off = c.Msg.Header(i).Line.Off
	}
	return c.insertHeader(off, text)
}

// InsertHeaderAbove puts headers before the first header of the name, and before what was
// put there by an earlier call; before the first one of all if there is none.
func (c *Context) InsertHeaderAbove(name, text []byte) error {
	if err := c.InsertHeaderBefore(name, text); err != nil {
		return err
	}
	last := len(c.edits) - 1
	e := c.edits[last]
	i := slices.IndexFunc(c.edits, func(o edit) bool { return o.off == e.off && o.end == e.end })
	copy(c.edits[i+1:], c.edits[i:last])
	c.edits[i] = e
	return nil
}

// RemoveHeader takes out every header of the name (long and compact forms are
// the same) and tells how many there were. Headers that were appended stay.
func (c *Context) RemoveHeader(name []byte) (n int) {
	for i := c.Msg.FindName(name); i >= 0; i = c.Msg.FindNameNext(name, i) {
		if h := c.Msg.Header(i); !essential(h.Kind) {
			c.edit(h.Line, nil)
			n++
		}
	}
	return n
}

// NameMatches reports whether the name of a header matches a shell pattern, as RemoveHeaderGlob has it.
func NameMatches(pattern, name []byte) bool { return globFold(pattern, name) }

// RemoveHeaderGlob takes out every header whose name matches a shell pattern
// (* ? [abc] [!a-z]), without regard to case, and tells how many there were.
func (c *Context) RemoveHeaderGlob(pattern []byte) (n int) {
	return c.RemoveHeaderFunc(func(h *sipframe.Header) bool {
		return globFold(pattern, c.Msg.Bytes(h.Name))
	})
}

// RemoveHeaderFunc takes out every header for which f tells true, and tells how
// many there were. What the message cannot do without (Via, From, To, Call-ID,
// CSeq, Max-Forwards and Content-Length) stays.
func (c *Context) RemoveHeaderFunc(f func(h *sipframe.Header) bool) (n int) {
	for i := range c.Msg.NumHeaders() {
		h := c.Msg.Header(i)
		if essential(h.Kind) || !f(h) {
			continue
		}
		c.edit(h.Line, nil)
		n++
	}
	return n
}

// essential tells whether a header of the kind has to stay for the message to
// find its way.
func essential(k sipframe.HeaderKind) bool {
	switch k {
	case sipframe.HeaderVia, sipframe.HeaderFrom, sipframe.HeaderTo, sipframe.HeaderCallID, sipframe.HeaderCSeq,
		sipframe.HeaderMaxForwards, sipframe.HeaderContentLength:
		return true
	default:
		return false
	}
}

// reserved tells whether the proxy itself writes into headers of the kind.
func reserved(k sipframe.HeaderKind) bool {
	switch k {
	case sipframe.HeaderVia, sipframe.HeaderRoute, sipframe.HeaderMaxForwards, sipframe.HeaderContentLength:
		return true
	default:
		return false
	}
}

// identifies tells whether headers of the kind name the transaction and dialog.
func identifies(k sipframe.HeaderKind) bool {
	switch k {
	case sipframe.HeaderFrom, sipframe.HeaderTo, sipframe.HeaderCallID, sipframe.HeaderCSeq:
		return true
	default:
		return false
	}
}

// Replace puts text in the place of a span of Msg, which lies either in the
// headers or in the body; Content-Length follows the body. ErrSpan if it lies
// elsewhere, touches what has been changed before, or a header that the proxy
// itself writes: Via, Route, Max-Forwards, Content-Length. Headers keep their line
// ends, whatever span and text make of them: a line end that the span takes along
// is put back unless a whole line goes, bare CRs and LFs, empty lines and control
// characters are repaired. If the outcome is no message any more, Forward fails and
// sends nothing.
func (c *Context) Replace(s sipframe.Span, text []byte) error {
	from, to := s.Off, s.End()
	body := c.Msg.BodyOffset()
	inBody := from >= body && to <= body+uint32(len(c.Msg.Body()))
	if !inBody && (from < c.Msg.HeadersOffset() || to > c.Msg.HeadersEnd()) {
		return ErrSpan
	}
	renamed := false
	for i := range c.Msg.NumHeaders() {
		h := c.Msg.Header(i)
		if inBody || from >= h.Line.End() || to <= h.Line.Off {
			continue
		}
		if reserved(h.Kind) {
			return ErrSpan
		}
		renamed = renamed || identifies(h.Kind)
	}
	for _, e := range c.edits {
		if from < e.end && to > e.off {
			return ErrSpan
		}
	}
	raw := c.Msg.Raw()
	cut := !inBody && to > from && raw[to-1] == '\n' // the line's end
	whole := from == c.Msg.HeadersOffset() || raw[max(from, 1)-1] == '\n'
	c.edit(s, text)
	if cut && (len(text) == 0 && !whole || len(text) > 0 && text[len(text)-1] != '\n') {
		c.arena = append(c.arena, crlf...)
		c.edits[len(c.edits)-1].to = len(c.arena)
	}
	c.replaced = true
	c.bodyEdited = c.bodyEdited || inBody
	c.renamed = c.renamed || renamed
	return nil
}

func (c *Context) insertHeader(off uint32, text []byte) error {
	from := len(c.arena)
	c.arena = tidy(c.arena, text)
	if !validHeaders(c.arena[from:]) {
		c.arena = c.arena[:from]
		return ErrHeader
	}
	c.edits = append(c.edits, edit{off: off, end: off, from: from, to: len(c.arena)})
	return nil
}

var crlf = []byte("\r\n")

// validHeaders tells whether text, which is tidy, is whole headers, none of them
// Content-Length: something that can stand among headers.
func validHeaders(text []byte) bool {
	if len(text) == 0 || text[0] == ' ' || text[0] == '\t' {
		return false
	}
	for len(text) > 0 {
		line, rest, _ := bytes.Cut(text, crlf)
		text = rest
		if line[0] == ' ' || line[0] == '\t' {
			continue
		}
		name, _, ok := bytes.Cut(line, []byte{':'})
		name = bytes.TrimRight(name, " \t")
		if !ok || !sipframe.IsToken(name) || sipframe.EqualFold(name, "Content-Length") || sipframe.EqualFold(name, "l") {
			return false
		}
	}
	return true
}

// validValue tells whether s can be the value of a header on one line.
func validValue[T string | []byte](s T) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// SetHeaders has lines stand in the place of all headers of a kind, with what was changed in those; none takes them out.
// Where there was none, they come behind the last header. ErrHeader as of AppendHeader; ErrSpan if the proxy writes such
// headers itself, or the message cannot do without them.
func (c *Context) SetHeaders(kind sipframe.HeaderKind, lines []byte) error {
	if reserved(kind) || essential(kind) {
		return ErrSpan
	}
	first := c.Msg.Find(kind)
	if len(lines) > 0 {
		off := c.Msg.HeadersEnd()
		if first >= 0 {
			off = c.Msg.Header(first).Line.Off
		}
		if err := c.insertHeader(off, lines); err != nil {
			return err
		}
	}
	for i := first; i >= 0; i = c.Msg.FindNext(kind, i) {
		line := c.Msg.Header(i).Line
		c.forget(line)
		c.edit(line, nil)
	}
	return nil
}
