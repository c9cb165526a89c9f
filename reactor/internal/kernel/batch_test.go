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

	"sipreactor/reactor/internal/waittest"
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

// arrives checks what comes next.
func arrives(t *testing.T, at *net.UDPConn, want string) {
	t.Helper()
	buf := make([]byte, MaxDatagram)
	_ = at.SetReadDeadline(time.Now().Add(30 * time.Second))
	n, err := at.Read(buf)
	if err != nil || string(buf[:n]) != want {
		t.Fatalf("%d bytes, want %d: %v", n, len(want), err)
	}
}

// What ICMP has said of an earlier datagram is not held against the next.
func TestErrorOfAnEarlierDatagram(t *testing.T) {
	fd, hears, to := datagrams(t, "127.0.0.1:0")
	if err := SetErrorQueue(fd, false); err != nil {
		t.Fatal(err)
	}
	_, shut, nobody := datagrams(t, "127.0.0.1:0")
	shut.Close()
	refused := func() {
		if err := SendTo(fd, []byte("x"), nobody); err != nil {
			t.Fatal(err)
		}
		waittest.For(t, "it is refused", func() bool {
			n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLPRI}}, 0)
			return n == 1 && err == nil
		})
	}
	refused()
	if err := SendTo(fd, []byte("one"), to); err != nil {
		t.Error(err)
	}
	arrives(t, hears, "one")
	refused()
	var o Outgoing
	o.Add([]byte("two"), to)
	if n := o.Send(fd); n != 0 {
		t.Errorf("%d failed", n)
	}
	arrives(t, hears, "two")
}

// One batch takes datagrams of sockets of both families.
func TestBatchOfBothFamilies(t *testing.T) {
	four, hears4, from4 := datagrams(t, "127.0.0.1:0")
	six, hears6, from6 := datagrams(t, "[::1]:0")
	b := NewBatch()
	for _, s := range []struct {
		fd    int
		hears *net.UDPConn
		from  netip.AddrPort
	}{{four, hears4, from4}, {six, hears6, from6}} {
		own, err := LocalAddr(s.fd)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.hears.WriteToUDPAddrPort([]byte("hi"), own); err != nil {
			t.Fatal(err)
		}
		waittest.For(t, "it comes", func() bool { return b.Receive(s.fd) == nil })
		if from, data := b.At(0); from != s.from || string(data) != "hi" || cap(data) != len(data) {
			t.Errorf("%q of %v, want %v; room for %d", data, from, s.from, cap(data))
		}
	}
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
			for _, want := range texts {
				arrives(t, hears, want)
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
		arrives(t, hears, "a")
		arrives(t, hears, "b") // behind what could not be sent
		for _, s := range []string{"c", "d"} {
			o.Add([]byte(s), to)
		}
		o.Send(fd)
		for i, want := range []string{"c", "d"} {
			if _, _, why := o.At(i); why != 0 {
				t.Errorf("%q has the error of another: %v", want, why)
			}
			arrives(t, hears, want)
		}
		o.b = make([]byte, 0, 2*burstKept)
		if o.Reset(); cap(o.b) > burstKept {
			t.Errorf("%d bytes are kept", cap(o.b))
		}
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
		for end := time.Now().Add(30 * time.Second); n < BatchSize+3 && time.Now().Before(end); {
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
