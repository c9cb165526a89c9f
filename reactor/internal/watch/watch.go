// Package watch waits for sockets that no loop watches, or for what loops are not
// told: gnet tells of readability only, and holds no socket that is not connected.
package watch

import (
	"errors"
	"os"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// Set is an epoll set with a goroutine that sleeps until a socket of it has
// something to tell, once. It owns no descriptor. Any goroutine.
type Set struct {
	ep    int
	file  *os.File // has ep, for the runtime's poller to watch
	ready func(fd int)
	done  chan struct{}
	over  atomic.Bool
}

// New makes a Set. ready is called on its goroutine for each descriptor
// that has something to tell, failed if the goroutine had to end.
func New(ready func(fd int), failed func(error)) (*Set, error) {
	ep, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	if err := unix.SetNonblock(ep, true); err != nil {
		unix.Close(ep)
		return nil, os.NewSyscallError("fcntl", err)
	}
	w := &Set{ep: ep, file: os.NewFile(uintptr(ep), "watch"), ready: ready, done: make(chan struct{})}
	raw, err := w.file.SyscallConn()
	if err != nil {
		w.file.Close()
		return nil, err
	}
	go w.run(raw, failed)
	return w, nil
}

// Writable asks to be told once when a descriptor takes bytes, or when its
// connection has ended. known tells that it is in the set.
func (w *Set) Writable(fd int, known bool) error { return w.add(fd, unix.EPOLLOUT, known) }

// Readable asks to be told once when there is something to be read.
func (w *Set) Readable(fd int, known bool) error { return w.add(fd, unix.EPOLLIN, known) }

// End asks to be told once when the connection of a descriptor has been reset.
func (w *Set) End(fd int, known bool) error { return w.add(fd, 0, known) }

func (w *Set) add(fd int, events uint32, known bool) error {
	op := unix.EPOLL_CTL_ADD
	if known {
		op = unix.EPOLL_CTL_MOD
	}
	return os.NewSyscallError("epoll_ctl", unix.EpollCtl(w.ep, op, fd, &unix.EpollEvent{Events: events | unix.EPOLLONESHOT, Fd: int32(fd)}))
}

// Forget takes a descriptor out, before it closes.
func (w *Set) Forget(fd int) { _ = unix.EpollCtl(w.ep, unix.EPOLL_CTL_DEL, fd, nil) }

// run sleeps in the runtime's poller: in a system call it would take its
// processor along, with the goroutines that wait for that, and nobody else may
// come by for 10 ms.
func (w *Set) run(raw syscall.RawConn, ended func(error)) {
	defer close(w.done)
	events := make([]unix.EpollEvent, 128)
	for {
		var n int
		var failed error
		err := raw.Read(func(uintptr) bool {
			n, failed = unix.EpollWait(w.ep, events, 0)
			return n > 0 || failed != nil
		})
		if w.over.Load() {
			return
		}
		if err = errors.Join(err, failed); err != nil && !errors.Is(err, unix.EINTR) {
			ended(err)
			return
		}
		for _, ev := range events[:max(n, 0)] {
			w.ready(int(ev.Fd))
		}
	}
}

// Close ends the Set and waits for its goroutine.
func (w *Set) Close() {
	w.over.Store(true)
	w.file.Close() // ends the goroutine's sleep
	<-w.done
}
