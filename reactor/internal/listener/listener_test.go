package listener

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/kernel"
)

// A port that the kernel chooses is nobody else's, though the socket shares.
func TestChosenPortIsFree(t *testing.T) {
	for _, datagrams := range []bool{false, true} {
		l := Config{Addr: netip.MustParseAddrPort("127.0.0.1:0"), Datagrams: datagrams}
		seen := make(map[netip.AddrPort]bool)
		for range 3000 {
			fd, err := l.Bind()
			if err != nil {
				t.Fatal(err)
			}
			defer unix.Close(fd)
			at, err := kernel.LocalAddr(fd)
			if err != nil || seen[at] {
				t.Fatalf("datagrams %v: %v is given twice; %v", datagrams, at, err)
			}
			seen[at] = true
		}
		for at := range seen {
			again := Config{Addr: at, Datagrams: datagrams}
			fd, err := again.Bind()
			if err != nil {
				t.Fatalf("datagrams %v: %v cannot be shared: %v", datagrams, at, err)
			}
			unix.Close(fd)
			break
		}
	}
}

// An address is not bindable while anybody listens there, even one that would share
// its port.
func TestBindable(t *testing.T) {
	for _, datagrams := range []bool{false, true} {
		c := Config{Addr: netip.MustParseAddrPort("127.0.0.1:0"), Datagrams: datagrams}
		fd, err := c.Bind()
		if err != nil {
			t.Fatal(err)
		}
		if c.Addr, err = kernel.LocalAddr(fd); err != nil {
			t.Fatal(err)
		}
		if !datagrams {
			if err := unix.Listen(fd, 1); err != nil {
				t.Fatal(err)
			}
		}
		if err := c.Bindable(); !errors.Is(err, unix.EADDRINUSE) {
			t.Errorf("datagrams %v: %v while somebody has it", datagrams, err)
		}
		unix.Close(fd)
		if err := c.Bindable(); err != nil {
			t.Errorf("datagrams %v: %v", datagrams, err)
		}
	}
}

// What replaces a socket listens in its place, and the owner keeps its own.
func TestReplace(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f, err := ln.(*net.TCPListener).File()
	ln.Close()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	other := Config{Addr: netip.MustParseAddrPort("127.0.0.1:0")}
	place, err := other.Bind()
	if err != nil {
		t.Fatal(err)
	}
	c := Config{Inherited: f}
	if err := c.Replace(place); err != nil {
		t.Fatal(err)
	}
	at, err := kernel.LocalAddr(place)
	if want := ln.Addr().(*net.TCPAddr).AddrPort(); err != nil || at != want {
		t.Errorf("it is at %v, want %v; %v", at, want, err)
	}
	if is, err := unix.GetsockoptInt(place, unix.SOL_SOCKET, unix.SO_ACCEPTCONN); err != nil || is != 1 {
		t.Errorf("it does not listen: %d, %v", is, err)
	}
	unix.Close(place)
	conn, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatalf("the owner's socket is gone: %v", err)
	}
	conn.Close()
}

// A socket of datagrams does not block; of an inherited one there are two
// descriptors then.
func TestBindDatagrams(t *testing.T) {
	c := Config{Addr: netip.MustParseAddrPort("127.0.0.1:0"), Datagrams: true}
	first, err := c.BindDatagrams()
	if err != nil {
		t.Fatal(err)
	}
	at, err := kernel.LocalAddr(first)
	if err != nil {
		t.Fatal(err)
	}
	var b [1]byte
	if _, err := unix.Read(first, b[:]); !errors.Is(err, unix.EAGAIN) {
		t.Errorf("read: %v", err)
	}
	f := os.NewFile(uintptr(first), "")
	defer f.Close()
	again := Config{Addr: at, Datagrams: true, Inherited: f}
	second, err := again.BindDatagrams()
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(second)
	if has, err := kernel.LocalAddr(second); second == first || err != nil || has != at {
		t.Errorf("descriptor %d beside %d at %v, want %v; %v", second, first, has, at, err)
	}
}
