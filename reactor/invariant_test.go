package reactor

import (
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"sipreactor/reactor/internal/connection"
)

// A connection in every phase dies of every cause. Whatever happens, it leaves
// the table, its descriptor is closed, its TLS machine is stopped and what
// waited on it is told: start checks that at the end of each test.
func TestEveryPhaseTimesEveryDeath(t *testing.T) {
	// bring gives a rig with one connection in the phase, the peer's end of it
	// (nil where there is none) and the engine's handle.
	type brought struct {
		r    *rig
		h    Handle
		peer net.Conn
	}
	phases := map[string]func(t *testing.T) brought{
		"connecting": func(t *testing.T) brought {
			r := start(t, &script{}, hurried)
			return brought{r: r, h: r.dialOut(TCP, blackHole(t))}
		},
		"handshaking, ours": func(t *testing.T) brought {
			r := start(t, &script{}, hurried)
			accepted := make(chan net.Conn, 1)
			h := r.dialOut(TLS, accepting(t, func(c net.Conn) { accepted <- c }))
			return brought{r: r, h: h, peer: <-accepted}
		},
		"handshaking, the peer's": func(t *testing.T) brought {
			r := start(t, &script{}, nil)
			c := r.raw(TLS)
			_, _ = c.Write([]byte{0x16, 0x03, 0x01, 0x01}) // the beginning of a ClientHello
			return brought{r: r, h: r.only(), peer: c}
		},
		"established, TLS": func(t *testing.T) brought {
			r := start(t, &script{}, nil)
			c := r.raw(TLS)
			if err := tls.Client(c, &tls.Config{RootCAs: r.ca, ServerName: "localhost", DynamicRecordSizingDisabled: true}).Handshake(); err != nil {
				t.Fatal(err)
			}
			return brought{r: r, h: r.only(), peer: c}
		},
		"established, TCP": func(t *testing.T) brought {
			r := start(t, &script{}, nil)
			c := r.raw(TCP)
			return brought{r: r, h: r.only(), peer: c}
		},
		"in a message": func(t *testing.T) brought {
			r := start(t, &script{}, nil)
			c := r.raw(TCP)
			_, _ = c.Write([]byte("INVITE sip:x SIP/2.0\r\nVia:"))
			h := r.only()
			r.eventually("the bytes are in", func() bool { return r.Stats().BytesIn > 0 })
			return brought{r: r, h: h, peer: c}
		},
		"blocked": func(t *testing.T) brought {
			r := start(t, &script{}, nil)
			c := r.raw(TCP)
			h := r.only()
			if err := r.clog(h, 60<<10, 3); err != nil {
				t.Fatal(err)
			}
			return brought{r: r, h: h, peer: c}
		},
	}
	causes := map[string]func(b brought){
		"management": func(b brought) { b.r.Close(b.h) },
		"peer closes": func(b brought) {
			if b.peer == nil {
				b.r.Close(b.h)
				return
			}
			b.peer.Close()
		},
		"peer resets": func(b brought) {
			if b.peer == nil {
				b.r.Close(b.h)
				return
			}
			_ = b.peer.(*net.TCPConn).SetLinger(0)
			b.peer.Close()
		},
		"garbage": func(b brought) {
			if b.peer == nil {
				b.r.Close(b.h)
				return
			}
			_, _ = b.peer.Write([]byte("\x00\x01\x02\x03 what is this\r\n\r\n"))
			b.peer.Close()
		},
		"two at once": func(b brought) {
			go b.r.Close(b.h)
			if b.peer != nil {
				b.peer.Close()
			}
			b.r.Close(b.h)
		},
		"shutdown": func(b brought) {},
	}
	for phase, bring := range phases {
		for cause, kill := range causes {
			t.Run(phase+"/"+cause, func(t *testing.T) {
				b := bring(t)
				kill(b)
				if cause != "shutdown" {
					b.r.eventually("it is gone", func() bool { return !b.r.Alive(b.h) })
				} else if phase == "blocked" {
					// Its peer will never read: the drain ends by the deadline.
					b.peer.Close()
				}
			})
		}
	}
}

// hurried parks at once.
func hurried(c *Config) {
	for _, s := range []*StreamConfig{&c.TLS, &c.TCP} {
		s.LocalConnectTimeout, s.LocalHandshakeTimeout = time.Millisecond, time.Millisecond
	}
	c.ParkedTimeout = patience
}

// dialOut begins a connection and gives its handle.
func (r *rig) dialOut(p Proto, to netip.AddrPort) Handle {
	r.Helper()
	r.dialTo(p, to)
	return r.only()
}

// dialTo begins a connection.
func (r *rig) dialTo(p Proto, to netip.AddrPort) {
	r.Helper()
	if o, err := r.Send(&Target{Proto: p, Addr: to, Name: "localhost"}, Bytes(request("MESSAGE", "x", 1, ""))); o != Queued {
		r.Fatalf("%v, %v; want queued", o, err)
	}
}

// raw connects to a socket of the engine without TLS.
func (r *rig) raw(p Proto) net.Conn {
	r.Helper()
	c, err := net.Dial("tcp", r.addr(p).String())
	if err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(patience))
	return c
}

// only gives the handle of the only connection there is.
func (r *rig) only() (h Handle) {
	r.Helper()
	r.eventually("one connection is there", func() bool {
		n := 0
		r.conns.Table.Each(func(c *connection.Conn) { n++; h = c.ID })
		return n == 1
	})
	return h
}

// Stop writes what waits, says goodbye to every peer and does not wait for one
// that is silent.
func TestStopDrains(t *testing.T) {
	bothProtos(t, func(t *testing.T, p Proto) {
		t.Parallel()
		var handled atomic.Int64
		r := start(t, &script{message: func(w *Worker, f *Frame) { handled.Add(1); echo(w, f) }}, func(c *Config) {
			for i := range c.Sockets { // it listens there again, and nobody is to be given them meanwhile
				c.Sockets[i].Addr = unusedAddress(t)
			}
		})
		var peers []net.Conn
		for range 20 {
			c := r.dial(p)
			peers = append(peers, c)
			_, _ = c.Write([]byte(request("MESSAGE", "x", 1, "")))
		}
		r.eventually("all messages are in hand", func() bool { return handled.Load() == 20 })
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		stopped := make(chan error, 1)
		go func() { stopped <- r.Stop(ctx) }()
		for i, c := range peers {
			got := make([]byte, 4096)
			n := 0
			var err error
			for err == nil {
				var m int
				m, err = c.Read(got[n:])
				n += m
			}
			if string(got[:n]) != request("MESSAGE", "x", 1, "") || err.Error() != "EOF" {
				t.Errorf("peer %d: got %d bytes, then %v; want its message and an orderly end", i, n, err)
			}
		}
		if err := <-stopped; err != nil {
			t.Errorf("Stop: %v", err)
		}
		r.Engine = restarted(t, r)
	})
}

// restarted gives a fresh engine on the same sockets, so that the checks at the
// end of a test have one to stop, and shows that the addresses are free.
func restarted(t *testing.T, r *rig) *Engine {
	t.Helper()
	cfg := r.cfg
	for i, s := range r.Sockets() {
		cfg.Sockets[i].Addr = s.Addr
	}
	e, err := New(cfg, r.script)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Start(); err != nil {
		t.Fatal(err)
	}
	return e
}
