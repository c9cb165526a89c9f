package poller

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"

	"github.com/panjf2000/gnet/v2"
	errorx "github.com/panjf2000/gnet/v2/pkg/errors"
	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/kernel"
)

// ErrStopped is why a Poller that ends adopts nothing.
var ErrStopped = errorx.ErrEngineInShutdown

// Adopt gives a connected socket to the loop that has the fewest: it then is
// LoopHandler.Adopted. fd, which Socket.Hold was given, belongs to the Poller from
// here on, whatever becomes of it. failed is called, once and on any goroutine,
// when no loop would take the socket. Any goroutine, not on a loop that has to be
// quick: it makes system calls, and a goroutine.
func (p *Poller) Adopt(s *Socket, failed func(error)) {
	fd := s.fd
	l := p.lightest()
	l.tasks.Add(1)
	p.handing.Add(1)
	nc, err := handover(fd)
	var opened <-chan gnet.RegisteredResult
	if err == nil {
		if opened, err = l.el.Enroll(gnet.NewContext(context.Background(), s), nc); err != nil {
			nc.Close()
		}
	}
	if err != nil {
		l.tasks.Add(-1)
		failed(err)
		p.handing.Add(-1)
		return
	}
	go func() {
		defer p.handing.Add(-1)
		res := <-opened
		l.tasks.Add(-1)
		if s.loop == nil { // gnet reports success even when the loop could not watch it
			failed(res.Err)
		}
	}()
}

// handover makes a connected socket what gnet takes, and closes fd in any case.
// net.FileConn asks who the peer is, once. A peer that has reset the connection
// by then is nobody: gnet would look at its address with the descriptor just
// duplicated, panic, and leave that to no one. The address stays with what is
// returned, so that a reset behind this look is an ordinary event of the loop.
func handover(fd int) (net.Conn, error) {
	f := os.NewFile(uintptr(fd), "")
	defer f.Close()
	kept := kernel.KeepaliveOf(fd)
	nc, err := net.FileConn(f) // puts Go's own keep-alive in place of ours
	if err != nil {
		return nil, err
	}
	kept.Restore(fd)
	if nc.RemoteAddr() != nil {
		return nc, nil
	}
	nc.Close()
	return nil, kernel.SocketError(fd, unix.ENOTCONN)
}

// moved marks a connection that another loop has accepted. It is among its loop's
// sockets from the moment it is given away: others are accepted meanwhile.
type moved struct{ opened bool }

// lightest returns the loop that has the fewest connections.
func (p *Poller) lightest() (least *Loop) {
	for _, l := range p.Loops() {
		if least == nil || l.sockets.Load() < least.sockets.Load() {
			least = l
		}
	}
	return least
}

// lighter returns the loop that a connection which a loop has accepted belongs
// to; nil when that is this one. The kernel chooses the loop by a hash of the
// addresses. With many connections that is even enough, and with a carrier's few
// trunks all of them may fall to one.
func (p *Poller) lighter(l *Loop) *Loop {
	least := p.lightest()
	has, fewest := l.sockets.Load(), least.sockets.Load()
	if has-fewest <= has/uneven {
		return nil
	}
	return least
}

// uneven is the part of a loop's connections by which it may have more than the
// one that has the fewest. To move one costs some tens of microseconds.
const uneven = 8

// move gives a connection that is being accepted to another loop, and reports
// whether it did. gnet then closes the descriptor that this loop has of it.
func (l *Loop) move(gc gnet.Conn, to *Loop) bool {
	p := l.p
	p.handing.Add(1)
	if p.over.Load() { // it may not see us
		p.handing.Add(-1)
		return false
	}
	to.tasks.Add(1)
	to.sockets.Add(1)
	m := new(moved)
	over := func() {
		if !m.opened {
			to.sockets.Add(-1)
		}
		to.tasks.Add(-1)
		p.handing.Add(-1)
	}
	fd, err := unix.FcntlInt(uintptr(gc.Fd()), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		over()
		return false
	}
	nc, err := handover(fd)
	if err != nil {
		over()
		return false
	}
	opened, err := to.el.Enroll(gnet.NewContext(context.Background(), m), nc)
	if err != nil {
		nc.Close()
		over()
		return false
	}
	p.Moved.Add(1)
	go func() {
		<-opened
		over()
	}()
	return true
}

// addrOf returns the address of an end of gnet's without its zone; the zero value
// for one that is not IP.
func addrOf(a net.Addr) netip.AddrPort {
	switch t := a.(type) {
	case *net.TCPAddr:
		return kernel.Unmap(t.AddrPort())
	case *net.UDPAddr:
		return kernel.Unmap(t.AddrPort())
	}
	return netip.AddrPort{}
}

// Lacking reports whether an error tells that this machine has no descriptor,
// port or memory left, or that the Poller ends: it then says nothing of the peer.
func Lacking(cause error) bool {
	for _, ours := range [...]error{unix.EMFILE, unix.ENFILE, unix.ENOBUFS, unix.ENOMEM, unix.EADDRNOTAVAIL, unix.EAGAIN,
		unix.ENOSPC, ErrStopped} {
		if errors.Is(cause, ours) {
			return true
		}
	}
	return false
}
