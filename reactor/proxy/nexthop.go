package proxy

import (
	"bytes"
	"cmp"
	"net/netip"
	"strings"

	"sipreactor/reactor"
	"sipreactor/sipframe"
)

// hop is where a message is to go, before its name is an address.
type hop struct {
	proto reactor.Proto // 0: not said
	sips  bool          // a SIPS URI
	name  []byte        // host of the URI, as it stands there
	host  []byte        // what to look up: maddr or the host, IPv6 without brackets
	addr  netip.Addr    // if host is an address
	port  uint16        // 0: not said
}

// parseHop reads a destination: a SIP URI (in <> or not), "proto:host[:port]"
// or "host[:port]". The hop's slices point into b.
func parseHop(b []byte, h *hop) error {
	*h = hop{}
	if i := bytes.IndexByte(b, '<'); i >= 0 {
		b = b[i+1:]
		if i = bytes.IndexByte(b, '>'); i < 0 {
			return ErrURI
		}
		b = b[:i]
	}
	scheme, rest, ok := bytes.Cut(b, []byte{':'})
	switch {
	case ok && (sipframe.EqualFold(scheme, "sip") || sipframe.EqualFold(scheme, "sips")):
		var u sipframe.URI
		if sipframe.ParseURI(b, &u) != nil {
			return ErrURI
		}
		return h.fromURI(b, &u)
	case ok:
		if proto, known := reactor.ParseProto(scheme); known {
			h.proto, b = proto, rest
		}
	}
	var valid bool
	h.name, h.port, valid = splitHostPort(b)
	h.host = h.name
	if !valid || !h.settle() {
		return ErrURI
	}
	return nil
}

// fromURI reads a SIP or SIPS URI in its parts (RFC 3263 4). A Request-URI of
// any other scheme is no next hop.
func (h *hop) fromURI(b []byte, u *sipframe.URI) error {
	*h = hop{name: u.Host.In(b), port: uint16(u.Port), sips: u.Scheme == sipframe.SchemeSIPS}
	h.host = h.name
	if !h.sips && u.Scheme != sipframe.SchemeSIP {
		return ErrURI
	}
	params := sipframe.Params(u.Params.In(b))
	for p, ok := params.Next(); ok; p, ok = params.Next() {
		switch {
		case sipframe.EqualFold(p.Name, "transport"):
			proto, known := reactor.ParseProto(p.Value)
			if !known || h.sips && proto == reactor.UDP { // RFC 3261 26.2.2: sips is TLS
				return ErrTransport
			}
			if h.proto = proto; h.sips {
				h.proto = proto.Secured()
			}
		case sipframe.EqualFold(p.Name, "maddr") && len(p.Value) > 0:
			h.host = p.Value
		}
	}
	if !h.settle() {
		return ErrURI
	}
	return nil
}

// settle checks the host and finds out whether it is an address.
func (h *hop) settle() bool {
	if len(h.host) > 2 && h.host[0] == '[' {
		h.host = h.host[1 : len(h.host)-1]
	}
	addr, ok := parseAddr(h.host)
	if ok {
		h.addr = addr.Unmap()
		return !h.addr.IsMulticast() && !h.addr.IsUnspecified()
	}
	return validName(h.host)
}

// validName tells whether b can be asked of a resolver.
func validName(b []byte) bool {
	for _, c := range b {
		if l := lower(c); !('a' <= l && l <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '.' || c == '_') {
			return false
		}
	}
	return len(b) > 0 && len(b) <= 253
}

// IsHost reports whether b can be a host of ours: an address, an IPv6 one in brackets or
// not, or a name.
func IsHost(b []byte) bool {
	_, addr := parseAddr(b)
	return addr || validName(b)
}

// fallback is the transport of a destination for which neither it nor the DNS says
// one: that of the socket which the request is to leave by, if one was chosen (nil:
// none), else UDP (RFC 3263 4.1), or if we have no such listener, what the message came
// by (but WebSocket, by which nobody is called who does not ask for it); TLS for a
// SIPS URI.
func (h *hop) fallback(ours *listeners, by *reactor.Socket, in reactor.Proto) reactor.Proto {
	switch {
	case h.proto != 0:
		return h.proto
	case h.sips:
		return reactor.TLS
	case by != nil && !by.Proto.Web():
		return by.Proto
	case !ours.speaks(reactor.UDP) && in != 0 && !in.Web():
		return in
	case !ours.speaks(reactor.UDP) && ours.speaks(reactor.TCP):
		return reactor.TCP
	case !ours.speaks(reactor.UDP) && ours.speaks(reactor.TLS):
		return reactor.TLS
	default:
		return reactor.UDP
	}
}

// portOr gives the port, or the default one of the transport (RFC 3261 19.1.2).
func (p *Proxy) portOr(port uint16, proto reactor.Proto) uint16 {
	if port != 0 {
		return port
	}
	return p.cfg.DefaultPort(proto)
}

// DefaultPort gives the port of next hops that name none, by their transport.
func (c *Config) DefaultPort(proto reactor.Proto) (port uint16) {
	switch proto {
	case reactor.TLS:
		port = c.TLSPort
	case reactor.TCP:
		port = c.TCPPort
	case reactor.UDP:
		port = c.UDPPort
	case reactor.WS:
		port = c.WSPort
	case reactor.WSS:
		port = c.WSSPort
	}
	return cmp.Or(port, proto.DefaultPort())
}

// settleWeb has a hop of transport=ws, which says WebSocket with or without TLS
// (RFC 7118 5.5), go by wss where it is that: by the listener that was chosen, or
// because we speak no other.
func (c *Context) settleWeb(h *hop) {
	switch s := c.main.socket; {
	case h.proto != reactor.WS:
	case s != nil && s.Proto == reactor.WSS, !c.ours.speaks(reactor.WS) && c.ours.speaks(reactor.WSS):
		h.proto = reactor.WSS
	}
}

// needsLength tells whether a message without Content-Length has no end on a
// transport: each that does not keep the bounds of messages.
func needsLength(p reactor.Proto) bool { return p.Stream() && !p.Web() }

// nameTable turns the few host names that a worker's messages go to into strings
// without allocating each time. One goroutine.
type nameTable struct {
	known map[string]string
}

// maxNames bounds the table; when it is full it starts again.
const maxNames = 1024

func (n *nameTable) get(b []byte) string {
	if s, ok := n.known[string(b)]; ok {
		return s
	}
	if n.known == nil || len(n.known) >= maxNames {
		n.known = make(map[string]string)
	}
	s := strings.ToLower(string(b))
	n.known[string(b)] = s
	return s
}
