package destination

import (
	"iter"
	"net"
	"strconv"
	"strings"
	"sync/atomic"

	"sipreactor/reactor"
	"sipreactor/reactor/proxy"
)

// SocketName is a listener as tables and parameters name it: proto:host[:port],
// host[:port] or the tag of a socket. It finds the listener among those that there
// are, once. The zero value names none.
type SocketName struct {
	text  string
	found atomic.Pointer[reactor.Socket]
}

// NewSocketName makes one of a text, which may be empty.
func NewSocketName(text string) *SocketName { return &SocketName{text: strings.TrimSpace(text)} }

// String gives the text.
func (s *SocketName) String() string { return s.text }

// Find gives the listener, nil if none is named or there is none of that name.
func (s *SocketName) Find(sockets iter.Seq[*reactor.Socket]) *reactor.Socket {
	if s.text == "" {
		return nil
	}
	if found := s.found.Load(); found != nil {
		return found
	}
	proto, host, port := splitSocket(s.text)
	for one := range sockets {
		if one.Tag != "" && strings.EqualFold(one.Tag, s.text) || isSocket(one, proto, host, port) {
			s.found.Store(one)
			return one
		}
	}
	return nil
}

// Of finds the listener for the message in c, as Find does.
func (s *SocketName) Of(c *proxy.Context) *reactor.Socket {
	if s.text == "" {
		return nil
	}
	if found := s.found.Load(); found != nil {
		return found
	}
	return s.Find(c.Sockets)
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

func isSocket(s *reactor.Socket, proto reactor.Proto, host string, port uint16) bool {
	if proto != 0 && s.Proto != proto {
		return false
	}
	if port == 0 {
		port = s.Proto.DefaultPort()
	}
	return s.Addr.Addr().Unmap().String() == host && s.Addr.Port() == port ||
		s.Advertised != "" && strings.EqualFold(s.Advertised, host) && (s.AdvertisedPort == port || s.Addr.Port() == port)
}
