package reactor

import (
	"bufio"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"
)

// inherit makes a socket as another program does, and keeps its own descriptor
// of it until the test ends, as systemd does.
func inherit(t *testing.T, network, addr string) *Inherited {
	t.Helper()
	var made interface{ File() (*os.File, error) }
	if network == "udp" {
		c, err := net.ListenPacket(network, addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		made = c.(*net.UDPConn)
	} else {
		l, err := net.Listen(network, addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		made = l.(*net.TCPListener)
	}
	f, err := made.File()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	in, err := Inherit(f)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// startInherited starts an engine on sockets that it does not open.
func startInherited(t *testing.T, sockets map[Proto]*Inherited) *rig {
	t.Helper()
	return start(t, &script{message: echo}, func(c *Config) {
		c.Loops = 3
		c.Sockets = nil
		for _, p := range []Proto{TLS, TCP, UDP} {
			if in := sockets[p]; in != nil {
				c.Sockets = append(c.Sockets, SocketConfig{Proto: p, Addr: in.Addr, Inherited: in})
			}
		}
	})
}

// A peer that connected before the engine ran is served like those that come
// later, over both protocols, also on a socket of all addresses.
func TestInheritedListener(t *testing.T) {
	for _, host := range []string{"127.0.0.1:0", "[::]:0"} {
		plain, secure := inherit(t, "tcp", host), inherit(t, "tcp", "127.0.0.1:0")
		early, err := net.Dial("tcp", netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), plain.Addr.Port()).String())
		if err != nil {
			t.Fatal(err)
		}
		defer early.Close()
		_ = early.SetDeadline(time.Now().Add(patience))
		r := startInherited(t, map[Proto]*Inherited{TCP: plain, TLS: secure})
		if r.addr(TCP) != plain.Addr || r.addr(TLS) != secure.Addr {
			t.Errorf("listens on %v and %v", r.addr(TCP), r.addr(TLS))
		}
		for _, c := range []net.Conn{early, r.dial(TLS), r.dial(TLS)} {
			want := request("OPTIONS", "x", 1, "")
			_, _ = c.Write([]byte(want))
			if got, err := readMessage(bufio.NewReader(c)); err != nil || got != want {
				t.Errorf("%v: %q, %v", c.RemoteAddr(), got, err)
			}
		}
	}
}

// Datagrams come in and go out by the inherited socket, beside a listener.
func TestInheritedDatagrams(t *testing.T) {
	in := inherit(t, "udp", "127.0.0.1:0")
	plain := inherit(t, "tcp", "127.0.0.1:0")
	got := make(chan string, 1)
	r := start(t, &script{message: func(w *Worker, f *Frame) {
		_, err := w.Send(&Target{Proto: UDP, Addr: f.Src.Remote, Socket: f.Src.Socket}, Bytes(f.Data))
		if err != nil {
			got <- err.Error()
		}
	}}, func(c *Config) {
		c.Loops = 3
		c.Sockets = []SocketConfig{{Proto: TCP, Addr: plain.Addr, Inherited: plain}, {Proto: UDP, Addr: in.Addr, Inherited: in}}
	})
	c, err := net.Dial("udp", in.Addr.String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(patience))
	want := request("OPTIONS", "x", 1, "")
	if _, err := c.Write([]byte(want)); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 2000)
	n, err := c.Read(buf)
	if err != nil || string(buf[:n]) != want {
		t.Errorf("%q, %v", buf[:n], err)
	}
	r.dial(TCP)
	select {
	case failed := <-got:
		t.Error(failed)
	default:
	}
}

// Whoever opened the socket keeps it: the engine's end does not close it.
func TestInheritedSocketOutlivesEngine(t *testing.T) {
	in := inherit(t, "tcp", "127.0.0.1:0")
	for range 2 {
		t.Run("engine", func(t *testing.T) {
			r := startInherited(t, map[Proto]*Inherited{TCP: in})
			c := r.dial(TCP)
			want := request("OPTIONS", "x", 1, "")
			_, _ = c.Write([]byte(want))
			if got, err := readMessage(bufio.NewReader(c)); err != nil || got != want {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}

// A listener is none for datagrams.
func TestInheritedServesItsOwn(t *testing.T) {
	in := inherit(t, "tcp", "127.0.0.1:0")
	cfg := DefaultConfig()
	cfg.Sockets = []SocketConfig{{Proto: UDP, Addr: in.Addr, Inherited: in}}
	if _, err := New(cfg, &script{}); err == nil || !strings.Contains(err.Error(), "another") {
		t.Errorf("a listener serves datagrams: %v", err)
	}
}
