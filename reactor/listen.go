package reactor

import (
	"fmt"
	"net/netip"
	"os"

	"github.com/panjf2000/gnet/v2"
	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/kernel"
)

// network gives the name and address by which gnet knows a socket. gnet finds
// a listener by these texts alone, so the port 0 is written with as many
// digits as make it differ.
func (s *Socket) network() (network, address string) {
	network = "tcp"
	if s.Proto == UDP {
		network = "udp"
	}
	if s.inherited != nil {
		return network, s.standIn().String() + ":0"
	}
	host := s.Addr.Addr().String()
	if s.Addr.Addr().Is6() {
		host = "[" + host + "]"
	}
	if s.Addr.Port() == 0 {
		return network, fmt.Sprintf("%s:%0*d", host, s.index+1, 0)
	}
	return network, fmt.Sprintf("%s:%d", host, s.Addr.Port())
}

// addresses gives the listeners as gnet is told them.
func (e *Engine) addresses() []string {
	list := make([]string, len(e.sockets))
	for i, s := range e.sockets {
		network, address := s.network()
		family := "4"
		if s.inherited == nil && s.Addr.Addr().Is6() {
			family = "6"
		}
		list[i] = network + family + "://" + address
	}
	return list
}

// booted learns what the kernel made of the listeners, before any loop runs.
func (e *Engine) booted(g gnet.Engine) gnet.Action {
	e.gnet = g
	for _, s := range e.sockets {
		if err := e.inspect(g, s); err != nil {
			e.bootErr = fmt.Errorf("%w: %v:%v: %v", errNoBoot, s.Proto, s.Addr, err)
			return gnet.Shutdown
		}
	}
	return gnet.None
}

// inspect learns a listener's port and sets what gnet has no option for.
func (e *Engine) inspect(g gnet.Engine, s *Socket) error {
	if s.inherited != nil {
		if err := s.takeOver(g); err != nil {
			return err
		}
	}
	fd, err := g.DupListener(s.network())
	if err != nil {
		return err
	}
	addr, err := kernel.LocalAddr(fd)
	if err == nil {
		s.Addr = netip.AddrPortFrom(s.Addr.Addr(), addr.Port())
	}
	if s.Proto == UDP {
		e.udp[s.index] = fd
		return err
	}
	if err == nil && e.cfg.Backlog > 0 {
		err = os.NewSyscallError("listen", unix.Listen(fd, e.cfg.Backlog))
	}
	e.cfg.Keepalive.Set(fd) // accepted sockets inherit it
	unix.Close(fd)
	return err
}

// listener finds the stream socket that an accepted connection's own end
// belongs to: one bound to that address before one bound to any.
func (e *Engine) listener(local netip.AddrPort) (found *Socket) {
	for _, s := range e.sockets {
		switch {
		case !s.Proto.stream() || s.Addr.Port() != local.Port():
		case s.Addr.Addr() == local.Addr():
			return s
		case s.Addr.Addr().IsUnspecified():
			found = s
		}
	}
	return found
}
