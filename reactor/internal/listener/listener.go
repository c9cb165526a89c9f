package listener

import (
	"errors"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/kernel"
)

// Config asks for a socket to listen on.
type Config struct {
	Addr      netip.AddrPort // port 0 lets the kernel choose
	Datagrams bool           // UDP; else TCP
	// Inherited is a socket that is bound to Addr already, nil: one is opened. It
	// stays its owner's. Only the first loop accepts from it, or reads it; what it
	// accepts is spread over all loops.
	Inherited *os.File
}

// Bind returns a socket that is bound to the address and shares its port
// (SO_REUSEPORT). It does not listen yet.
func (c *Config) Bind() (fd int, err error) { return c.bound(true) }

// bound returns a socket that is bound to the address; shared, with
// others.
func (c *Config) bound(shared bool) (fd int, err error) {
	family, kind := kernel.Family(c.Addr.Addr()), unix.SOCK_STREAM
	if c.Datagrams {
		kind = unix.SOCK_DGRAM
	}
	fd, err = unix.Socket(family, kind|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, os.NewSyscallError("socket", err)
	}
	if family == unix.AF_INET6 { // gnet keeps the families apart
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1)
	}
	// A socket that shares may be given a port that another one of the same user has.
	chosen := c.Addr.Port() == 0
	if shared && !chosen {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
	}
	if !c.Datagrams { // connections of an earlier run may linger
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	}
	if err = unix.Bind(fd, kernel.Sockaddr(c.Addr)); err != nil {
		unix.Close(fd)
		return -1, os.NewSyscallError("bind", err)
	}
	if shared && chosen { // those that come behind may share it all the same
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
	}
	return fd, nil
}

// TakePort has the Config name the port that a socket of it is bound to: the one that the
// kernel chose, if it was to.
func (c *Config) TakePort(fd int) error {
	addr, err := kernel.LocalAddr(fd)
	if err == nil {
		c.Addr = netip.AddrPortFrom(c.Addr.Addr(), addr.Port())
	}
	return err
}

// Bindable returns why a socket that does not share cannot be bound to the
// address; nil when it is ours, and nobody listens there. Where ports are shared,
// the kernel would let another Poller of the same user in beside this one, and
// each would get a part of the traffic.
func (c *Config) Bindable() error {
	fd, err := c.bound(false)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if !c.Datagrams && c.Addr.Port() != 0 {
		return os.NewSyscallError("listen", unix.Listen(fd, 1)) // two may bind where both say SO_REUSEADDR
	}
	return nil
}

// BindDatagrams returns a socket of datagrams at the address, or another descriptor
// of the inherited one. It does not block, and has a queue of errors.
func (c *Config) BindDatagrams() (fd int, err error) {
	if c.Inherited == nil {
		fd, err = c.bound(true)
	} else {
		raw, failed := c.Inherited.SyscallConn()
		if failed != nil {
			return -1, failed
		}
		failed = raw.Control(func(own uintptr) { fd, err = unix.FcntlInt(own, unix.F_DUPFD_CLOEXEC, 3) })
		err = errors.Join(failed, os.NewSyscallError("fcntl", err))
	}
	if err != nil {
		return -1, err
	}
	if err = unix.SetNonblock(fd, true); err == nil {
		err = kernel.SetErrorQueue(fd, c.Addr.Addr().Is6())
	}
	if err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// Replace puts the inherited socket in the place of an open descriptor: who has
// that listens on it from here on.
func (c *Config) Replace(place int) error {
	raw, err := c.Inherited.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Control(func(fd uintptr) {
		if failed = os.NewSyscallError("fcntl", unix.SetNonblock(int(fd), true)); failed != nil {
			return
		}
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NODELAY, 1) // accepted sockets inherit it
		failed = os.NewSyscallError("dup3", unix.Dup3(int(fd), place, unix.O_CLOEXEC))
	})
	return errors.Join(err, failed)
}
