package reactor

import (
	"errors"
	"fmt"
	"net/netip"
	"os"

	"github.com/panjf2000/gnet/v2"
	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/kernel"
)

// Inherited is a bound socket that another program opened for us, such as
// systemd. It stays its owner's: the file may be closed once Engine.Start has
// returned.
type Inherited struct {
	File   *os.File
	Stream bool // it listens for connections; else it takes datagrams
	Addr   netip.AddrPort
}

// Inherit looks at a descriptor. One that is no listening TCP socket and no
// bound UDP socket is an error.
func Inherit(f *os.File) (*Inherited, error) {
	in := &Inherited{File: f}
	err := in.control(func(fd int) error {
		kind, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE)
		if err != nil {
			return errors.New("it is no socket")
		}
		if in.Addr, err = kernel.LocalAddr(fd); err != nil || !in.Addr.IsValid() {
			return errors.New("it is no socket of IPv4 or IPv6")
		}
		in.Stream = kind == unix.SOCK_STREAM
		if !in.Stream && kind != unix.SOCK_DGRAM || in.Addr.Port() == 0 {
			return errors.New("it is neither a TCP nor a UDP socket that is bound")
		}
		if listens, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN); in.Stream && (err != nil || listens == 0) {
			return errors.New("it is a connection and no listener")
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reactor: inherited descriptor %s: %w", f.Name(), err)
	}
	return in, nil
}

// Serves tells whether the socket is one of a protocol at an address.
func (in *Inherited) Serves(p Proto, addr netip.AddrPort) bool {
	return in.Stream == p.stream() && in.Addr == kernel.Unmap(addr)
}

// control runs f on the descriptor.
func (in *Inherited) control(f func(fd int) error) error {
	raw, err := in.File.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	if err = raw.Control(func(fd uintptr) { failed = f(int(fd)) }); err != nil {
		return err
	}
	return failed
}

// standIn is where gnet opens a socket in the place of an inherited one: it takes
// no descriptors, but before it watches its listeners, OnBoot may put another
// socket behind the number. Each has an address of its own, because datagrams
// are known by that.
func (s *Socket) standIn() netip.Addr {
	return netip.AddrFrom4([4]byte{127, 1, byte(s.index >> 8), byte(s.index)})
}

// takeOver puts the inherited socket in the place of the one that gnet opened.
func (s *Socket) takeOver(g gnet.Engine) error {
	own, err := g.DupListener(s.network())
	if err != nil {
		return err
	}
	defer unix.Close(own)
	place, err := twin(own)
	if err != nil {
		return err
	}
	return s.inherited.control(func(fd int) error {
		if err := unix.SetNonblock(fd, true); err != nil {
			return os.NewSyscallError("fcntl", err)
		}
		if s.Proto.stream() { // accepted sockets inherit it
			_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
		}
		return os.NewSyscallError("dup3", unix.Dup3(fd, place, unix.O_CLOEXEC))
	})
}

// twin finds the other descriptor of a socket that has two.
func twin(fd int) (found int, err error) {
	var want unix.Stat_t
	if err := unix.Fstat(fd, &want); err != nil {
		return -1, os.NewSyscallError("fstat", err)
	}
	dir, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return -1, err
	}
	found = -1
	for _, d := range dir {
		var n int
		var st unix.Stat_t
		if _, err := fmt.Sscan(d.Name(), &n); err != nil || n == fd || unix.Fstat(n, &st) != nil {
			continue
		}
		if st.Dev == want.Dev && st.Ino == want.Ino {
			if found >= 0 {
				return -1, errTwins
			}
			found = n
		}
	}
	if found < 0 {
		return -1, errTwins
	}
	return found, nil
}

var errTwins = errors.New("the listener's place cannot be told")
