package kernel

import (
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// BatchSize is how many datagrams a Batch takes at once.
	BatchSize = 32
	// MaxDatagram is how long a datagram may be.
	MaxDatagram = 64 << 10
)

// message is struct mmsghdr of recvmmsg(2).
type message struct {
	head unix.Msghdr
	n    uint32
}

// Batch receives datagrams many at a time: each system call takes as many as wait.
// It allocates nothing once it is made, and its memory is touched as far as
// datagrams reach. One goroutine.
type Batch struct {
	messages [BatchSize]message
	parts    [BatchSize]unix.Iovec
	names    [BatchSize]unix.RawSockaddrInet6 // which has room for IPv4's
	room     []byte
	n        int
}

// NewBatch makes a Batch.
func NewBatch() *Batch {
	b := &Batch{room: make([]byte, BatchSize*MaxDatagram)}
	for i := range b.messages {
		b.parts[i].Base = &b.room[i*MaxDatagram]
		b.parts[i].SetLen(MaxDatagram)
		h := &b.messages[i].head
		h.Name = (*byte)(unsafe.Pointer(&b.names[i]))
		h.Namelen = unix.SizeofSockaddrInet6
		h.Iov = &b.parts[i]
		h.SetIovlen(1)
	}
	return b
}

// Receive takes what waits at a socket, without waiting: unix.EAGAIN where nothing
// does. What was there before is gone.
func (b *Batch) Receive(fd int) error {
	for i := range b.n { // the kernel writes over it
		b.messages[i].head.Namelen = unix.SizeofSockaddrInet6
	}
	b.n = 0
	n, _, err := unix.RawSyscall6(unix.SYS_RECVMMSG, uintptr(fd), uintptr(unsafe.Pointer(&b.messages)), BatchSize, unix.MSG_DONTWAIT, 0, 0)
	if err != 0 {
		return err
	}
	b.n = int(n)
	return nil
}

// Len returns how many datagrams the last Receive took.
func (b *Batch) Len() int { return b.n }

// At returns the i-th datagram, which the next Receive overwrites, and who sent it.
func (b *Batch) At(i int) (from netip.AddrPort, data []byte) {
	at := i * MaxDatagram
	return rawAddrPort(&b.names[i]), b.room[at : at+int(b.messages[i].n) : at+int(b.messages[i].n)]
}

// rawAddrPort returns a socket address as the kernel writes it.
func rawAddrPort(a *unix.RawSockaddrInet6) netip.AddrPort {
	port := *(*[2]byte)(unsafe.Pointer(&a.Port))
	n := uint16(port[0])<<8 | uint16(port[1])
	switch a.Family {
	case unix.AF_INET:
		return netip.AddrPortFrom(netip.AddrFrom4((*unix.RawSockaddrInet4)(unsafe.Pointer(a)).Addr), n)
	case unix.AF_INET6:
		return netip.AddrPortFrom(netip.AddrFrom16(a.Addr).Unmap(), n)
	default:
		return netip.AddrPort{}
	}
}

// putAddrPort writes a socket address for the kernel and returns its length.
func putAddrPort(a *unix.RawSockaddrInet6, to netip.AddrPort) uintptr {
	port := [2]byte{byte(to.Port() >> 8), byte(to.Port())}
	if addr := to.Addr(); addr.Is4() {
		a4 := (*unix.RawSockaddrInet4)(unsafe.Pointer(a))
		*a4 = unix.RawSockaddrInet4{Family: unix.AF_INET, Addr: addr.As4(), Port: *(*uint16)(unsafe.Pointer(&port))}
		return unix.SizeofSockaddrInet4
	}
	*a = unix.RawSockaddrInet6{Family: unix.AF_INET6, Addr: to.Addr().As16(), Port: *(*uint16)(unsafe.Pointer(&port))}
	return unix.SizeofSockaddrInet6
}

// SendTo sends a datagram without waiting and without allocating. An error that an
// earlier datagram has come to (SetErrorQueue) is none of this one's: it is sent
// all the same.
func SendTo(fd int, b []byte, to netip.AddrPort) error {
	var name unix.RawSockaddrInet6
	size := putAddrPort(&name, to)
	var base unsafe.Pointer
	if len(b) > 0 {
		base = unsafe.Pointer(&b[0])
	}
	var err unix.Errno
	for range 1 + mostTries {
		_, _, err = unix.Syscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(base), uintptr(len(b)), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL,
			uintptr(unsafe.Pointer(&name)), size)
		switch {
		case err == 0:
			return nil
		case !another(err):
			return err
		}
	}
	return err
}
