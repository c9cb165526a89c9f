package datagrams

import "net/netip"

// maxSources bounds the senders that are known; then they are learned anew.
const maxSources = 4096

// origin is who sent a datagram, to which socket.
type origin[S comparable] struct {
	from   netip.AddrPort
	socket S
}

// Sources has one T for all that a peer sends to a socket, so that it costs no memory a
// message. The zero value is ready.
type Sources[S comparable, T any] struct {
	known map[origin[S]]*T
}

// Of returns the one of a peer at a socket, a new one if it is not known.
func (s *Sources[S, T]) Of(from netip.AddrPort, socket S, make func(netip.AddrPort, S) *T) *T {
	key := origin[S]{from, socket}
	if t := s.known[key]; t != nil {
		return t
	}
	return s.learn(key, make(from, socket))
}

func (s *Sources[S, T]) learn(key origin[S], t *T) *T {
	if s.known == nil || len(s.known) >= maxSources {
		s.known = make(map[origin[S]]*T)
	}
	s.known[key] = t
	return t
}
