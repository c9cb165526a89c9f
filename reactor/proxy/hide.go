package proxy

import (
	"bytes"
	"errors"

	"sipreactor/reactor"
	"sipreactor/sipframe"
)

// ErrStateless: a request whose client's Via is left out has no response without a transaction, which puts it back.
var ErrStateless = errors.New("proxy: a request that hides its way needs a transaction")

// OwnContact is what is ours in the Contact that stands in the place of another's: what is around our address.
type OwnContact struct {
	User      []byte // of the URI; empty: none
	URIParams []byte // ";name=value..."
	Params    []byte // of the header, the same way
}

func (o *OwnContact) valid() bool {
	return cleanUser(o.User) && cleanParams(o.URIParams) && (len(o.Params) == 0 || o.Params[0] == ';') && !bytes.ContainsAny(o.Params, "\r\n\x00")
}

// cleanParams tells whether b can be the parameters of a URI, and nothing behind them.
func cleanParams(b []byte) bool {
	for _, c := range b {
		switch c {
		case '?', ',', '@', '"', '<', '>', 0x7f:
			return false
		default:
			if c <= ' ' {
				return false
			}
		}
	}
	return len(b) == 0 || b[0] == ';'
}

// hiding is what the Router asked so that who gets a message does not learn where it came from.
type hiding struct {
	on      bool
	contact bool
	own     OwnContact
	trail   []byte // of a response: Via and Record-Route of its request
	from    *reactor.Source
}

func (h *hiding) reset() {
	h.on, h.contact, h.trail, h.from = false, false, h.trail[:0], nil
}

func (h *hiding) copyFrom(o *hiding) {
	h.on, h.contact, h.from = o.on, o.contact, o.from
	h.trail = append(h.trail[:0], o.trail...)
	h.own.copyFrom(&o.own)
}

func (o *OwnContact) copyFrom(from *OwnContact) {
	o.User = append(o.User[:0], from.User...)
	o.URIParams, o.Params = append(o.URIParams[:0], from.URIParams...), append(o.Params[:0], from.Params...)
}

// HideTopology has the request leave without the Via and Record-Route headers that it came with, and with a Contact of ours
// in the place of its own. What changes there were in those is gone. No Record-Route of ours is written: later requests
// come by the Contact. ErrURI if own could not stand there.
func (c *Context) HideTopology(own *OwnContact) error {
	if !own.valid() {
		return ErrURI
	}
	c.hide.on, c.hide.contact = true, true
	c.hide.own.copyFrom(own)
	return nil
}

// AppendTrail appends the Via and Record-Route headers of the request at hand as a response to it has them, for
// RestoreTrail.
func (c *Context) AppendTrail(dst []byte) []byte {
	m := c.Msg
	first := m.Find(sipframe.HeaderVia)
	for i := range m.NumHeaders() {
		switch h := m.Header(i); {
		case i == first:
			dst = append(c.appendTopVia(append(dst, viaName...), h), crlf...)
		case h.Kind == sipframe.HeaderVia, h.Kind == sipframe.HeaderRecordRoute:
			dst = append(append(append(append(dst, m.Bytes(h.Name)...), ": "...), m.Bytes(h.Value)...), crlf...)
		}
	}
	return dst
}

// RestoreTrail has the response of a transaction leave with the Via and Record-Route headers of its request, as AppendTrail
// gave them, in the place of its own, and unless own is nil with a Contact of ours as the client knows us, which sent the
// request from there. ErrURI as with HideTopology.
func (c *Context) RestoreTrail(trail []byte, from *reactor.Source, own *OwnContact) error {
	if own != nil && !own.valid() {
		return ErrURI
	}
	c.hide.on, c.hide.contact, c.hide.from = true, own != nil, from
	c.hide.trail = append(c.hide.trail[:0], trail...)
	if own != nil {
		c.hide.own.copyFrom(own)
	}
	return nil
}

// hideWay writes the changes of a hidden message that leaves by li: what must not be seen goes, and our Contact comes.
func (c *Context) hideWay(li *listener) {
	first := true
	for i := range c.Msg.NumHeaders() {
		h := c.Msg.Header(i)
		switch h.Kind {
		case sipframe.HeaderVia, sipframe.HeaderRecordRoute:
		case sipframe.HeaderContact:
			if !c.hide.contact {
				continue
			}
			if first && li != nil {
				c.insert(h.Line.Off, c.ownContact(li))
			}
			first = false
		default:
			continue
		}
		c.forget(h.Line)
		c.edit(h.Line, nil)
	}
}

// forget takes back the texts of changes within a line that goes.
func (c *Context) forget(line sipframe.Span) {
	for i := range c.edits {
		if e := &c.edits[i]; e.off < line.End() && (e.off > line.Off || e.off == line.Off && e.end > e.off) {
			e.to = e.from
		}
	}
}

// ownContact writes our Contact.
func (c *Context) ownContact(li *listener) []byte {
	sips := false
	if a, err := c.Msg.Contact(); err == nil {
		sips = isSIPS(c.Msg.Bytes(a.URI))
	}
	scheme, place := li.uri(sips)
	b := append(append(c.scratch[:0], "Contact: <"...), scheme...)
	if len(c.hide.own.User) > 0 {
		b = append(append(b, c.hide.own.User...), '@')
	}
	b = append(append(append(b, place...), c.hide.own.URIParams...), '>')
	b = append(append(b, c.hide.own.Params...), crlf...)
	c.scratch = b
	return b
}

// buildHidden is buildResponse for a response that hides where it came from.
func (c *Context) buildHidden(proto reactor.Proto) error {
	c.insert(c.Msg.Header(c.Msg.Find(sipframe.HeaderVia)).Line.Off, c.hide.trail)
	var li *listener
	if from := c.hide.from; from != nil {
		if li = c.ours.of(from.Socket); li != nil && !li.fixed {
			li = c.voiceAt(li, from.Local.Addr().Unmap())
		}
	}
	c.hideWay(li)
	return c.write(proto)
}
