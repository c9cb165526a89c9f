package poller

import (
	"net/netip"

	"github.com/panjf2000/gnet/v2"
	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/kernel"
)

// Socket is a stream socket's place on a loop. It is a part of what it is the
// socket of (Owner), so that a connection is one object. The zero value has no
// descriptor: Fd returns what Hold was given. All methods but those that say
// otherwise belong to the loop's goroutine.
type Socket struct {
	Owner any // whatever has the socket; set by who attaches or adopts it

	loop *Loop
	gc   gnet.Conn // nil: the descriptor is ours, and no loop reads it
	fd   int
	said error // what a read has said that was not gnet's
}

// Hold gives the socket a descriptor that no loop has yet, or -1.
func (s *Socket) Hold(fd int) { s.fd = fd }

// Fd returns the descriptor; -1 or that of Hold before a loop has it.
func (s *Socket) Fd() int { return s.fd }

// Write writes as much as the kernel takes at once.
func (s *Socket) Write(b []byte) (int, error) { return unix.Write(s.fd, b) }

// PauseReading has the loop not read the socket until ResumeReading: gnet cannot
// stop reading, but is not told of a socket whose interest is taken out of its epoll set.
func (s *Socket) PauseReading() { s.interest(0) }

// ResumeReading ends PauseReading.
func (s *Socket) ResumeReading() { s.interest(unix.EPOLLIN | unix.EPOLLPRI) } // as gnet has it

func (s *Socket) interest(events uint32) {
	if s.gc == nil {
		return
	}
	_ = unix.EpollCtl(s.loop.set, unix.EPOLL_CTL_MOD, s.fd, &unix.EpollEvent{Fd: int32(s.fd), Events: events})
}

// Close closes the descriptor; LoopHandler.Closed comes first.
func (s *Socket) Close() {
	if s.gc != nil {
		_ = s.gc.EventLoop().Close(s.gc)
		return
	}
	fd := s.fd
	s.loop.handler.Closed(s, nil)
	unix.Close(fd)
}

// Detached reports whether the socket lives on without its loop: see Detach.
func (s *Socket) Detached() bool { return s.loop != nil && s.gc == nil }

// Detach keeps the socket open while the loop closes its descriptor: gnet closes
// one at the end of its stream. The socket then has another descriptor of the same
// connection, which no loop reads. It is for LoopHandler.Closed, and reports
// whether it did. Who reads Fd elsewhere needs a lock for it.
func (s *Socket) Detach() bool {
	if s.gc == nil {
		return false
	}
	fd, err := unix.FcntlInt(uintptr(s.fd), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return false
	}
	s.fd, s.gc = fd, nil
	return true
}

// Incoming is a connection of a peer's that nobody has yet.
type Incoming struct {
	Fd            int
	Local, Remote netip.AddrPort // Local is invalid when the peer is gone by now

	loop *Loop
	gc   gnet.Conn
	took bool
}

// Attach makes a socket the connection's.
func (n *Incoming) Attach(s *Socket) {
	n.took = true
	n.gc.SetContext(s)
	n.loop.take(s, n.gc)
}

// take notes that a socket is the loop's.
func (l *Loop) take(s *Socket, gc gnet.Conn) {
	s.loop, s.gc, s.fd = l, gc, gc.Fd()
	l.sockets.Add(1)
}

// adopted gets a socket of Adopt.
func (l *Loop) adopted(s *Socket, gc gnet.Conn) gnet.Action {
	l.take(s, gc)
	l.handler.Adopted(s)
	return gnet.None
}

// accepted gets a connection of a peer's, from the kernel or from another loop.
func (l *Loop) accepted(gc gnet.Conn, moved bool) gnet.Action {
	if !moved {
		if to := l.p.lighter(l); to != nil && l.move(gc, to) {
			return gnet.Close
		}
	}
	n := Incoming{Fd: gc.Fd(), loop: l, gc: gc, Remote: kernel.AddrOf(gc.RemoteAddr())}
	n.Local, _ = kernel.LocalAddr(n.Fd)
	if moved {
		l.sockets.Add(-1) // Attach counts it
	}
	l.handler.Accept(&n)
	if !n.took {
		return gnet.Close
	}
	return gnet.None
}
