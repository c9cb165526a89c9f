package listener

import (
	"bytes"
	"log/slog"
	"math"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/kernel"
)

// Each loop has a socket of its own at the port that the first one was given, and what is
// sent leaves from there.
func TestInletsShareTheirPort(t *testing.T) {
	var s Inlets
	defer s.Close()
	c := Config{Addr: netip.MustParseAddrPort("127.0.0.1:0"), Datagrams: true}
	if err := s.Open(2, &c, 3); err != nil {
		t.Fatal(err)
	}
	if c.Addr.Port() == 0 || len(s.All()) != 3 {
		t.Fatalf("%d sockets at %v", len(s.All()), c.Addr)
	}
	for _, in := range s.All() {
		if at, err := kernel.LocalAddr(in.FD); err != nil || at != c.Addr || in.Listener != 2 {
			t.Errorf("a socket is at %v of listener %d, want %v of 2: %v", at, in.Listener, c.Addr, err)
		}
	}
	if s.Sender(2) != s.All()[0].FD || s.Sender(0) != -1 || s.Sender(3) != -1 {
		t.Errorf("what is sent leaves by %d, %d and %d", s.Sender(2), s.Sender(0), s.Sender(3))
	}
	s.Close()
	if s.Sender(2) != -1 || len(s.All()) != 0 {
		t.Error("a socket is there behind Close")
	}
}

// An inherited socket is one for all loops, and stays its owner's.
func TestInheritedInlet(t *testing.T) {
	own, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer own.Close()
	f, err := own.File()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var s Inlets
	c := Config{Addr: own.LocalAddr().(*net.UDPAddr).AddrPort(), Datagrams: true, Inherited: f}
	if err := s.Open(0, &c, 4); err != nil {
		t.Fatal(err)
	}
	if len(s.All()) != 1 {
		t.Errorf("%d sockets for one that was inherited", len(s.All()))
	}
	s.Close()
	if _, err := own.WriteTo([]byte("x"), own.LocalAddr()); err != nil {
		t.Errorf("its owner cannot use it any more: %v", err)
	}
}

// What was opened before a listener that failed is closed with the rest.
func TestInletsThatFail(t *testing.T) {
	var s Inlets
	first := Config{Addr: netip.MustParseAddrPort("127.0.0.1:0"), Datagrams: true}
	bad := Config{Addr: netip.MustParseAddrPort("203.0.113.9:5060"), Datagrams: true}
	if err := s.Open(0, &first, 2); err != nil {
		t.Fatal(err)
	}
	if err := s.Open(1, &bad, 2); err == nil || !strings.Contains(err.Error(), "203.0.113.9:5060") {
		t.Errorf("an address that is not this machine's: %v", err)
	}
	fd := s.All()[0].FD
	s.Close()
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != unix.EBADF {
		t.Errorf("a descriptor is left open: %v", err)
	}
}

// What finds no room is counted, over the end of the sockets.
func TestInletsCountWhatIsDropped(t *testing.T) {
	var s Inlets
	c := Config{Addr: netip.MustParseAddrPort("127.0.0.1:0"), Datagrams: true}
	if err := s.Open(0, &c, 1); err != nil {
		t.Fatal(err)
	}
	to, err := net.Dial("udp", c.Addr.String())
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	for deadline := time.Now().Add(30 * time.Second); s.Dropped() == 0; {
		if _, err := to.Write(make([]byte, 60000)); err != nil {
			t.Fatal(err)
		}
		if time.Now().After(deadline) {
			t.Fatal("nobody reads, and nothing is dropped")
		}
	}
	before := s.Dropped()
	s.Close()
	if s.Dropped() != before {
		t.Errorf("%d are dropped behind the end, %d before", s.Dropped(), before)
	}
}

// A buffer that the system does not allow is told.
func TestInletsGrow(t *testing.T) {
	var s Inlets
	defer s.Close()
	c := Config{Addr: netip.MustParseAddrPort("127.0.0.1:0"), Datagrams: true}
	if err := s.Open(0, &c, 2); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	log := slog.New(slog.NewTextHandler(&said, nil))
	s.Grow(0, log)
	s.Grow(1, log)
	if said.Len() > 0 {
		t.Error(said.String())
	}
	s.Grow(math.MaxInt32, log)
	if !strings.Contains(said.String(), "net.core.rmem_max") || strings.Count(said.String(), "\n") != 1 {
		t.Errorf("%q, want one line that names what to raise", said.String())
	}
}
