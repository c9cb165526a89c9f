package reactor

import (
	"errors"
	"fmt"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/kernel"
)

// gnet has a loop accept by itself only if its listeners share their ports
// (SO_REUSEPORT); else a reactor of its own accepts and hands each connection
// on, which costs two wake-ups. It shares them with datagrams in any case. With
// several loops the kernel would then choose the loop by a hash of the
// addresses, and a carrier's few trunks may all fall to one: there the reactor
// stays, which gives each connection to the loop that has the fewest.

// shares tells whether gnet's listeners share their ports.
func (c *Config) shares() bool {
	if c.Loops == 1 {
		return true
	}
	for _, s := range c.Sockets {
		if s.Proto == UDP {
			return true
		}
	}
	return false
}

// alone tells why the sockets cannot be opened. Where they share their ports, the
// kernel would let two of ours in, or another engine of the same user beside ours,
// and each would get a part of the traffic.
func (c *Config) alone() error {
	for i, s := range c.Sockets {
		if s.Inherited != nil || s.Addr.Port() == 0 {
			continue
		}
		for _, other := range c.Sockets[:i] {
			if other.Addr == s.Addr && other.Proto.stream() == s.Proto.stream() {
				return &ListenError{s.Proto, s.Addr, fmt.Errorf("%v listens there", other.Proto)}
			}
		}
	}
	return c.unbindable()
}

// ListenError tells why a socket cannot be listened on. Engine.Start joins those of
// all sockets.
type ListenError struct {
	Proto Proto
	Addr  netip.AddrPort
	Err   error
}

// Error gives "proto:address: cause".
func (e *ListenError) Error() string { return fmt.Sprintf("%v:%v: %v", e.Proto, e.Addr, e.Err) }

// Unwrap gives the cause.
func (e *ListenError) Unwrap() error { return e.Err }

// unbindable joins a *ListenError for each socket that cannot be bound; nil when all
// can. gnet's own error does not say which socket it is.
func (c *Config) unbindable() error {
	var all []error
	for i := range c.Sockets {
		s := &c.Sockets[i]
		if s.Inherited != nil {
			continue
		}
		if err := s.bindable(); err != nil {
			all = append(all, &ListenError{s.Proto, s.Addr, err})
		}
	}
	return errors.Join(all...)
}

// bindable tells whether a socket that does not share can be bound to the address:
// whether it is ours, and nobody listens there.
func (s *SocketConfig) bindable() error {
	family, kind := unix.AF_INET, unix.SOCK_DGRAM
	if s.Addr.Addr().Is6() {
		family = unix.AF_INET6
	}
	if s.Proto.stream() {
		kind = unix.SOCK_STREAM
	}
	fd, err := unix.Socket(family, kind|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return os.NewSyscallError("socket", err)
	}
	defer unix.Close(fd)
	if family == unix.AF_INET6 { // gnet keeps the families apart
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1)
	}
	if s.Proto.stream() { // connections of an earlier run may linger
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	}
	err = os.NewSyscallError("bind", unix.Bind(fd, kernel.Sockaddr(s.Addr)))
	if err == nil && s.Proto.stream() && s.Addr.Port() != 0 {
		err = os.NewSyscallError("listen", unix.Listen(fd, 1)) // two may bind where both say SO_REUSEADDR
	}
	return err
}
