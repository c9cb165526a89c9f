package kernel

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// descriptors counts those of the process.
func descriptors(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

func TestOpenStream(t *testing.T) {
	home, other := netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("127.0.0.9")
	for _, tt := range []struct {
		peer, from, bound netip.Addr
	}{
		{home, netip.Addr{}, netip.IPv4Unspecified()},
		{home, other, other},
		{home, netip.IPv6Loopback(), netip.IPv4Unspecified()}, // of the other family
		{netip.IPv6Loopback(), other, netip.IPv6Unspecified()},
	} {
		fd, err := OpenStream(tt.peer, tt.from, &Keepalive{Enabled: true})
		if err != nil {
			t.Errorf("to %v from %v: %v", tt.peer, tt.from, err)
			continue
		}
		if at, err := LocalAddr(fd); err != nil || at.Addr() != tt.bound {
			t.Errorf("to %v from %v: bound to %v, %v", tt.peer, tt.from, at, err)
		}
		if n, _ := unix.GetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY); n == 0 {
			t.Error("Nagle's algorithm is on")
		}
		if n, _ := unix.GetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT); n != UnsentBytes {
			t.Errorf("the kernel may hold %d bytes", n)
		}
		if KeepaliveOf(fd)[0] == 0 {
			t.Error("it has no keep-alive")
		}
		if flags, _ := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0); flags&unix.O_NONBLOCK == 0 {
			t.Error("it blocks")
		}
		unix.Close(fd)
	}
	// Not an address of this machine (RFC 5737).
	before := descriptors(t)
	fd, err := OpenStream(home, netip.MustParseAddr("192.0.2.77"), &Keepalive{})
	if fd != -1 || !errors.Is(err, unix.EADDRNOTAVAIL) || !OwnChoice(err) {
		t.Errorf("from an address of another machine: %d, %v", fd, err)
	}
	if n := descriptors(t); n != before {
		t.Errorf("%d descriptors are open, %d were", n, before)
	}
}

func TestOwnChoice(t *testing.T) {
	if !OwnChoice(fmt.Errorf("connect: %w", unix.EHOSTUNREACH)) {
		t.Error("a route is nobody else's")
	}
	for _, err := range []error{nil, unix.ECONNREFUSED, unix.ETIMEDOUT, io.EOF} {
		if OwnChoice(err) {
			t.Errorf("%v is our choice", err)
		}
	}
}
