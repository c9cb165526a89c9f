package proxy

import (
	"iter"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"sipreactor/reactor"
)

// SocketName is a listener as scripts, tables and parameters name it: proto:host[:port],
// host[:port] or the tag of a socket. The host is an address, the advertised host, or what
// the configuration calls it; without a port it is the default one of the protocol before
// any other. It finds the listener among those that there are, once. The zero value names
// none.
type SocketName struct {
	text  string
	found atomic.Pointer[reactor.Socket]
}

// NewSocketName makes one of a text, which may be empty.
func NewSocketName(text string) *SocketName { return &SocketName{text: strings.TrimSpace(text)} }

// String gives the text.
func (s *SocketName) String() string { return s.text }

// Find gives the listener, nil if none is named or there is none of that name. Any
// goroutine.
func (s *SocketName) Find(sockets iter.Seq[*reactor.Socket]) *reactor.Socket {
	if s.text == "" {
		return nil
	}
	found := s.found.Load()
	if found == nil {
		if found = FindSocket(s.text, sockets); found != nil {
			s.found.Store(found)
		}
	}
	return found
}

// Of finds the listener for the message in c, as Find does.
func (s *SocketName) Of(c *Context) *reactor.Socket {
	if s.text == "" {
		return nil
	}
	if found := s.found.Load(); found != nil {
		return found
	}
	return s.Find(c.Sockets)
}

// FindSocket gives the listener that a text names as a SocketName does, nil if there is none.
func FindSocket(text string, sockets iter.Seq[*reactor.Socket]) *reactor.Socket {
	return findSocket(text, sockets, ofThisMachine)
}

// NamesElsewhere reports whether a text that names no listener would name one on another
// machine: one that listens on all addresses, of which it then had this one.
func NamesElsewhere(text string, sockets iter.Seq[*reactor.Socket]) bool {
	return findSocket(text, sockets, anAddress) != nil
}

func findSocket(text string, sockets iter.Seq[*reactor.Socket], local func(host string, is4 bool) bool) (found *reactor.Socket) {
	proto, host, port := splitSocket(text)
	best := noMatch
	for one := range sockets {
		if one.Tag != "" && strings.EqualFold(one.Tag, text) {
			return one
		}
		if m := matches(one, proto, host, port, local); m > best {
			found, best = one, m
		}
	}
	return found
}

// splitSocket takes proto:host:port apart; what is not said is zero.
func splitSocket(s string) (proto reactor.Proto, host string, port uint16) {
	if name, rest, ok := strings.Cut(s, ":"); ok {
		if p, known := reactor.ParseProto(name); known {
			proto, s = p, rest
		}
	}
	host = s
	if h, p, err := net.SplitHostPort(s); err == nil {
		if n, err := strconv.ParseUint(p, 10, 16); err == nil {
			host, port = h, uint16(n)
		}
	}
	return proto, strings.Trim(strings.ToLower(host), "[]"), port
}

// How well a socket is the one that was named, the best one last.
const (
	noMatch   = iota
	otherPort // none was named, and the socket has not the default one
	wildcard  // it is bound to all addresses, of which this is one
	exact
)

func matches(s *reactor.Socket, proto reactor.Proto, host string, port uint16, local func(host string, is4 bool) bool) int {
	if proto != 0 && s.Proto != proto {
		return noMatch
	}
	own := s.Addr.Addr().Unmap()
	m := exact
	switch {
	case own.String() == host, s.Host != "" && strings.EqualFold(s.Host, host):
	case s.Advertised != "" && strings.EqualFold(strings.Trim(s.Advertised, "[]"), host):
		if port != 0 && port == s.AdvertisedPort {
			return exact
		}
	case own.IsUnspecified() && local(host, own.Is4()):
		m = wildcard
	default:
		return noMatch
	}
	switch port {
	case s.Addr.Port():
		return m
	case 0:
		if s.Addr.Port() != s.Proto.DefaultPort() && s.AdvertisedPort != s.Proto.DefaultPort() {
			return otherPort
		}
		return m
	default:
		return noMatch
	}
}

// ofThisMachine reports whether a host is an address of this machine, of the family.
func ofThisMachine(host string, is4 bool) bool {
	a, err := netip.ParseAddr(host)
	return err == nil && a.Unmap().Is4() == is4 && (a.IsLoopback() || slices.Contains(localAddrs(is4), a.Unmap()))
}

// anAddress reports whether a host is an address of the family.
func anAddress(host string, is4 bool) bool {
	a, err := netip.ParseAddr(host)
	return err == nil && a.Unmap().Is4() == is4
}
