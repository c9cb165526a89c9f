package reactor

import (
	"context"
	"net"
	"os"
	"syscall"

	"github.com/panjf2000/gnet/v2"
	"golang.org/x/sys/unix"
)

// bell wakes a loop: an eventfd that gnet reads like a connection. gnet's own
// way, Execute, makes a closure and a node of its queue for each wake-up.
type bell struct {
	loop *loop
	file *os.File // rung by any goroutine
}

var aRing = [8]byte{1}

// ring has the loop's Run called.
func (b *bell) ring() { _, _ = b.file.Write(aRing[:]) }

// hang gives the loop a bell, soon: until it is up, gnet's way serves. Loop
// only, under loopsMu.
func (l *loop) hang() {
	file, nc, err := newBell()
	if err != nil {
		l.eng.log.Warn("an event loop is woken without a bell of its own", "error", err)
		return
	}
	b := &bell{loop: l, file: file}
	opened, err := l.el.Enroll(gnet.NewContext(context.Background(), b), nc)
	if err != nil {
		nc.Close()
		file.Close()
		return
	}
	l.eng.enrolling.Add(1)
	l.eng.tasks.Add(1)
	go func() {
		defer l.eng.enrolling.Done()
		<-opened
		l.eng.tasks.Add(-1)
		if l.bell.Load() != b {
			file.Close()
		}
	}()
}

// newBell makes an eventfd: its ringing end, and one for gnet to take.
func newBell() (*os.File, net.Conn, error) {
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
	if err != nil {
		return nil, nil, os.NewSyscallError("eventfd", err)
	}
	// A file that does not block would be watched by the runtime's poller: it is
	// made so only behind its back.
	file := os.NewFile(uintptr(fd), "bell")
	_ = unix.SetNonblock(fd, true)
	nc, err := disguise(fd)
	if err != nil {
		file.Close()
		return nil, nil, err
	}
	return file, nc, nil
}

// disguise gives a connection whose descriptor is another one of fd's file.
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

// hung is the loop's word that the bell is up.
func (l *loop) hung(b *bell, gc gnet.Conn) {
	l.bell.Store(b)
	l.learn(gc.Fd())
}

// unhung is gnet's word that it closes the bell: it stops, or failed. Whoever
// has rung is heard all the same.
func (l *loop) unhung(b *bell) {
	l.bell.Store(nil)
	l.awaiting.here = false
	b.file.Close()
	_ = l.el.Execute(context.Background(), l)
}
