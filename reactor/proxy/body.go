package proxy

import (
	"slices"

	"sipreactor/sipframe"
)

// bodyState is what the Router put in the place of the body.
type bodyState struct {
	set   bool
	typed bool   // typ is the Content-Type
	typ   []byte // empty: none
	text  []byte // scratch of Body
}

func (b *bodyState) reset() { b.set, b.typed, b.typ = false, false, b.typ[:0] }

// Body gives the body as it stands: as it came, with what Replace and SetBody
// have changed. It is valid until the next change.
func (c *Context) Body() []byte {
	body := c.Msg.Body()
	start := c.Msg.BodyOffset()
	stop := start + uint32(len(body))
	w := &c.rewrite
	touched := false
	for _, e := range c.edits {
		if e.off < start || e.end > stop {
			continue
		}
		if !touched {
			touched = true
			w.Reset(c.Msg)
			w.Delete(between(0, start))
			w.Delete(between(stop, uint32(len(c.Msg.Raw()))))
		}
		w.Replace(between(e.off, e.end), c.arena[e.from:e.to])
	}
	if !touched {
		return body
	}
	c.body.text = w.AppendTo(c.body.text[:0])
	return c.body.text
}

// BodySet tells whether SetBody has replaced the body as a whole.
func (c *Context) BodySet() bool { return c.body.set }

// BodyType gives the Content-Type as it stands, nil if there is none.
func (c *Context) BodyType() []byte {
	if c.body.typed {
		return c.body.typ
	}
	return c.Msg.Value(sipframe.HeaderContentType)
}

// SetBody puts text in the place of the body, whatever has been changed in it
// before; Content-Length follows. typ is its Content-Type, nil leaves that as it
// is; without text there is none. Both are copied, and text may be what Body gave.
// ErrHeader if typ could not stand in a header.
func (c *Context) SetBody(typ, text []byte) error {
	if !validValue(typ) {
		return ErrHeader
	}
	start := c.Msg.BodyOffset()
	stop := start + uint32(len(c.Msg.Body()))
	c.edits = slices.DeleteFunc(c.edits, func(e edit) bool { return e.off >= start && e.end <= stop })
	c.edit(between(start, stop), text)
	c.body.set, c.bodyEdited, c.replaced = true, true, true
	switch {
	case len(text) == 0:
		c.body.typed, c.body.typ = true, c.body.typ[:0]
	case typ != nil:
		c.body.typed, c.body.typ = true, append(c.body.typ[:0], typ...)
	}
	return nil
}

// fitType writes the Content-Type that SetBody asked for. Where the Router has
// taken the header out itself, it is the Router's.
func (c *Context) fitType() {
	if !c.body.typed {
		return
	}
	there, edits := false, c.edits
	for i := c.Msg.Find(sipframe.HeaderContentType); i >= 0; i = c.Msg.FindNext(sipframe.HeaderContentType, i) {
		h := c.Msg.Header(i)
		switch {
		case cut(edits, h.Line.Off):
		case !there && len(c.body.typ) > 0:
			c.edit(h.Value, c.body.typ)
		default:
			c.edit(h.Line, nil)
		}
		there = true
	}
	if !there && len(c.body.typ) > 0 {
		c.insert(c.Msg.HeadersEnd(), contentType, c.body.typ, crlf)
	}
}

var contentType = []byte("Content-Type: ")
