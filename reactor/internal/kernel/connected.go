package kernel

import (
	"errors"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// Connected makes a connected socket a connection that gnet takes, and closes fd in any case.
// net.FileConn asks who the peer is, once. A peer that has reset the connection
// by then is nobody: gnet would look at its address with the descriptor just
// duplicated, panic, and leave that to no one. The address stays with what is
// returned, so that a reset behind this look is an ordinary event of the loop.
func Connected(fd int) (net.Conn, error) {
	f := os.NewFile(uintptr(fd), "")
	defer f.Close()
	kept := KeepaliveOf(fd)
	nc, err := net.FileConn(f) // puts Go's own keep-alive in place of ours
	if err != nil {
		return nil, err
	}
	kept.Restore(fd)
	if nc.RemoteAddr() != nil {
		return nc, nil
	}
	nc.Close()
	return nil, SocketError(fd, unix.ENOTCONN)
}

// Lacking reports whether an error tells that this machine has no descriptor, port or memory
// left: it then says nothing of the peer.
func Lacking(cause error) bool {
	for _, ours := range [...]error{unix.EMFILE, unix.ENFILE, unix.ENOBUFS, unix.ENOMEM, unix.EADDRNOTAVAIL, unix.EAGAIN, unix.ENOSPC} {
		if errors.Is(cause, ours) {
			return true
		}
	}
	return false
}
