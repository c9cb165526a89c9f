package poller

import (
	"cmp"
	"errors"
	"net"
	"os"
	"sync"

	"github.com/panjf2000/gnet/v2"
	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/kernel"
	"sipreactor/reactor/internal/standin"
)

// Line is a connected socket of datagrams that a loop reads. Its methods may be called from
// any goroutine, but for those that say otherwise.
type Line struct {
	got   func([]byte)
	ended func(error)

	loop *Loop
	gc   gnet.Conn // nil before the loop has it
	done bool      // the loop has it no more; the loop's

	mu sync.Mutex
	fd int // to send by; -1: it is closed
}

// OpenLine has the loop read conn, which is the Line's from here on, whatever becomes of it.
// got is what Line.Got calls; ended is told, once, on the loop, why nothing more is read: nil
// is Line.Close, or the end of the loops. It waits for the loop, so no loop may call it.
func (l *Loop) OpenLine(conn *net.UDPConn, got func([]byte), ended func(error)) (*Line, error) {
	defer func() { _ = conn.Close() }() // the descriptors below are others
	n := &Line{loop: l, got: got, ended: ended, fd: -1}
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	if failed := raw.Control(func(fd uintptr) {
		if n.fd, err = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 3); err != nil {
			err = os.NewSyscallError("fcntl", err)
		}
	}); failed != nil || err != nil {
		return nil, errors.Join(failed, err)
	}
	if err := l.enrollLine(n); err != nil {
		n.shut()
		return nil, err
	}
	return n, nil
}

// enrollLine gives the loop the socket, and waits until it has it.
func (l *Loop) enrollLine(n *Line) error {
	nc, err := standin.For(n.fd)
	if err != nil {
		return err
	}
	if err = l.enrolled(n, nc); n.gc == nil {
		return cmp.Or(err, errNoLoop)
	}
	return nil
}

// opened is gnet's word that a loop watches the line.
func (n *Line) opened(gc gnet.Conn) gnet.Action {
	n.gc = gc
	return gnet.None
}

// Got hands on what LoopHandler.Said was given. Loop only.
func (n *Line) Got(in []byte) { n.got(in) }

// Send sends a datagram. It does not wait: what the kernel has no room for is an error.
func (n *Line) Send(b []byte) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.fd < 0 {
		return net.ErrClosed
	}
	for {
		_, err := unix.Write(n.fd, b)
		if err != unix.EINTR {
			return os.NewSyscallError("write", err)
		}
	}
}

// Close ends the line, soon: what comes until then is still handed on.
func (n *Line) Close() {
	n.shut()
	n.loop.Post(func() {
		if !n.done {
			_ = n.gc.EventLoop().Close(n.gc)
		}
	})
}

// over comes before gnet closes its descriptor, whoever asked for that.
func (n *Line) over(err error) {
	n.done = true
	n.mu.Lock()
	if err != nil && n.fd >= 0 {
		err = kernel.SocketError(n.fd, err)
	}
	n.mu.Unlock()
	n.shut()
	n.ended(err)
}

// shut closes the descriptor to send by.
func (n *Line) shut() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.fd >= 0 {
		unix.Close(n.fd)
		n.fd = -1
	}
}
