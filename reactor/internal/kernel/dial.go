package kernel

import (
	"errors"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"
)

// OpenStream makes a non-blocking socket of TCP that is to be connected to a peer, bound to
// an address of ours if from is one of the same family.
func OpenStream(peer, from netip.Addr, k *Keepalive) (fd int, err error) {
	fd, err = unix.Socket(Family(peer), unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, os.NewSyscallError("socket", err)
	}
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	BoundSend(fd)
	k.Set(fd)
	if from.IsValid() && from.Is4() == peer.Is4() {
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1)
		if err = unix.Bind(fd, Sockaddr(netip.AddrPortFrom(from, 0))); err != nil {
			unix.Close(fd)
			return -1, os.NewSyscallError("bind", err)
		}
	}
	return fd, nil
}

// OwnChoice reports whether an error that a system call gave at once tells of what only
// this machine knows: its routes, filters and addresses.
func OwnChoice(cause error) bool {
	for _, own := range [...]error{unix.EINVAL, unix.EACCES, unix.EPERM, unix.ENETUNREACH, unix.EHOSTUNREACH, unix.EADDRNOTAVAIL, unix.EAFNOSUPPORT} {
		if errors.Is(cause, own) {
			return true
		}
	}
	return false
}
