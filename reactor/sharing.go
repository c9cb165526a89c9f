package reactor

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
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

// alone tells why sockets that share their ports cannot be opened: the kernel
// would let two of ours in, or another engine of the same user beside ours, and
// each would get a part of the traffic.
func (c *Config) alone() error {
	for i, s := range c.Sockets {
		if s.Inherited != nil || s.Addr.Port() == 0 {
			continue
		}
		for _, other := range c.Sockets[:i] {
			if other.Addr == s.Addr && other.Proto.stream() == s.Proto.stream() {
				return fmt.Errorf("%v:%v: %v listens there", s.Proto, s.Addr, other.Proto)
			}
		}
		if err := s.vacant(); err != nil {
			return fmt.Errorf("%v:%v: %w", s.Proto, s.Addr, err)
		}
	}
	return nil
}

// vacant tells whether nobody listens at the address: a socket that does not
// share can be bound to it. What else may be wrong with it, gnet finds out.
func (s *SocketConfig) vacant() error {
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
	if err := unix.Bind(fd, sockaddr(s.Addr)); errors.Is(err, unix.EADDRINUSE) {
		return os.NewSyscallError("bind", err)
	}
	return nil
}
