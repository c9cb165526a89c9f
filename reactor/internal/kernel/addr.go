package kernel

import (
	"net"
	"net/netip"

	"golang.org/x/sys/unix"
)

// Unmap returns the address without a zone, an IPv4 address as one however the
// kernel gave it.
func Unmap(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap().WithZone(""), a.Port())
}

// LocalAddr returns a socket's own end; the zero value for one that is not IP.
func LocalAddr(fd int) (netip.AddrPort, error) {
	sa, err := unix.Getsockname(fd)
	if err != nil {
		return netip.AddrPort{}, err
	}
	return AddrPort(sa), nil
}

// AddrPort returns a socket address; the zero value for one that is not IP.
func AddrPort(sa unix.Sockaddr) netip.AddrPort {
	switch a := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port))
	case *unix.SockaddrInet6:
		return Unmap(netip.AddrPortFrom(netip.AddrFrom16(a.Addr), uint16(a.Port)))
	default:
		return netip.AddrPort{}
	}
}

// Sockaddr returns an address as system calls take it.
func Sockaddr(a netip.AddrPort) unix.Sockaddr {
	if a.Addr().Is4() {
		return &unix.SockaddrInet4{Addr: a.Addr().As4(), Port: int(a.Port())}
	}
	return &unix.SockaddrInet6{Addr: a.Addr().As16(), Port: int(a.Port())}
}

// Family returns the address family of an address, for socket(2).
func Family(a netip.Addr) int {
	if a.Is6() {
		return unix.AF_INET6
	}
	return unix.AF_INET
}

// AddrOf returns the address of an end of gnet's without its zone; the zero value
// for one that is not IP.
func AddrOf(a net.Addr) netip.AddrPort {
	switch t := a.(type) {
	case *net.TCPAddr:
		return Unmap(t.AddrPort())
	case *net.UDPAddr:
		return Unmap(t.AddrPort())
	}
	return netip.AddrPort{}
}
