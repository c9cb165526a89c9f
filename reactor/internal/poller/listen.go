package poller

import (
	"errors"
	"fmt"
	"net/netip"
	"os"

	"github.com/panjf2000/gnet/v2"
	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/kernel"
)

// Listener asks for a socket to listen on.
type Listener struct {
	Addr      netip.AddrPort // port 0 lets the kernel choose
	Datagrams bool           // UDP; else TCP
	// Inherited is a socket that is bound to Addr already, nil: one is opened. It
	// stays its owner's. Only the first loop accepts from it, or reads it; what it
	// accepts is spread over all loops.
	Inherited *os.File
}

// listener is a Listener and what became of it.
type listener struct {
	Listener
	index  int
	asked  string // the address that gnet was told
	sender int    // a descriptor to send datagrams with; -1 = none
}

// gnet has a loop accept by itself only if its listeners share their ports
// (SO_REUSEPORT); else a reactor of its own accepts and hands each connection on,
// which costs two wake-ups. So they always share, and each loop opens a socket of
// its own: the port must be known before.

// choosePorts lets the kernel choose the ports that are 0. The sockets that it
// does that for stay bound until gnet has its own.
func (p *Poller) choosePorts() error {
	for i := range p.listeners {
		l := &p.listeners[i]
		if l.Datagrams || l.Inherited != nil || l.Addr.Port() != 0 {
			continue
		}
		fd, err := l.bound(true)
		if err == nil {
			p.held = append(p.held, fd)
			var addr netip.AddrPort
			if addr, err = kernel.LocalAddr(fd); err == nil {
				l.Addr = netip.AddrPortFrom(l.Addr.Addr(), addr.Port())
			}
		}
		if err != nil {
			p.freePorts()
			return fmt.Errorf("no port at %v: %w", l.Addr.Addr(), err)
		}
	}
	return nil
}

// freePorts closes what choosePorts has bound.
func (p *Poller) freePorts() {
	for _, fd := range p.held {
		unix.Close(fd)
	}
	p.held = nil
}

// bound returns a socket that is bound to the listener's address; shared, with
// others.
func (l *Listener) bound(shared bool) (fd int, err error) {
	family, kind := kernel.Family(l.Addr.Addr()), unix.SOCK_STREAM
	if l.Datagrams {
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
	chosen := l.Addr.Port() == 0
	if shared && !chosen {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
	}
	if !l.Datagrams { // connections of an earlier run may linger
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	}
	if err = unix.Bind(fd, kernel.Sockaddr(l.Addr)); err != nil {
		unix.Close(fd)
		return -1, os.NewSyscallError("bind", err)
	}
	if shared && chosen { // those that come behind may share it all the same
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
	}
	return fd, nil
}

// Bindable returns why a socket that does not share cannot be bound to the
// address; nil when it is ours, and nobody listens there. Where ports are shared,
// the kernel would let another Poller of the same user in beside this one, and
// each would get a part of the traffic.
func (l *Listener) Bindable() error {
	fd, err := l.bound(false)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if !l.Datagrams && l.Addr.Port() != 0 {
		return os.NewSyscallError("listen", unix.Listen(fd, 1)) // two may bind where both say SO_REUSEADDR
	}
	return nil
}

// addresses returns the listeners as gnet is told them: those of streams.
func (p *Poller) addresses() []string {
	var list []string
	for i := range p.listeners {
		l := &p.listeners[i]
		if l.Datagrams {
			continue
		}
		family, at := "4", l.Addr.String()
		if l.Inherited != nil {
			at = l.standIn().String() + ":0"
		} else if l.Addr.Addr().Is6() {
			family = "6"
		}
		l.asked = at
		list = append(list, "tcp"+family+"://"+at)
	}
	if len(list) == 0 {
		list = append(list, "udp4://127.0.0.1:0") // removeExtra closes it
	}
	return list
}

// inspect learns a listener's address and sets what gnet has no option for.
func (p *Poller) inspect(l *listener) error {
	if l.Inherited != nil {
		if err := l.takeOver(p.gnet); err != nil {
			return err
		}
	}
	fd, err := p.gnet.DupListener("tcp", l.asked)
	if err != nil {
		return err
	}
	addr, err := kernel.LocalAddr(fd)
	if err == nil {
		l.Addr = netip.AddrPortFrom(l.Addr.Addr(), addr.Port())
	}
	if err == nil {
		err = p.configure(fd)
	}
	unix.Close(fd)
	return err
}

// standIn is where gnet opens a socket in the place of an inherited one: it takes
// no descriptors, but before it watches its listeners, OnBoot may put another
// socket behind the number. Each has an address of its own.
func (l *listener) standIn() netip.Addr {
	return netip.AddrFrom4([4]byte{127, 1, byte(l.index >> 8), byte(l.index)})
}

// takeOver puts the inherited socket in the place of the one that gnet opened.
func (l *listener) takeOver(g gnet.Engine) error {
	own, err := g.DupListener("tcp", l.asked)
	if err != nil {
		return err
	}
	defer unix.Close(own)
	place, err := kernel.Twin(own)
	if err != nil {
		return err
	}
	raw, err := l.Inherited.SyscallConn()
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
