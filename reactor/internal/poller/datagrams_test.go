package poller

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/kernel"
	"sipreactor/reactor/internal/listener"
)

func (r *rig) udp(at netip.AddrPort) *net.UDPConn {
	r.Helper()
	c, err := net.Dial("udp", at.String())
	if err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() { c.Close() })
	return c.(*net.UDPConn)
}

func (r *rig) next() cameFrom {
	r.Helper()
	select {
	case d := <-r.came:
		<-r.datagrams
		return d
	case <-time.After(patience):
		r.Fatalf("no datagram came\n%s", r.log.String())
		return cameFrom{}
	}
}

// What one peer sends comes in order and whole, from nothing to as much as UDP
// carries, however much waits.
func TestDatagramsInOrder(t *testing.T) {
	for _, at := range []string{"127.0.0.1:0", "[::1]:0"} {
		t.Run(at, func(t *testing.T) {
			r := start(t, 2, listener.Config{Addr: netip.MustParseAddrPort(at), Datagrams: true})
			c := r.udp(r.Addr(0))
			from := c.LocalAddr().(*net.UDPAddr).AddrPort()
			const n = 3*kernel.BatchSize + 1
			var want []string
			for i := range n {
				want = append(want, fmt.Sprint("datagram ", i, strings.Repeat(".", i*7)))
			}
			want[5], want[9] = "", strings.Repeat("x", 65000)
			for _, s := range want {
				if _, err := c.Write([]byte(s)); err != nil {
					t.Fatal(err)
				}
			}
			for i, s := range want {
				if d := r.next(); d.data != s || d.from != from {
					t.Fatalf("number %d: %d bytes of %v, want %d of %v", i, len(d.data), d.from, len(s), from)
				}
			}
		})
	}
}

// Where there is no listener of streams, nothing else is open.
func TestDatagramsAlone(t *testing.T) {
	before := datagramSockets(t)
	r := start(t, 3, listener.Config{Addr: netip.MustParseAddrPort("127.0.0.1:0"), Datagrams: true})
	if got := datagramSockets(t) - before; got != 3 {
		t.Errorf("%d sockets of datagrams, want one a loop", got)
	}
	c := r.udp(r.Addr(0))
	if _, err := c.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if d := r.next(); d.data != "x" {
		t.Errorf("%q", d.data)
	}
	c.Close()
	if err := r.Stop(); err != nil {
		t.Error(err)
	}
	if got := datagramSockets(t) - before; got != 0 {
		t.Errorf("%d sockets are left", got)
	}
}

func datagramSockets(t *testing.T) (n int) {
	t.Helper()
	for fd := range 1024 {
		if kind, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE); err == nil && kind == unix.SOCK_DGRAM {
			if a, err := kernel.LocalAddr(fd); err == nil && a.IsValid() {
				n++
			}
		}
	}
	return n
}

// What ICMP says of a datagram is told, with what it quotes, and neither stops what
// comes nor fails what is sent to others.
func TestUndelivered(t *testing.T) {
	for _, at := range []string{"127.0.0.1:0", "[::1]:0"} {
		t.Run(at, func(t *testing.T) {
			r := start(t, 2, listener.Config{Addr: netip.MustParseAddrPort(at), Datagrams: true})
			pc, err := net.ListenPacket("udp", at)
			if err != nil {
				t.Fatal(err)
			}
			nobody := pc.LocalAddr().(*net.UDPAddr).AddrPort()
			pc.Close()
			c := r.udp(r.Addr(0))
			to := c.LocalAddr().(*net.UDPAddr).AddrPort()
			const text = "OPTIONS sip:nobody SIP/2.0\r\nVia: x\r\n\r\n"
			for i := range 50 {
				if err := kernel.SendTo(r.Sender(0), []byte(text), nobody); err != nil {
					t.Fatal(err)
				}
				if err := kernel.SendTo(r.Sender(0), []byte("to somebody"), to); err != nil {
					t.Fatalf("number %d fails for the one before: %v", i, err)
				}
				select {
				case l := <-r.undelivered:
					if l.listener != 0 || l.to != nobody || l.quote != text || !errors.Is(l.why, unix.ECONNREFUSED) {
						t.Errorf("%+v", l)
					}
				case <-time.After(patience):
					t.Fatalf("number %d: nothing was told\n%s", i, r.log.String())
				}
				if _, err := c.Write([]byte("x")); err != nil {
					t.Fatal(err)
				}
				if d := r.next(); d.data != "x" {
					t.Errorf("%q", d.data)
				}
			}
			if log := r.log.String(); strings.Contains(log, "level=ERROR") || strings.Contains(log, "level=WARN") {
				t.Error(log)
			}
		})
	}
}

// A socket whose stand-in gnet has closed gets another.
func TestInletGoesOn(t *testing.T) {
	r := start(t, 1, listener.Config{Addr: netip.MustParseAddrPort("127.0.0.1:0"), Datagrams: true})
	c := r.udp(r.Addr(0))
	for range 3 {
		s := &inlet{Inlet: r.inlets.All()[0], p: r.Poller, loop: r.Loops()[0]}
		r.on(s.loop, func(*echoLoop) { s.unwatched() })
		if _, err := c.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		if d := r.next(); d.data != "x" {
			t.Errorf("%q", d.data)
		}
	}
}

// What finds no room in the receive buffer is counted.
func TestDroppedDatagrams(t *testing.T) {
	r := start(t, 1, listener.Config{Addr: netip.MustParseAddrPort("127.0.0.1:0"), Datagrams: true})
	_ = unix.SetsockoptInt(r.Sender(0), unix.SOL_SOCKET, unix.SO_RCVBUF, 4096)
	c := r.udp(r.Addr(0))
	hold := make(chan struct{})
	r.Loops()[0].Post(func() { <-hold })
	for range 100 {
		if _, err := c.Write(make([]byte, 1000)); err != nil {
			t.Fatal(err)
		}
	}
	n := r.Dropped()
	close(hold)
	if n < 50 {
		t.Errorf("%d are counted", n)
	}
	if err := r.Stop(); err != nil {
		t.Fatal(err)
	}
	if got := r.Dropped(); got < n {
		t.Errorf("%d are counted at the end, %d before", got, n)
	}
}
