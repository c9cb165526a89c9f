package kernel

import (
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

// SetErrorQueue has the kernel keep what ICMP says of datagrams that a socket has
// sent, for ReadError. EPOLLPRI then tells that there is something besides
// EPOLLERR.
func SetErrorQueue(fd int, v6 bool) error {
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SELECT_ERR_QUEUE, 1); err != nil {
		return err
	}
	if v6 {
		return unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_RECVERR, 1)
	}
	return unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_RECVERR, 1)
}

// ReadError takes the next error off a socket's queue: who the datagram was sent
// to, what became of it, and as much of its beginning as ICMP has quoted, in buf. It
// returns an errno of 0 when there is none. It allocates nothing.
func ReadError(fd int, buf []byte) (to netip.AddrPort, why unix.Errno, quote []byte) {
	var name unix.RawSockaddrInet6
	var control [128]byte
	part := unix.Iovec{Base: &buf[0]}
	part.SetLen(len(buf))
	head := unix.Msghdr{Name: (*byte)(unsafe.Pointer(&name)), Namelen: unix.SizeofSockaddrInet6, Iov: &part, Control: &control[0]}
	head.SetIovlen(1)
	head.SetControllen(len(control))
	n, _, err := unix.Syscall(unix.SYS_RECVMSG, uintptr(fd), uintptr(unsafe.Pointer(&head)), unix.MSG_ERRQUEUE|unix.MSG_DONTWAIT)
	if err != 0 {
		return to, 0, nil
	}
	why = unix.EIO
	for c := control[:head.Controllen]; len(c) >= unix.SizeofCmsghdr; {
		h := (*unix.Cmsghdr)(unsafe.Pointer(&c[0]))
		size := int(h.Len)
		if size < unix.SizeofCmsghdr || size > len(c) {
			break
		}
		if h.Level == unix.IPPROTO_IP && h.Type == unix.IP_RECVERR || h.Level == unix.IPPROTO_IPV6 && h.Type == unix.IPV6_RECVERR {
			if data := c[unix.CmsgLen(0):size]; len(data) >= 4 {
				why = unix.Errno(*(*uint32)(unsafe.Pointer(&data[0]))) // sock_extended_err begins with its errno
			}
		}
		c = c[min(unix.CmsgSpace(size-unix.CmsgLen(0)), len(c)):]
	}
	return rawAddrPort(&name), why, buf[:n]
}

// Dropped returns how many datagrams found no room in a socket's receive buffer.
func Dropped(fd int) uint64 {
	var info [9]uint32 // SK_MEMINFO_VARS; the last is SK_MEMINFO_DROPS
	size := uint32(unsafe.Sizeof(info))
	_, _, err := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_MEMINFO,
		uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
	if err != 0 {
		return 0
	}
	return uint64(info[8])
}
