package tlstest

import (
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"
)

// Refusing is an address on 127.0.0.1 where connects are refused until the test ends. Its port is bound, by a socket
// that does not listen: a port that is merely free may be given to anybody meanwhile, another test's listener or the
// client that is to be refused itself.
func Refusing(t testing.TB) netip.AddrPort {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(fd) })
	host := [4]byte{127, 0, 0, 1}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: host}); err != nil {
		t.Fatal(err)
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	return netip.AddrPortFrom(netip.AddrFrom4(host), uint16(name.(*unix.SockaddrInet4).Port))
}
