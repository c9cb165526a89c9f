package poller

import (
	"net"
	"os"

	"github.com/panjf2000/gnet/v2"
	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/standin"
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
	nc, err := standin.For(fd)
	if err != nil {
		file.Close()
		return nil, nil, err
	}
	return &wakeup{file: file}, nc, nil
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
