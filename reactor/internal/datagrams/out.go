package datagrams

import (
	"net"
	"os"
	"sync"

	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/kernel"
)

// Out sends by a connected socket until it is closed. Any goroutine.
type Out struct {
	mu sync.Mutex
	fd int // -1: closed
}

// NewOut makes one of a socket, of which it has a descriptor of its own.
func NewOut(conn *net.UDPConn) (o *Out, err error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	o = new(Out)
	if failed := raw.Control(func(fd uintptr) {
		o.fd, err = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 3)
	}); failed != nil {
		return nil, failed
	}
	if err != nil {
		return nil, os.NewSyscallError("fcntl", err)
	}
	return o, nil
}

// Fd returns the descriptor; -1 when it is closed.
func (o *Out) Fd() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.fd
}

// Send sends a datagram. It does not wait: what the kernel has no room for is an error.
func (o *Out) Send(b []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.fd < 0 {
		return net.ErrClosed
	}
	for {
		_, err := unix.Write(o.fd, b)
		if err != unix.EINTR {
			return os.NewSyscallError("write", err)
		}
	}
}

// Cause returns what the socket says of why it was broken, or err.
func (o *Out) Cause(err error) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err == nil || o.fd < 0 {
		return err
	}
	return kernel.SocketError(o.fd, err)
}

// Close closes the descriptor. It may be called again.
func (o *Out) Close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.fd >= 0 {
		unix.Close(o.fd)
		o.fd = -1
	}
}
