package proxy

import "sipreactor/sipframe"

// OwnPlace returns how a URI names us to whom the request goes next by w: the scheme with its colon, and what stands behind
// the user. The text is valid until the next message. ok is false where no listener leads there.
func (c *Context) OwnPlace(w *Way) (scheme string, place []byte, ok bool) {
	if !w.More() {
		return "", nil, false
	}
	to := w.upcoming()
	li := c.outgoing(to.Proto, to.Addr)
	if li == nil {
		return "", nil, false
	}
	scheme, place = c.spokenAs(c.voice(li, to.Addr)).uri(false)
	return scheme, place, true
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
