package poller

import (
	"net"
	"os"
	"syscall"

	"github.com/panjf2000/gnet/v2"
	"golang.org/x/sys/unix"
)

// wakeup is a loop's wake-up: an eventfd that gnet reads like a connection. gnet's
// own way, Execute, makes a closure and a node of its queue each time.
type wakeup struct {
	loop *Loop    // nil until a loop has it
	file *os.File // written to by any goroutine
}

var one = [8]byte{1}

func (w *wakeup) signal() { _, _ = w.file.Write(one[:]) }

// newWakeup makes an eventfd: its writing end, and one for gnet to take.
func newWakeup() (*wakeup, net.Conn, error) {
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
	if err != nil {
		return nil, nil, os.NewSyscallError("eventfd", err)
	}
	// A file that does not block would be watched by the runtime's poller: it is
	// made so only behind its back.
	file := os.NewFile(uintptr(fd), "wake-up")
	_ = unix.SetNonblock(fd, true)
	nc, err := disguise(fd)
	if err != nil {
		file.Close()
		return nil, nil, err
	}
	return &wakeup{file: file}, nc, nil
}

// disguise returns a connection whose descriptor is another one of fd's file.
// gnet enrolls only sockets, but asks no more of them than to be readable.
func disguise(fd int) (net.Conn, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("socketpair", err)
	}
	unix.Close(pair[1])
	f := os.NewFile(uintptr(pair[0]), "")
	nc, err := net.FileConn(f)
	f.Close()
	if err != nil {
		return nil, err
	}
	raw, err := nc.(syscall.Conn).SyscallConn()
	if err == nil {
		if failed := raw.Control(func(place uintptr) {
			err = os.NewSyscallError("dup3", unix.Dup3(fd, int(place), unix.O_CLOEXEC))
		}); failed != nil {
			err = failed
		}
	}
	if err != nil {
		nc.Close()
		return nil, err
	}
	return nc, nil
}

// hung is gnet's word that a loop watches a wake-up.
func (l *Loop) hung(w *wakeup) gnet.Action {
	if l.wakeup.Load() != nil {
		return gnet.Close // gnet did not go round
	}
	w.loop = l
	l.wakeup.Store(w)
	if l.early.Load() {
		w.signal()
	}
	return gnet.None
}
