package kernel

import "golang.org/x/sys/unix"

// GrowReceive makes a socket's receive buffer at least so many bytes long, as far
// as the system allows, and returns its size. The kernel counts twice what it is
// asked for, for what belongs to each datagram; that is left out.
func GrowReceive(fd, want int) int {
	size := func() int {
		n, _ := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF)
		return n / 2
	}
	if has := size(); has >= want {
		return has
	}
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, want) != nil { // that needs CAP_NET_ADMIN
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, want)
	}
	return size()
}
