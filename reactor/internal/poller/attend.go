package poller

import (
	"cmp"
	"errors"
	"os"

	"github.com/panjf2000/gnet/v2"
	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/kernel"
	"sipreactor/reactor/internal/standin"
)

// The first loop can attend to the others: one goroutine does for all what there is to do, and
// nobody else has to be woken. A loop that is attended to waits in a callback of gnet's, and
// its epoll set is watched by that of the first one, under the number of a stand-in that gnet
// knows. What the sockets bring is read by us and goes the way of what gnet has read. All else
// is gnet's, on the loop's own goroutine: connections to accept, and tasks. Who has looked at
// a set has gnet told again of those (fact "once").

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
	first := loops[0]
	first.ready, first.buffer = make([]unix.EpollEvent, mostReady), make([]byte, ReadBytes)
	for _, l := range loops {
		told, err := kernel.ByEdge(l.set)
		if err != nil {
			return errors.Join(errNoLoop, err)
		}
		l.told = told
	}
	for _, of := range loops[1:] {
		nc, err := standin.Endless()
		if err != nil {
			return err
		}
		a := &attendance{of: of}
		if err = first.enrolled(a, nc); a.by == nil {
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
	if a.err = l.unwatch(gc); a.err != nil {
		return gnet.Close
	}
	a.by, a.stand = l, gc.Fd()
	if l.others == nil {
		l.others = make(map[int]*Loop)
	}
	l.others[a.stand] = a.of
	return gnet.None
}

// HandOver has the first loop call LoopHandler.Attend whenever something of this one is to
// be done, until TakeBack, and reports whether it will. The loop's goroutine is to stay in
// its callback until then. The first loop hands nothing over. Any goroutine.
func (l *Loop) HandOver() bool {
	a := l.attendance.Load()
	return a != nil && l.failed == nil && a.by.watch(l.set, a.stand, unix.EPOLLIN) == nil
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

// tellAgain has gnet told again of a task, of which somebody else was.
func (l *Loop) tellAgain() {
	_ = unix.EpollCtl(l.set, unix.EPOLL_CTL_MOD, l.told.FD, &unix.EpollEvent{Fd: int32(l.told.FD), Events: l.told.Events})
}

// look reads what is behind a number, and reports whether there was nothing else to do.
func (l *Loop) look(fd int, buffer []byte) bool {
	if fd == l.told.FD {
		l.tellAgain()
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
	}
	s, is := gc.Context().(*Socket)
	if is {
		s.said = cmp.Or(os.NewSyscallError("read", err), ErrEnd)
		s.Close()
	}
	return is
}
