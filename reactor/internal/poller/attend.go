package poller

import (
	"errors"
	"os"

	"github.com/panjf2000/gnet/v2"
	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/kernel"
	"sipreactor/reactor/internal/standin"
)

// The first loop can attend to the others: while there is little to do, one goroutine does
// it for all, and nobody else has to be woken. A loop that is attended to waits in a
// callback of gnet's (see LoopHandler.Attend for who decides), and its epoll set is watched
// by that of the first loop, under the number of a stand-in that gnet knows. What the
// sockets bring is read there by us and goes the way of what gnet has read. All else is
// gnet's, which does it on the loop's own goroutine: connections to accept, tasks, and what
// ends a connection. Of its tasks gnet is told once (fact "once"): who has looked in its place
// has that told again.

// attendance is a loop's place in the first one's epoll set.
type attendance struct {
	of    *Loop
	by    *Loop // nil until that one has it
	stand int   // the stand-in's number there
	err   error // why it would not have it
}

// openAttendance gives each loop but the first its place.
func (p *Poller) openAttendance() error {
	loops := p.Loops()
	if len(loops) == 1 {
		return nil
	}
	loops[0].ready, loops[0].buffer = make([]unix.EpollEvent, mostReady), make([]byte, ReadBytes)
	for _, of := range loops[1:] {
		told, err := kernel.ByEdge(of.set)
		if err != nil {
			return errors.Join(errNoLoop, err)
		}
		of.told = told
		nc, err := standin.Endless()
		if err != nil {
			return err
		}
		a := &attendance{of: of}
		if err = loops[0].enrolled(a, nc); a.by == nil {
			return errors.Join(errNoLoop, err, a.err)
		}
		of.attendance.Store(a)
	}
	return nil
}

// mostReady is of how many sockets is read before the first loop's have their turn.
const mostReady = 128

// attends takes the stand-in out of the loop's set: its number is all that is wanted.
func (l *Loop) attends(a *attendance, gc gnet.Conn) gnet.Action {
	if a.err = l.failed; a.err == nil {
		a.err = os.NewSyscallError("epoll_ctl", unix.EpollCtl(l.set, unix.EPOLL_CTL_DEL, gc.Fd(), nil))
	}
	if a.err != nil {
		return gnet.Close
	}
	a.by, a.stand = l, gc.Fd()
	return gnet.None
}

// HandOver has the first loop call LoopHandler.Attend whenever something of this one is to
// be done, until TakeBack, and reports whether it will. The loop's goroutine is to stay in
// its callback until then. The first loop hands nothing over. Any goroutine.
func (l *Loop) HandOver() bool {
	a := l.attendance.Load()
	return a != nil && l.failed == nil &&
		unix.EpollCtl(a.by.set, unix.EPOLL_CTL_ADD, l.set, &unix.EpollEvent{Fd: int32(a.stand), Events: unix.EPOLLIN}) == nil
}

// TakeBack ends HandOver: who is at it is not waited for. Any goroutine.
func (l *Loop) TakeBack() {
	_ = unix.EpollCtl(l.attendance.Load().by.set, unix.EPOLL_CTL_DEL, l.set, nil)
}

// Look hands what the loop's sockets have brought to its handler, on the goroutine of the
// first loop. It reports whether that was all: what it left is for the loop's own, and comes
// again. The caller is in the loop's place, alone.
func (l *Loop) Look() (all bool) {
	first := l.attendance.Load().by
	n, err := unix.EpollWait(l.set, first.ready, 0)
	if err != nil {
		return err == unix.EINTR
	}
	all = true
	for _, ev := range first.ready[:n] {
		all = l.look(int(ev.Fd), first.buffer) && all
	}
	return all
}

// look reads what is behind a number, and reports whether there was nothing else to do.
func (l *Loop) look(fd int, buffer []byte) bool {
	if fd == l.told.FD {
		_ = unix.EpollCtl(l.set, unix.EPOLL_CTL_MOD, fd, &unix.EpollEvent{Fd: int32(fd), Events: l.told.Events})
		return false
	}
	gc := l.conns[fd]
	if gc == nil {
		return false
	}
	n, err := unix.Read(fd, buffer)
	switch {
	case n > 0:
		l.p.brought(gc, buffer[:n])
		return true
	case err == unix.EAGAIN || err == unix.EINTR:
		return true
	default: // gnet reads the end of a stream again; an error is told but once
		if s, is := gc.Context().(*Socket); is && err != nil {
			s.said = os.NewSyscallError("read", err)
		}
		return false
	}
}
