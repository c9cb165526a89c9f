package kernel

import (
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// burstBytes is from how many bytes on an Outgoing is full.
	burstBytes = 2 * MaxDatagram
	// burstKept is how much memory one keeps from one time to the next.
	burstKept = 4 * MaxDatagram
)

// Outgoing gathers datagrams that leave by one socket, and sends them with as few
// system calls as it takes. The zero value has none. One goroutine.
type Outgoing struct {
	messages [BatchSize]message
	parts    [BatchSize]unix.Iovec
	names    [BatchSize]unix.RawSockaddrInet6
	to       [BatchSize]netip.AddrPort
	ends     [BatchSize]int
	failed   [BatchSize]unix.Errno
	b        []byte
	n        int
}

// Len returns how many datagrams there are.
func (o *Outgoing) Len() int { return o.n }

// Full reports whether they have to be sent before there is room for another.
func (o *Outgoing) Full() bool { return o.n == BatchSize || len(o.b) >= burstBytes }

// Add appends a datagram.
func (o *Outgoing) Add(b []byte, to netip.AddrPort) {
	o.b = append(o.b, b...)
	o.to[o.n], o.ends[o.n] = to, len(o.b)
	o.n++
}

// At returns the i-th datagram, until Reset, with its destination and, behind Send,
// why it was not sent; 0 is that it was.
func (o *Outgoing) At(i int) (b []byte, to netip.AddrPort, why unix.Errno) {
	from := 0
	if i > 0 {
		from = o.ends[i-1]
	}
	return o.b[from:o.ends[i]], o.to[i], o.failed[i]
}

// Send sends all that is there, without waiting, and returns how many could not be
// sent. As with SendTo an error that an earlier datagram has come to is none of
// theirs.
func (o *Outgoing) Send(fd int) (failed int) {
	from := 0
	for i, end := range o.ends[:o.n] {
		o.failed[i] = 0
		o.parts[i] = unix.Iovec{}
		if end > from {
			o.parts[i].Base = &o.b[from]
		}
		o.parts[i].SetLen(end - from)
		from = end
		h := &o.messages[i].head
		h.Name, h.Namelen = (*byte)(unsafe.Pointer(&o.names[i])), uint32(putAddrPort(&o.names[i], o.to[i]))
		h.Iov = &o.parts[i]
		h.SetIovlen(1)
	}
	tries := 0
	for at := 0; at < o.n; {
		n, _, err := unix.RawSyscall6(unix.SYS_SENDMMSG, uintptr(fd), uintptr(unsafe.Pointer(&o.messages[at])), uintptr(o.n-at),
			unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
		switch {
		case err == 0:
			at += int(n)
			tries = 0
		case another(err) && tries < mostTries:
			tries++
		default:
			o.failed[at] = err
			failed++
			at++
			tries = 0
		}
	}
	return failed
}

// Reset forgets the datagrams.
func (o *Outgoing) Reset() {
	o.n, o.b = 0, o.b[:0]
	if cap(o.b) > burstKept {
		o.b = nil
	}
}

// mostTries is how often a datagram is sent again for another's error.
const mostTries = 3

// another reports whether an error may be that of an earlier datagram.
func another(err unix.Errno) bool {
	switch err {
	case unix.ECONNREFUSED, unix.EHOSTUNREACH, unix.ENETUNREACH, unix.EHOSTDOWN, unix.ENOPROTOOPT, unix.EPROTO, unix.ENONET, unix.EINTR:
		return true
	default:
		return false
	}
}
