package reactor

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"sipreactor/reactor/internal/logtest"
	"sipreactor/reactor/internal/peek"
)

// Messages arrive as they were sent and their answers on the same connection,
// however the stream is cut.
func TestEchoHoweverCut(t *testing.T) {
	bothProtos(t, func(t *testing.T, p Proto) {
		r := start(t, &script{message: echo}, func(c *Config) { c.TLS.MaxChunks, c.TCP.MaxChunks = 0, 0 })
		var stream strings.Builder
		var want []string
		for i := range 20 {
			m := request("MESSAGE", "one-call", i, strings.Repeat("b", i*37))
			want = append(want, m)
			stream.WriteString(m)
		}
		rng := rand.New(rand.NewPCG(8, 9))
		for name, size := range map[string]func() int{
			"whole":          func() int { return stream.Len() },
			"byte by byte":   func() int { return 1 },
			"cut at random":  func() int { return 1 + rng.IntN(700) },
			"cut in headers": func() int { return 97 },
		} {
			t.Run(name, func(t *testing.T) {
				c := r.dial(p)
				go func() {
					for rest := stream.String(); rest != ""; {
						n := min(size(), len(rest))
						if _, err := c.Write([]byte(rest[:n])); err != nil {
							return
						}
						rest = rest[n:]
					}
				}()
				in := bufio.NewReader(c)
				for i, m := range want {
					got, err := readMessage(in)
					if err != nil || got != m {
						t.Fatalf("message %d: got %q, %v; want %q", i, got, err, m)
					}
				}
			})
		}
	})
}

// Messages of a Call-ID stay in order, over many connections at once, and none
// is lost or doubled.
func TestOrderWithinCallID(t *testing.T) {
	bothProtos(t, func(t *testing.T, p Proto) {
		r := start(t, &script{message: echo}, func(c *Config) { c.Workers = 4 })
		const conns, calls, each = 8, 5, 40
		var wg sync.WaitGroup
		for n := range conns {
			c := r.dial(p)
			wg.Go(func() {
				for i := range each {
					for call := range calls {
						_, _ = c.Write([]byte(request("MESSAGE", fmt.Sprintf("c%d-%d", n, call), i, "")))
					}
				}
			})
			wg.Go(func() {
				in := bufio.NewReader(c)
				seen := map[string]int{}
				for range calls * each {
					m, err := readMessage(in)
					if err != nil {
						t.Errorf("connection %d: %v", n, err)
						return
					}
					var seq int
					id := string(peek.CallID([]byte(m)))
					_, _ = fmt.Sscanf(m[strings.Index(m, "CSeq:"):], "CSeq: %d", &seq)
					if seq != seen[id] {
						t.Errorf("call %s: %d comes where %d was next", id, seq, seen[id])
					}
					seen[id] = seq + 1
				}
			})
		}
		wg.Wait()
		// A message is counted behind its write, so the peer may be faster.
		r.eventually("all are counted", func() bool { return r.Stats().MessagesOut >= conns*calls*each })
		if s := r.Stats(); s.MessagesIn != conns*calls*each || s.MessagesOut != s.MessagesIn {
			t.Errorf("in %d, out %d, want %d", s.MessagesIn, s.MessagesOut, conns*calls*each)
		}
	})
}

func TestPingPong(t *testing.T) {
	bothProtos(t, func(t *testing.T, p Proto) {
		r := start(t, &script{message: echo}, nil)
		c := r.dial(p)
		_, _ = c.Write([]byte("\r\n\r\n"))
		pong := make([]byte, 2)
		if _, err := c.Read(pong); err != nil || string(pong) != "\r\n" {
			t.Fatalf("got %q, %v", pong, err)
		}
		if s := r.Stats(); s.Pings != 1 || s.MessagesOut != 0 {
			t.Errorf("pings %d, messages out %d", s.Pings, s.MessagesOut)
		}
	})
}

// A peer whose framing is lost gets what the Handler answers, then a
// close_notify or FIN, never a reset.
func TestMalformedIsAnsweredAndClosed(t *testing.T) {
	bothProtos(t, func(t *testing.T, p Proto) {
		s := &script{}
		r := start(t, s, nil)
		c := r.dial(p)
		m := strings.Replace(request("OPTIONS", "x", 1, ""), "Content-Length: 0\r\n", "", 1)
		_, _ = c.Write([]byte(m))
		in := bufio.NewReader(c)
		got, err := readMessage(in)
		if err != nil || !strings.HasPrefix(got, "SIP/2.0 400 Missing Content-Length") {
			t.Fatalf("got %q, %v", got, err)
		}
		if _, err := in.ReadByte(); err == nil || err.Error() != "EOF" {
			t.Errorf("after the answer: %v, want an orderly end", err)
		}
		r.eventually("the close is told", func() bool { return len(r.seen.of(ConnClosed)) == 1 })
		if end := r.seen.of(ConnClosed)[0]; end.Err.Reason != MalformedMessage || end.Err.Blame != BlamePeer || end.Was != PhaseEstablished {
			t.Errorf("closed with %v, blame %v, was %v", end.Err, end.Err.Blame, end.Was)
		}
	})
}

// Garbage closes the connection with a reason, and is one line in the log of an operator who asked for no more.
func TestPlainTextOnTLSPort(t *testing.T) {
	for _, text := range []string{"OPTIONS sip:x SIP/2.0\r\n\r\n", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "\x00\x01\x02"} {
		t.Run(text[:3], func(t *testing.T) {
			said := &logtest.Log{}
			r := start(t, &script{}, func(c *Config) { c.Logger = slog.New(slog.NewTextHandler(said, nil)) })
			begun := time.Now()
			for range 50 {
				c, err := net.Dial("tcp", r.addr(TLS).String())
				if err != nil {
					t.Fatal(err)
				}
				_, _ = c.Write([]byte(text))
				c.Close()
			}
			r.eventually("all are closed", func() bool { return len(r.seen.of(ConnClosed)) == 50 })
			for _, e := range r.seen.of(ConnClosed) {
				if e.Err.Reason != HandshakeFailed || e.Err.Blame != BlamePeer {
					t.Errorf("closed with %v, blame %v", e.Err, e.Err.Blame)
				}
			}
			// One a second passes, and the flood lasts as long as the machine takes.
			if n := strings.Count(said.String(), "connection closed"); n < 1 || n > 10+int(time.Since(begun).Seconds()) {
				t.Errorf("%d lines for one flood", n)
			}
		})
	}
}

func TestConnectionLimit(t *testing.T) {
	bothProtos(t, func(t *testing.T, p Proto) {
		r := start(t, &script{message: echo}, func(c *Config) { c.MaxConnections = 2 })
		a, b := r.dial(p), r.dial(p)
		c, err := net.Dial("tcp", r.addr(p).String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		r.eventually("the third is refused", func() bool { return len(r.seen.of(ConnRefused)) == 1 })
		if e := r.seen.of(ConnRefused)[0].Err; e.Reason != ConnectionLimit || e.Blame != BlameOverload {
			t.Errorf("refused with %v, blame %v", e, e.Blame)
		}
		a.Close()
		r.eventually("a place is free", func() bool { return r.conns.Inbound.Load() == 1 })
		d := r.dial(p)
		for _, c := range []net.Conn{b, d} {
			_, _ = c.Write([]byte(request("OPTIONS", "x", 1, "")))
			if _, err := readMessage(bufio.NewReader(c)); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestConfigIsChecked(t *testing.T) {
	good := func() Config {
		c := DefaultConfig()
		c.Sockets = []SocketConfig{{Proto: TCP, Addr: refusing(t)}}
		return c
	}
	if _, err := New(good(), &script{}); err != nil {
		t.Fatalf("the good one: %v", err)
	}
	for name, spoil := range map[string]func(*Config){
		"no socket":       func(c *Config) { c.Sockets = nil },
		"no protocol":     func(c *Config) { c.Sockets[0].Proto = 0 },
		"no address":      func(c *Config) { c.Sockets[0].Addr = netip.AddrPort{} },
		"TLS, no domains": func(c *Config) { c.Sockets[0].Proto = TLS },
		"no queue":        func(c *Config) { c.QueueFrames = 0 },
		"no waiters":      func(c *Config) { c.Waiters = 0 },
		"no message":      func(c *Config) { c.MaxMessageSize = 0 },
		"no connection":   func(c *Config) { c.MaxConnections = 0 },
		"no lifetime":     func(c *Config) { c.Lifetime = 0 },
		"half a second":   func(c *Config) { c.Lifetime = time.Second / 2 },
	} {
		c := good()
		spoil(&c)
		if _, err := New(c, &script{}); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// Stop waits until every end is told, also of a connect that is given up, which no loop has.
func TestStopWaitsForTheLastWord(t *testing.T) {
	o := newHolder(ConnClosed)
	r := start(t, &script{}, func(c *Config) {
		hurried(c)
		c.ParkedTimeout, c.Observer = 50*time.Millisecond, o
	})
	_, _ = r.Send(&Target{Proto: TCP, Addr: blackHole(t)}, Bytes("x"))
	<-o.in
	r.Conns(func(i *ConnInfo) bool {
		t.Errorf("a connection that is over is listed: %+v", i)
		return true
	})
	stopped := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		stopped <- r.Stop(ctx)
	}()
	select {
	case err := <-stopped:
		t.Errorf("stopped (%v) while an end is being told", err)
		close(o.hold)
		return
	case <-time.After(100 * time.Millisecond):
	}
	close(o.hold)
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

// Whoever stops an engine that is stopped hears the same, and does not wait.
func TestStopTwice(t *testing.T) {
	r := start(t, &script{message: echo}, nil) // its cleanup stops a third time
	for range 2 {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		if err := r.Stop(ctx); err != nil {
			t.Error(err)
		}
		cancel()
	}
}
