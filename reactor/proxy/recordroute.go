package proxy

import (
	"bytes"
	"net/netip"

	"sipreactor/sipframe"
)

// recordRoute is what the Router asked of Record-Route.
type recordRoute struct {
	on     bool
	params []byte // as asked for, each with its ";"
	preset []byte // what stands for ourselves in the URI, outgoing side; empty: the listener
	inner  []byte // the same for the incoming side; empty: one Record-Route
	text   []byte // the headers for the hop that is tried
}

// RecordRoute has Forward put a Record-Route of ours on top (RFC 3261 16.6 item
// 4), with params (";name=value...", may be nil) in its URI. If the message
// leaves by another listener than it came by, or with another of our addresses,
// there are two of them, marked ;r2=on, the outgoing side's above (RFC 5658).
func (c *Context) RecordRoute(params []byte) error {
	if !c.Msg.IsRequest() {
		return ErrNotRequest
	}
	if len(params) > 0 {
		if err := c.AddRRParam(params); err != nil {
			return err
		}
	}
	c.rr.on = true
	return nil
}

// RecordRoutePreset is RecordRoute with host[:port][;params] of the Router's
// choice instead of our listeners: one Record-Route, or with an incoming side
// that is not empty two of them, marked ;r2=on. ErrURI if they could not stand in
// a URI. The Router's texts have to name us (Config.MyDomains), or what follows in
// the dialog goes past us.
func (c *Context) RecordRoutePreset(outgoing, incoming []byte) error {
	if !c.Msg.IsRequest() {
		return ErrNotRequest
	}
	for _, b := range [][]byte{outgoing, incoming} {
		if !clean(b) || bytes.ContainsAny(b, "?,@") {
			return ErrURI
		}
	}
	if len(outgoing) == 0 {
		return ErrURI
	}
	c.rr.preset = append(c.rr.preset[:0], outgoing...)
	c.rr.inner = append(c.rr.inner[:0], incoming...)
	c.rr.on = true
	return nil
}

// AddRRParam adds parameters to the Record-Route that RecordRoute asks for,
// before that or after. params begins with ";". ErrURI if it could not stand in
// a URI.
func (c *Context) AddRRParam(params []byte) error {
	if len(params) < 2 || params[0] != ';' || !clean(params) || bytes.ContainsAny(params, "?,@") {
		return ErrURI
	}
	c.rr.params = append(c.rr.params, params...)
	return nil
}

// recordRoutes writes the Record-Route headers for a request that leaves by lo.
func (c *Context) recordRoutes(lo *listener) []byte {
	sips := c.wantsSIPS()
	li := c.incoming()
	b := c.rr.text[:0]
	switch {
	case len(c.rr.preset) > 0:
		b = c.appendRecordRoute(b, "sip:", c.rr.preset, len(c.rr.inner) > 0)
		if len(c.rr.inner) > 0 {
			b = c.appendRecordRoute(b, "sip:", c.rr.inner, true)
		}
	case li == nil || li.socket == lo.socket && li.addr == lo.addr || c.proxy.cfg.SingleRecordRoute:
		scheme, place := lo.uri(sips)
		b = c.appendRecordRoute(b, scheme, place, false)
	default:
		scheme, place := lo.uri(sips)
		b = c.appendRecordRoute(b, scheme, place, true)
		scheme, place = li.uri(sips)
		b = c.appendRecordRoute(b, scheme, place, true)
	}
	c.rr.text = b
	return b
}

// uri gives the URI of a listener in Record-Route: its scheme, with the colon,
// and what comes behind the user.
func (li *listener) uri(sips bool) (scheme string, place []byte) {
	if sips && li.socket.Proto.Secure() {
		return "sips:", li.sips[len("sips:"):]
	}
	return "sip:", li.sip[len("sip:"):]
}

func (c *Context) appendRecordRoute(b []byte, scheme string, place []byte, pair bool) []byte {
	b = append(append(b, "Record-Route: <"...), scheme...)
	if c.proxy.cfg.RecordUser {
		if u := c.parsedURI(); u != nil && u.User.Len > 0 && clean(u.User.In(c.RequestURI())) {
			b = append(append(b, u.User.In(c.RequestURI())...), '@')
		}
	}
	b = append(b, place...)
	if pair {
		b = append(b, ";r2=on"...)
	}
	b = append(b, ";lr"...)
	if c.proxy.cfg.FullLR {
		b = append(b, "=on"...)
	}
	if c.proxy.cfg.FromTag {
		if from, err := c.Msg.From(); err == nil && from.Tag.Len > 0 && clean(c.Msg.Bytes(from.Tag)) {
			b = append(append(b, ";ftag="...), c.Msg.Bytes(from.Tag)...)
		}
	}
	b = append(b, c.rr.params...)
	return append(b, ">\r\n"...)
}

// wantsSIPS tells whether our Record-Route has to be a SIPS URI (RFC 3261 16.6
// item 4): the Request-URI is one, or what is on top of the Route.
func (c *Context) wantsSIPS() bool {
	return isSIPS(c.RequestURI()) || isSIPS(c.main.dst)
}

func isSIPS(uri []byte) bool { return len(uri) > 5 && sipframe.EqualFold(uri[:5], "sips:") }

// incoming gives the listener that stands for the side the message came from.
func (c *Context) incoming() *listener {
	if li := c.ours.of(c.Src.Socket); li != nil {
		return c.voice(li, netip.AddrPort{})
	}
	if li := c.ours.pick(c.Src.Proto, c.Src.Remote.Addr(), nil, nil); li != nil {
		return li
	}
	return nil
}

// rrOffset is where our Record-Route goes: above the others.
func (c *Context) rrOffset() uint32 {
	if i := c.Msg.Find(sipframe.HeaderRecordRoute); i >= 0 {
		return c.Msg.Header(i).Line.Off
	}
	if i := c.Msg.Find(sipframe.HeaderVia); i >= 0 {
		return c.Msg.Header(i).Line.Off
	}
	return c.Msg.HeadersOffset()
}
