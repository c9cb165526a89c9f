package proxy

import (
	"net/netip"
	"strconv"

	"sipreactor/reactor"
	"sipreactor/sipframe"
)

// ownPath is what the Router asked of Path (RFC 3327).
type ownPath struct {
	on, received, single bool
	user                 []byte
	text                 []byte // the headers for the hop that is tried
}

func (p *ownPath) reset() { p.on, p.user = false, p.user[:0] }

func (p *ownPath) copyFrom(o *ownPath) {
	p.on, p.received, p.single, p.user = o.on, o.received, o.single, append(p.user[:0], o.user...)
}

// Path is what AddPath writes into the URI.
type Path struct {
	// User is its user, may be empty.
	User []byte
	// Received adds the address that the request came from.
	Received bool
	// Single leaves out the second one where the protocol or the listener changes.
	Single bool
}

// AddPath has Forward put a Path of ours on top of those that are there (RFC 3327 5.2), two where the request leaves by
// another listener than it came by, as with Record-Route. ErrURI if the user could not stand in a URI.
func (c *Context) AddPath(p Path) error {
	switch {
	case !c.Msg.IsRequest():
		return ErrNotRequest
	case !cleanUser(p.User):
		return ErrURI
	}
	c.ownPath.on, c.ownPath.received, c.ownPath.single = true, p.Received, p.Single
	c.ownPath.user = append(c.ownPath.user[:0], p.User...)
	return nil
}

// cleanUser tells whether b can be the user of a URI.
func cleanUser(b []byte) bool {
	for _, ch := range b {
		if ch == '@' || ch == ';' || ch == '?' || ch == ',' {
			return false
		}
	}
	return clean(b)
}

// paths writes the Path headers for a request that leaves by lo.
func (c *Context) paths(lo *listener) []byte {
	li := c.incoming()
	pair := !c.ownPath.single && li != nil && (li.socket != lo.socket || li.addr != lo.addr)
	b := c.appendPath(c.ownPath.text[:0], lo, pair)
	if pair {
		b = c.appendPath(b, li, true)
	}
	c.ownPath.text = b
	return b
}

func (c *Context) appendPath(b []byte, li *listener, pair bool) []byte {
	b = append(b, "Path: <sip:"...)
	if len(c.ownPath.user) > 0 {
		b = append(append(b, c.ownPath.user...), '@')
	}
	b = append(b, li.sip[len("sip:"):]...)
	if c.ownPath.received {
		b = appendReceived(append(b, ";received="...), c.Src)
	}
	if pair {
		b = append(b, ";r2=on"...)
	}
	return append(b, ";lr>\r\n"...)
}

// appendReceived writes the URI of an address as the value of a parameter, what would end that escaped.
func appendReceived(b []byte, src *reactor.Source) []byte {
	b = append(b, "sip:"...)
	addr := netip.AddrPortFrom(src.Remote.Addr().Unmap(), src.Remote.Port())
	if addr.Addr().Is4() {
		b = addr.Addr().AppendTo(b)
	} else {
		b = append(addr.Addr().AppendTo(append(b, '[')), ']')
	}
	b = strconv.AppendUint(append(b, ':'), uint64(addr.Port()), 10)
	if src.Proto != reactor.UDP {
		b = append(append(b, "%3Btransport%3D"...), src.Proto.String()...)
	}
	return b
}

// pathOffset is where our Path goes: above the others.
func (c *Context) pathOffset() uint32 {
	if i := c.Msg.Find(sipframe.HeaderPath); i >= 0 {
		return c.Msg.Header(i).Line.Off
	}
	return c.Msg.HeadersEnd()
}
