package proxy

import (
	"net/netip"

	"sipreactor/reactor"
)

// outgoing gives the listener that a message leaves by to an address: the one
// that the Router or a pair of Record-Routes chose; with Config.MultiHomed the
// one on the route to the address; else the one that the message came by, else
// the first, of those that have the transport and the address family. nil if none
// has.
func (c *Context) outgoing(proto reactor.Proto, to netip.AddrPort) *listener {
	want := c.main.socket
	if want == nil && c.proxy.cfg.MultiHomed {
		if li := c.ours.from(proto, c.source(to), c.Src.Socket); li != nil {
			want = li.socket
		}
	}
	return c.ours.pick(proto, to.Addr(), want, c.Src.Socket)
}

// from gives the listener of a transport on one of our addresses; of several
// the one that the message came by, and one on all addresses only if no other is
// there. nil if none is.
func (l *listeners) from(proto reactor.Proto, addr netip.Addr, in *reactor.Socket) *listener {
	if !addr.IsValid() {
		return nil
	}
	var exact, any *listener
	for i := range l.list {
		li := &l.list[i]
		switch bound := li.socket.Addr.Addr().Unmap(); {
		case li.socket.Proto != proto:
		case bound == addr && (exact == nil || li.socket == in):
			exact = li
		case bound.IsUnspecified() && bound.Is4() == addr.Is4() && (any == nil || li.socket == in):
			any = li
		}
	}
	if exact != nil {
		return exact
	}
	return any
}

// source gives the address of ours by which the kernel reaches a peer; the zero
// value if there is no route.
func (c *Context) source(to netip.AddrPort) netip.Addr {
	return c.sources.of(to.Addr().Unmap(), c.proxy.cfg.SourceOf)
}

// voice gives a listener as it names itself to a peer: a listener on all
// addresses is, on the side the message came from, the address that the peer has
// reached, and with Config.MultiHomed, to the peer that a message goes to, the
// one on the route there.
func (c *Context) voice(li *listener, to netip.AddrPort) *listener {
	if li.fixed {
		return li
	}
	local := netip.Addr{}
	if li.socket == c.Src.Socket {
		local = c.Src.Local.Addr().Unmap()
	}
	if c.proxy.cfg.MultiHomed && to.IsValid() {
		if a := c.source(to); a.IsValid() {
			local = a
		}
	}
	return c.voiceAt(li, local)
}

// voiceAt gives a listener on all addresses as one of them.
func (c *Context) voiceAt(li *listener, local netip.Addr) *listener {
	if !local.IsValid() || local == li.addr {
		return li
	}
	for _, v := range c.voices {
		if v.socket == li.socket && v.addr == local {
			return v
		}
	}
	if len(c.voices) >= maxVoices {
		c.voices = c.voices[:0]
	}
	v := *li
	v.addr = local
	v.name(local.String())
	c.voices = append(c.voices, &v)
	return &v
}

const maxVoices = 64

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
