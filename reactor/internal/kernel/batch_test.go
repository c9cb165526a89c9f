package kernel

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// datagrams are a socket of ours that sends and one that hears.
func datagrams(t testing.TB, at string) (fd int, hears *net.UDPConn, to netip.AddrPort) {
	t.Helper()
	pc, err := net.ListenPacket("udp", at)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { pc.Close() })
	to = pc.LocalAddr().(*net.UDPAddr).AddrPort()
	fd, err = unix.Socket(Family(to.Addr()), unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	if err := unix.Bind(fd, Sockaddr(netip.AddrPortFrom(to.Addr(), 0))); err != nil {
		t.Fatal(err)
	}
	return fd, pc.(*net.UDPConn), to
}

// What is gathered arrives whole and in order; what cannot be sent is told, and the
// rest goes all the same.
func TestOutgoing(t *testing.T) {
	for _, at := range []string{"127.0.0.1:0", "[::1]:0"} {
		fd, hears, to := datagrams(t, at)
		var o Outgoing
		for range 2 {
			texts := []string{"one", "", strings.Repeat("x", 20000), "last"}
			for _, s := range texts {
				o.Add([]byte(s), to)
			}
			if o.Len() != len(texts) || o.Full() {
				t.Errorf("%d, full %v", o.Len(), o.Full())
			}
			if n := o.Send(fd); n != 0 {
				t.Errorf("%d failed", n)
			}
			o.Reset()
			buf := make([]byte, MaxDatagram)
			for _, want := range texts {
				_ = hears.SetReadDeadline(time.Now().Add(10 * time.Second))
				n, err := hears.Read(buf)
				if err != nil || string(buf[:n]) != want {
					t.Fatalf("%d bytes, want %d: %v", n, len(want), err)
				}
			}
		}
		o.Add([]byte("a"), to)
		o.Add(make([]byte, MaxDatagram+1), to)
		o.Add([]byte("b"), to)
		if n := o.Send(fd); n != 1 {
			t.Errorf("%d failed", n)
		}
		for i, want := range []error{nil, unix.EMSGSIZE, nil} {
			if text, dest, why := o.At(i); dest != to || (why != 0) != (want != nil) || why != 0 && !errors.Is(why, want) || i == 0 && string(text) != "a" {
				t.Errorf("%d: %d bytes to %v, %v", i, len(text), dest, why)
			}
		}
		o.Reset()
		for !o.Full() {
			o.Add([]byte("x"), to)
		}
		if o.Len() != BatchSize {
			t.Errorf("full with %d", o.Len())
		}
		o.Reset()
		o.Add(make([]byte, burstBytes), to)
		if !o.Full() {
			t.Error("not full by its bytes")
		}
	}
}

// A batch takes all that waits, as often as it is asked.
func TestBatch(t *testing.T) {
	fd, hears, to := datagrams(t, "127.0.0.1:0")
	own, _ := LocalAddr(fd)
	b := NewBatch()
	for round := range 3 {
		if err := b.Receive(fd); !errors.Is(err, unix.EAGAIN) || b.Len() != 0 {
			t.Errorf("%d came of nothing: %v", b.Len(), err)
		}
		for i := range BatchSize + 3 {
			if _, err := hears.WriteToUDPAddrPort([]byte(fmt.Sprint(round, " ", i)), own); err != nil {
				t.Fatal(err)
			}
		}
		n := 0
		for end := time.Now().Add(10 * time.Second); n < BatchSize+3 && time.Now().Before(end); {
			if b.Receive(fd) != nil {
				continue
			}
			for i := range b.Len() {
				if from, data := b.At(i); from != to || string(data) != fmt.Sprint(round, " ", n) {
					t.Fatalf("%q of %v, want number %d of %v", data, from, n, to)
				}
				n++
			}
		}
		if n != BatchSize+3 {
			t.Fatalf("%d came", n)
		}
	}
}

// Nothing is allocated a datagram.
func TestDatagramsAllocateNothing(t *testing.T) {
	fd, _, to := datagrams(t, "127.0.0.1:0")
	b := NewBatch()
	var o Outgoing
	text := []byte("text")
	if n := testing.AllocsPerRun(100, func() {
		_ = SendTo(fd, text, to)
		o.Add(text, to)
		o.Send(fd)
		o.Reset()
		_ = b.Receive(fd)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
