// Package standin makes connections that are none: gnet enrolls sockets of the standard
// library's types alone, but asks no more of one than to be readable. A stand-in is such a
// socket whose descriptor is another file's, and whoever has it closes it.
package standin

import (
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// For returns a stand-in for the file of a descriptor, of which it has another one: that of
// the caller stays the caller's.
func For(fd int) (net.Conn, error) {
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

// Endless returns what can be read for ever, eight bytes at a time: an eventfd that counts
// down from far away.
func Endless() (net.Conn, error) {
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK|unix.EFD_SEMAPHORE)
	if err != nil {
		return nil, os.NewSyscallError("eventfd", err)
	}
	defer unix.Close(fd)
	far := [8]byte{0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f} // in any byte order
	if _, err := unix.Write(fd, far[:]); err != nil {
		return nil, os.NewSyscallError("write", err)
	}
	return For(fd)
}

// Signal returns what is readable once somebody has written to file: an eventfd.
func Signal() (file *os.File, nc net.Conn, err error) {
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
	if err != nil {
		return nil, nil, os.NewSyscallError("eventfd", err)
	}
	// A file that does not block would be watched by the runtime's poller: it is
	// made so only behind its back.
	file = os.NewFile(uintptr(fd), "wake-up")
	_ = unix.SetNonblock(fd, true)
	if nc, err = For(fd); err != nil {
		file.Close()
		return nil, nil, err
	}
	return file, nc, nil
}
