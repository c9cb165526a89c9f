package proxy

import (
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// SourceOf gives the address of ours that packets to a peer leave with. It must
// not block.
type SourceOf func(to netip.Addr) (netip.Addr, error)

// routeSource asks the kernel's routing table, by a UDP socket that is connected
// and never sends: a few microseconds, and it waits for nothing. The error is
// the kernel's, such as ENETUNREACH. Any goroutine.
func routeSource(to netip.Addr) (netip.Addr, error) {
	to = to.Unmap()
	family, at := unix.AF_INET, unix.Sockaddr(&unix.SockaddrInet4{Port: discardPort, Addr: v4(to)})
	if to.Is6() {
		family, at = unix.AF_INET6, &unix.SockaddrInet6{Port: discardPort, Addr: to.As16()}
	}
	fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return netip.Addr{}, err
	}
	defer unix.Close(fd)
	if err := unix.Connect(fd, at); err != nil {
		return netip.Addr{}, err
	}
	own, err := unix.Getsockname(fd)
	if err != nil {
		return netip.Addr{}, err
	}
	switch a := own.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrFrom4(a.Addr), nil
	case *unix.SockaddrInet6:
		return netip.AddrFrom16(a.Addr), nil
	default:
		return netip.Addr{}, unix.EAFNOSUPPORT
	}
}

// discardPort is where the connected socket points to; nothing is sent.
const discardPort = 9

func v4(a netip.Addr) (b [4]byte) {
	if a.Is4() {
		b = a.As4()
	}
	return b
}

// sources keeps for a few seconds by which address of ours peers are reached.
// One goroutine.
type sources struct {
	known map[netip.Addr]sourceEntry
	now   func() time.Time // nil: time.Now
}

// sourceEntry is an answer, the zero address for "no route".
type sourceEntry struct {
	addr  netip.Addr
	until time.Time
}

const (
	// sourceLife is how long an answer holds: routes change, though seldom.
	sourceLife = 5 * time.Second
	// maxSources bounds the table; when it is full it starts again.
	maxSources = 4096
)

// of gives the address of ours for a peer; the zero value if there is no route.
func (s *sources) of(to netip.Addr, ask SourceOf) netip.Addr {
	now := time.Now
	if s.now != nil {
		now = s.now
	}
	at := now()
	if e, ok := s.known[to]; ok && at.Before(e.until) {
		return e.addr
	}
	if s.known == nil || len(s.known) >= maxSources {
		s.known = make(map[netip.Addr]sourceEntry)
	}
	own, err := ask(to)
	if err != nil {
		own = netip.Addr{}
	}
	s.known[to] = sourceEntry{own.Unmap(), at.Add(sourceLife)}
	return own.Unmap()
}
