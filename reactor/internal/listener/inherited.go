package listener

import (
	"errors"
	"fmt"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/kernel"
	"sipreactor/reactor/internal/transport"
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

// Serves reports whether the socket is one of a protocol at an address.
func (in *Inherited) Serves(p transport.Proto, addr netip.AddrPort) bool {
	return in.Stream == p.Stream() && in.Addr == kernel.Unmap(addr)
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

// StandIn is where gnet opens a socket in the place of the i-th listener when that is inherited: it
// takes no descriptors, but before it watches its listeners another socket may be put behind the
// number (Config.Replace). Each has an address of its own.
func StandIn(i int) netip.Addr { return netip.AddrFrom4([4]byte{127, 1, byte(i >> 8), byte(i)}) }
