package proxy

import (
	"bytes"
	"slices"
	"strconv"

	"sipreactor/sipframe"
)

// Party is what a header that names a party says besides its parameters.
type Party struct {
	// Display is the display name as it stands in the header, quotes included; empty: none.
	Display []byte
	// URI is the address.
	URI []byte
}

// PartyOf gives what From or To says as it stands: as it came, or as SetParty left it. It is valid until the next
// change. false: the header is none that can be read.
func (c *Context) PartyOf(kind sipframe.HeaderKind) (p Party, ok bool) {
	i := c.Msg.Find(kind)
	if i < 0 {
		return p, false
	}
	value := c.HeaderValue(i)
	var a sipframe.NameAddr
	if sipframe.ParseNameAddr(value, &a) != nil || a.Star {
		return p, false
	}
	return Party{bytes.TrimSpace(a.Display.In(value)), a.URI.In(value)}, true
}

// SetParty writes another display name and URI into From or To. Its parameters stay, the tag with them. A display name
// that is neither a quoted string nor tokens (RFC 3261 25.1) is put into quotes. ErrURI and ErrHeader if they could not
// stand there.
func (c *Context) SetParty(kind sipframe.HeaderKind, p Party) error {
	i := c.Msg.Find(kind)
	var a sipframe.NameAddr
	switch {
	case i < 0:
		return ErrHeader
	case !validURI(p.URI):
		return ErrURI
	case !validValue(p.Display):
		return ErrHeader
	}
	h := c.Msg.Header(i)
	value := c.HeaderValue(i)
	if sipframe.ParseNameAddr(value, &a) != nil {
		return ErrHeader
	}
	rest := value[a.URI.End():]
	if a.Angle && len(rest) > 0 {
		rest = rest[1:]
	}
	from := len(c.arena)
	if len(p.Display) > 0 {
		c.arena = append(appendDisplay(c.arena, p.Display), ' ')
	}
	c.arena = append(append(append(append(c.arena, '<'), p.URI...), '>'), rest...)
	c.edits = slices.DeleteFunc(c.edits, func(e edit) bool { return e.takes(h.Value) })
	c.edits = append(c.edits, edit{off: h.Value.Off, end: h.Value.End(), from: from, to: len(c.arena)})
	return nil
}

// appendDisplay writes a display name, in quotes unless it needs none or has some.
func appendDisplay(dst, name []byte) []byte {
	quoted := len(name) > 1 && name[0] == '"' && name[len(name)-1] == '"' && whole(name[1:len(name)-1])
	tokens := true
	for word := range bytes.FieldsSeq(name) {
		tokens = tokens && sipframe.IsToken(word)
	}
	if quoted || tokens {
		return append(dst, name...)
	}
	dst = append(dst, '"')
	for _, ch := range name {
		if ch == '"' || ch == '\\' {
			dst = append(dst, '\\')
		}
		dst = append(dst, ch)
	}
	return append(dst, '"')
}

// whole tells whether what stands between quotes has no quote of its own, and no escape that reaches past it.
func whole(b []byte) bool {
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '\\':
			if i++; i == len(b) {
				return false
			}
		case '"':
			return false
		}
	}
	return true
}

// SetCSeq writes another sequence number into CSeq. ErrHeader if the message has none that can be read.
func (c *Context) SetCSeq(n uint32) error {
	i := c.Msg.Find(sipframe.HeaderCSeq)
	if _, _, err := c.Msg.CSeq(); i < 0 || err != nil {
		return ErrHeader
	}
	h := c.Msg.Header(i)
	_, method, _ := c.Msg.CSeq()
	from := len(c.arena)
	c.arena = append(append(strconv.AppendUint(c.arena, uint64(n), 10), ' '), method...)
	c.edits = slices.DeleteFunc(c.edits, func(e edit) bool { return e.takes(h.Value) })
	c.edits = append(c.edits, edit{off: h.Value.Off, end: h.Value.End(), from: from, to: len(c.arena)})
	c.renamed = true
	return nil
}

// CSeq gives the sequence number as it stands: as it came, or as SetCSeq left it; false if there is none.
func (c *Context) CSeq() (n uint32, ok bool) {
	i := c.Msg.Find(sipframe.HeaderCSeq)
	if i < 0 {
		return 0, false
	}
	digits, _, _ := bytes.Cut(c.HeaderValue(i), []byte{' '})
	v, ok := sipframe.ParseUint(digits, 1<<32-1)
	return uint32(v), ok
}
