package kernel

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// UnsentBytes is how much the kernel may hold of a connection that it has not
	// sent yet: what waits, waits in our send queue, where it can be refused and
	// given back. A single write may overshoot it, so writes are small: WriteBytes.
	UnsentBytes = 64 << 10
	// WriteBytes is how much is to be written at once.
	WriteBytes = 16 << 10
	// sendBuffer bounds what is in flight besides; the kernel doubles it for its
	// own book-keeping, and may allow less.
	sendBuffer = 1 << 20
)

// BoundSend has the kernel hold little of what a socket is to send.
func BoundSend(fd int) {
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, UnsentBytes)
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, sendBuffer)
}

// IgnoreSYN has a listener ignore SYNs from now on, as if a firewall dropped them: who
// has connected by then is accepted, and nobody else connects. Connections that it
// still makes inherit that, which does them no harm.
func IgnoreSYN(listener int) error {
	const flags, syn = 13, 0x02 // RFC 9293 3.1: the octet of a TCP header, and its bit
	program := [...]unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS, K: flags},
		{Code: unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K, K: syn, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: 0},
		{Code: unix.BPF_RET | unix.BPF_K, K: 1<<32 - 1}, // the whole packet
	}
	return os.NewSyscallError("setsockopt", unix.SetsockoptSockFprog(listener, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER,
		&unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}))
}

// Unaccepted returns how many connections of a listener wait to be accepted.
func Unaccepted(listener int) int {
	info, err := Info(listener)
	if err != nil {
		return 0
	}
	return int(info.Unacked) // of a listener
}

// SocketError returns the error that a socket has come to, or other if it has
// none to tell. It is told once.
func SocketError(fd int, other error) error {
	code, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
	switch {
	case err != nil:
		return os.NewSyscallError("getsockopt", err)
	case code != 0:
		return unix.Errno(code)
	default:
		return other
	}
}

// Info returns what TCP knows of a connection.
func Info(fd int) (*unix.TCPInfo, error) {
	return unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
}

// WindowClosed reports whether the peer's window is what keeps a connection from
// sending: it has no room, or less than the kernel would send at once. Where
// there is room and nothing is on the way all the same, packets do not leave this
// machine (a firewall, no route): that is the path's fault.
func WindowClosed(info *unix.TCPInfo) bool {
	return info.Snd_wnd == 0 || info.Unacked == 0 && info.Snd_wnd < min(info.Snd_mss, info.Notsent_bytes, WriteBytes)
}

// MaxRoundTrip is the longest time that RoundTrip returns.
const MaxRoundTrip = 2 * time.Second

// RoundTrip returns how long the path of a connection takes, at most
// MaxRoundTrip; 0 when the kernel does not tell.
func RoundTrip(fd int) time.Duration {
	info, err := Info(fd)
	if err != nil {
		return 0
	}
	return min(time.Duration(info.Rtt)*time.Microsecond, MaxRoundTrip)
}

// Dead reports whether TCP has ended a connection, by a reset perhaps.
func Dead(fd int) bool {
	info, err := Info(fd)
	const tcpClose = 7 // linux/tcp_states.h
	return err != nil || info.State == tcpClose
}

// Unread returns how many bytes the kernel holds that nobody has read.
func Unread(fd int) int {
	n, err := unix.IoctlGetInt(fd, unix.TIOCINQ)
	if err != nil {
		return 0
	}
	return max(n, 0)
}

// Unacknowledged returns how many bytes were written that the peer has not
// acknowledged; a FIN counts as one.
func Unacknowledged(fd int) (int, error) {
	n, err := unix.IoctlGetInt(fd, unix.TIOCOUTQ)
	return max(n, 0), err
}

// AbortOnClose has the close of a socket reset the connection, and throw away
// what the kernel still holds.
func AbortOnClose(fd int) {
	_ = unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
}

// Discard throws away what the kernel still holds of the peer's. The kernel
// resets a connection that is closed with bytes unread, and a reset takes from
// the peer what it has not read itself: a last response, the close_notify.
func Discard(fd int) {
	var scratch [4096]byte
	for range 64 {
		if n, err := unix.Read(fd, scratch[:]); n <= 0 || err != nil {
			return
		}
	}
}
