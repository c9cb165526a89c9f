package datagrams

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/waittest"
)

type source struct {
	from   netip.AddrPort
	socket int
}

func sourceOf(from netip.AddrPort, socket int) *source { return &source{from, socket} }

// A peer's datagrams have one source, and a bound on how many are known.
func TestSources(t *testing.T) {
	var s Sources[int, source]
	at := func(i int) netip.AddrPort {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 5060)
	}
	first := s.Of(at(0), 7, sourceOf)
	if *first != (source{at(0), 7}) {
		t.Errorf("%+v", first)
	}
	if n := testing.AllocsPerRun(100, func() {
		if s.Of(at(0), 7, sourceOf) != first {
			t.Error("another one")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if s.Of(at(0), 8, sourceOf) == first || s.Of(at(1), 7, sourceOf) == first {
		t.Error("the same for another peer or socket")
	}
	for i := range 3 * maxSources {
		s.Of(at(i), 7, sourceOf)
	}
	if len(s.known) > maxSources {
		t.Errorf("%d are known", len(s.known))
	}
}

// pipe is two sockets of UDP: the descriptor of one, and the other.
type pipe struct {
	fd   int
	to   netip.AddrPort
	in   *net.UDPConn
	lost []string
}

func newPipe(t *testing.T) *pipe {
	t.Helper()
	in, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close() })
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	return &pipe{fd: fd, to: in.LocalAddr().(*net.UDPAddr).AddrPort(), in: in}
}

func (p *pipe) Sender(int) int     { return p.fd }
func (p *pipe) Descriptor(int) int { return p.fd }
func (p *pipe) Lost(socket int, text []byte, _ netip.AddrPort, note any, why unix.Errno) {
	p.lost = append(p.lost, fmt.Sprint(socket, " ", string(text), " ", note, " ", why == unix.EACCES))
}

// receive returns the next datagram; "" if there is none.
func (p *pipe) receive(wait time.Duration) string {
	b := make([]byte, 100)
	_ = p.in.SetReadDeadline(time.Now().Add(wait))
	n, _ := p.in.Read(b)
	return string(b[:n])
}

func TestGate(t *testing.T) {
	p := newPipe(t)
	var g Gate
	if err := g.Send(p, 0, []byte("one"), p.to); err != nil || p.receive(time.Minute) != "one" {
		t.Errorf("not sent: %v", err)
	}
	if err := g.Send(p, 0, []byte("x"), netip.MustParseAddrPort("255.255.255.255:9")); !errors.Is(err, unix.EACCES) {
		t.Errorf("to an address that the kernel forbids: %v", err)
	}
	var senders sync.WaitGroup
	for range 4 {
		senders.Go(func() {
			for g.Send(p, 0, []byte("many"), p.to) == nil {
			}
		})
	}
	g.Shut()
	senders.Wait() // each of them is told
	if err := g.Send(p, 0, []byte("late"), p.to); !errors.Is(err, ErrShut) {
		t.Errorf("behind the end: %v", err)
	}
}

// slow is a sender that takes its time.
type slow struct {
	*pipe
	at, goes chan struct{}
}

func (s *slow) Sender(i int) int {
	close(s.at)
	<-s.goes
	return s.pipe.Sender(i)
}

// The end of sending waits for what is being sent: its socket closes then.
func TestShutWaits(t *testing.T) {
	s := &slow{newPipe(t), make(chan struct{}), make(chan struct{})}
	var g Gate
	sent, shut := make(chan error, 1), make(chan struct{})
	go func() { sent <- g.Send(s, 0, []byte("one"), s.to) }()
	<-s.at
	go func() {
		defer close(shut)
		g.Shut()
	}()
	waittest.For(t, "the end waits", func() bool {
		if !g.sending.TryRLock() {
			return true
		}
		g.sending.RUnlock()
		return false
	})
	close(s.goes)
	if err := <-sent; err != nil {
		t.Error(err)
	}
	<-shut
}

// What is gathered leaves in order when the burst closes, is full or another socket is
// sent by; what cannot be sent comes back with its note.
func TestBurst(t *testing.T) {
	p := newPipe(t)
	var b Burst[int]
	b.Open()
	if !b.IsOpen() {
		t.Error("it gathers nothing")
	}
	b.Add(p, 1, []byte("one"), p.to, nil)
	b.Add(p, 1, []byte("two"), p.to, nil)
	if got := p.receive(50 * time.Millisecond); got != "" {
		t.Errorf("%q has left already", got)
	}
	b.Add(p, 2, []byte("three"), p.to, "another's")
	b.Add(p, 2, []byte("lost"), netip.MustParseAddrPort("255.255.255.255:9"), "mine")
	for _, want := range []string{"one", "two"} {
		if got := p.receive(time.Minute); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	b.Close(p)
	if got := p.receive(time.Minute); got != "three" || b.IsOpen() {
		t.Errorf("%q; open: %v", got, b.IsOpen())
	}
	if len(p.lost) != 1 || p.lost[0] != "2 lost mine true" {
		t.Errorf("lost: %q", p.lost)
	}
	const n = 300 // more than one call takes
	for i := range n {
		b.Add(p, 1, fmt.Append(nil, i), p.to, nil)
		if i%10 == 9 {
			b.Close(p)
			for k := i - 9; k <= i; k++ {
				if got := p.receive(time.Minute); got != fmt.Sprint(k) {
					t.Fatalf("%q, want %d", got, k)
				}
			}
		}
	}
	if len(p.lost) != 1 {
		t.Errorf("lost: %q", p.lost)
	}
}
