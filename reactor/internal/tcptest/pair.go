// Package tcptest has connections for the tests of rooms that have descriptors.
package tcptest

import (
	"errors"
	"net"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// Pair returns the two ends of a connection over loopback: a descriptor that does not block and is
// the caller's to close, and the peer, which ends with the test.
func Pair(t testing.TB) (fd int, peer *net.TCPConn) { return pair(t, &net.ListenConfig{}) }

// Narrow is Pair with a peer whose window is as small as the kernel allows: a few kilobytes that it does not read close it.
func Narrow(t testing.TB) (fd int, peer *net.TCPConn) {
	return pair(t, &net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var err error
		err2 := c.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, 1) })
		return errors.Join(err, err2)
	}})
}

func pair(t testing.TB, from *net.ListenConfig) (fd int, peer *net.TCPConn) {
	t.Helper()
	ln, err := from.Listen(t.Context(), "tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if fd, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0); err != nil {
		t.Fatal(err)
	}
	at := ln.Addr().(*net.TCPAddr).AddrPort()
	if err = unix.Connect(fd, &unix.SockaddrInet4{Addr: at.Addr().As4(), Port: int(at.Port())}); err != nil {
		t.Fatal(err)
	}
	if err = unix.SetNonblock(fd, true); err != nil {
		t.Fatal(err)
	}
	c, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return fd, c.(*net.TCPConn)
}

// Deafen has an end's kernel drop whatever comes to it, as a path does that is gone: what the other end
// writes is not acknowledged, and its window stays as it is.
func Deafen(t testing.TB, peer *net.TCPConn) {
	t.Helper()
	raw, err := peer.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	program := [...]unix.SockFilter{{Code: unix.BPF_RET | unix.BPF_K, K: 0}}
	err2 := raw.Control(func(fd uintptr) {
		err = unix.SetsockoptSockFprog(int(fd), unix.SOL_SOCKET, unix.SO_ATTACH_FILTER,
			&unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]})
	})
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
}
