package reactor

import (
	"bufio"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"

	"sipreactor/reactor/internal/codec"
	"sipreactor/reactor/internal/connection"
	"sipreactor/reactor/internal/handshakes"
	"sipreactor/reactor/internal/loops"
	"sipreactor/reactor/internal/phase"
)

// faulty is a codec that panics in one of its methods, once it is told to.
type faulty struct {
	codec.Codec
	in  string
	set bool
}

func (f *faulty) fails(method string) {
	if f.set && f.in == method {
		panic("boom in " + method)
	}
}

func (f *faulty) Feed(b []byte) { f.fails("Feed"); f.Codec.Feed(b) }

func (f *faulty) Read(p []byte) (int, error) { f.fails("Read"); return f.Codec.Read(p) }

func (f *faulty) Unfinished() bool { f.fails("Unfinished"); return f.Codec.Unfinished() }

func (f *faulty) Write(p []byte) (int, error) { f.fails("Write"); return f.Codec.Write(p) }

func (f *faulty) Output() []byte { f.fails("Output"); return f.Codec.Output() }

func (f *faulty) Sent(n int) { f.fails("Sent"); f.Codec.Sent(n) }

func (f *faulty) CloseNotify() error { f.fails("CloseNotify"); return f.Codec.CloseNotify() }

func (f *faulty) Stop() {
	f.Codec.Stop()
	f.fails("Stop")
}

// TestLoopPanics: a panic of a codec or a framer ends the one connection, with one line that has the stack, and the loop
// goes on with others.
func TestLoopPanics(t *testing.T) {
	for _, method := range []string{"Feed", "Read", "Unfinished", "Write", "Output", "Sent", "CloseNotify", "Stop"} {
		t.Run(method, func(t *testing.T) {
			bothProtos(t, func(t *testing.T, p Proto) {
				r := start(t, &script{message: echo}, func(c *Config) { c.Loops = 1 })
				other := r.dial(p)
				talks := func() {
					t.Helper()
					m := request("MESSAGE", "other", 1, "x")
					_, _ = io.WriteString(other, m)
					if got, err := readMessage(bufio.NewReader(other)); got != m {
						t.Fatalf("the other connection: %q, %v", got, err)
					}
				}
				talks()
				first := r.only()
				victim := r.dial(p)
				r.eventually("it is there", func() bool { return r.conns.Table.Len() == 2 })
				r.broken(first, &faulty{in: method, set: true})
				if method == "CloseNotify" || method == "Stop" {
					r.conns.Table.Each(func(c *connection.Conn) {
						if c.ID != first {
							r.Close(c.ID)
						}
					})
				}
				_, _ = io.WriteString(victim, request("MESSAGE", "victim", 1, "x"))
				r.eventually("it has ended", func() bool { return r.conns.Table.Len() == 1 })
				talks()
				if _, err := io.ReadAll(victim); err != nil && !strings.Contains(err.Error(), "reset") {
					t.Errorf("the victim's end: %v", err)
				}
				if n := r.log.Count("boom in "+method, "loopcrash_test.go", victim.LocalAddr().String(), "event loop"); n != 1 {
					t.Errorf("%d lines tell of the panic", n)
				}
				if st := r.Stats(); st.Panics != 1 {
					t.Errorf("%d panics are counted", st.Panics)
				}
				if why := r.firstClose(); method != "CloseNotify" && method != "Stop" && why != EngineFailed {
					t.Errorf("it ended as %v", why)
				}
			})
		})
	}
}

// broken puts a codec in the place of that of the connection which is not first.
func (r *rig) broken(first Handle, f *faulty) {
	r.Helper()
	r.conns.Table.Each(func(c *connection.Conn) {
		if c.ID == first {
			return
		}
		r.eventually("it is established", func() bool { return c.Phase() == phase.Established })
		r.onLoop(c.Loop.(*loops.Loop), func() {
			f.Codec = c.Own.Codec
			c.Own.Codec = f
		})
	})
}

// TestLoopPanicsBehindMessages: what came whole before is handled, and what waits for the connection is given back once.
func TestLoopPanicsBehindMessages(t *testing.T) {
	s := &script{}
	r := startWith(t, sharding{s}, s, func(c *Config) { c.Workers = 2 })
	c := r.dial(TCP)
	whole := request("MESSAGE", "a", 1, "x")
	_, _ = io.WriteString(c, whole+answerOf("poison"))
	if why := r.firstClose(); why != EngineFailed {
		t.Errorf("it ended as %v", why)
	}
	r.eventually("the first is handled", func() bool { return len(s.got()) == 1 })
	if got := s.got(); got[0] != whole {
		t.Errorf("%q", got)
	}
	if n := r.log.Count("boom in Shard", c.LocalAddr().String()); n != 1 {
		t.Errorf("%d lines", n)
	}

	r.dial(TCP)
	at := r.connOf(phase.Established)
	r.onLoop(at.Loop.(*loops.Loop), func() { // what is sent on a loop is written when its callback is over
		at.Own.Codec = &faulty{Codec: at.Own.Codec, in: "Output", set: true}
		if _, err := r.Send(&Target{Conn: at.ID}, Bytes("waits")); err != nil {
			t.Error(err)
		}
	})
	r.eventually("it comes back", func() bool { lost, _ := s.lost(); return len(lost) > 0 })
	if lost, causes := s.lost(); len(lost) != 1 || lost[0] != "waits" || causes[0].Reason != EngineFailed {
		t.Errorf("%q, %v", lost, causes)
	}
}

// faultyShaker is a handshake that panics.
type faultyShaker struct{ codec.Shaker }

func (faultyShaker) Handshake() error { panic("boom in Handshake") }

// TestHandshakePanics: a panic of a handshake ends that, whoever computes it.
func TestHandshakePanics(t *testing.T) {
	for name, inline := range map[string]bool{"by the loop": true, "by a handshaker": false} {
		t.Run(name, func(t *testing.T) {
			r := start(t, &script{message: echo}, func(c *Config) {
				if !inline {
					c.InlineHandshake = 0
				}
			})
			raw := r.raw(TLS)
			r.eventually("it shakes hands", func() bool { return r.connOf(phase.Handshaking) != nil })
			c := r.connOf(phase.Handshaking)
			r.onLoop(c.Loop.(*loops.Loop), func() {
				c.Own.Handshake = handshakes.New(faultyShaker{c.Own.Codec.(codec.Shaker)}, patience, r.now())
			})
			_, _ = io.WriteString(raw, "\x16\x03\x01\x00\x05hello")
			if why := r.firstClose(); why != HandshakeFailed {
				t.Errorf("it ended as %v", why)
			}
			if n := r.log.Count("a handshake has panicked", "boom in Handshake", "loopcrash_test.go"); n != 1 {
				t.Errorf("%d lines", n)
			}
			m := request("MESSAGE", "x", 1, "x")
			next := r.dial(TLS)
			_, _ = io.WriteString(next, m)
			if got, err := readMessage(bufio.NewReader(next)); got != m {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}

// sharding is a Handler whose Sharder panics over a branch.
type sharding struct{ *script }

func (sharding) Shard(branch []byte) (int, bool) {
	if strings.Contains(string(branch), "poison") {
		panic("boom in Shard")
	}
	return 0, false
}

// answerOf is a response by its branch.
func answerOf(branch string) string {
	return "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP x;branch=z9hG4bK" + branch + "\r\nCall-ID: c\r\nCSeq: 1 MESSAGE\r\nContent-Length: 0\r\n\r\n"
}

// TestDatagramPanics: a panic over a datagram costs that datagram, counted, with the peer and the stack in the log.
func TestDatagramPanics(t *testing.T) {
	s := &script{}
	r := startWith(t, sharding{s}, s, func(c *Config) {
		c.Workers = 2
		c.Sockets = append(c.Sockets, SocketConfig{Proto: UDP, Addr: netip.MustParseAddrPort("127.0.0.1:0")})
	})
	peer, err := net.Dial("udp", r.addr(UDP).String())
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	for range 3 {
		_, _ = io.WriteString(peer, answerOf("poison"))
	}
	_, _ = io.WriteString(peer, answerOf("good"))
	r.eventually("the good one is handled", func() bool { return len(s.got()) == 1 })
	st := r.Stats()
	if st.Panics != 3 || st.Dropped != 3 {
		t.Errorf("%d panics, %d dropped", st.Panics, st.Dropped)
	}
	if n := r.log.Count("boom in Shard", peer.LocalAddr().String(), "loopcrash_test.go"); n != 1 {
		t.Errorf("%d lines, want one for the cause", n)
	}
}

// panicking is an Appender that panics in the middle.
type panicking struct{}

func (panicking) AppendTo(dst []byte) []byte {
	_ = append(dst, "half"...)
	panic("boom in AppendTo")
}

// TestAppenderPanics: a panic while a message is written, under locks, leaves those free and half a message nowhere.
func TestAppenderPanics(t *testing.T) {
	other := start(t, &script{message: echo}, nil)
	s := &script{}
	s.message = func(w *Worker, f *Frame) {
		to := &Target{Conn: f.Src.Conn}
		if strings.Contains(string(f.Data), "dial") {
			to = other.target(TCP, other)
		}
		if strings.Contains(string(f.Data), "poison") {
			_, _ = w.Send(to, panicking{})
		}
		_, _ = w.Send(to, Bytes(f.Data))
	}
	r := startWith(t, recovering{s}, s, nil)
	c := r.dial(TCP)
	in := bufio.NewReader(c)
	for _, poison := range []string{"poison", "dial poison", "poison", "dial poison"} {
		_, _ = io.WriteString(c, request("MESSAGE", "a", 1, poison))
		m := request("MESSAGE", "a", 2, "x")
		_, _ = io.WriteString(c, m)
		if got, err := readMessage(in); got != m {
			t.Fatalf("%s: %q, %v", poison, got, err)
		}
	}
	m := request("MESSAGE", "a", 3, "dial")
	_, _ = io.WriteString(c, m)
	r.eventually("the other engine has it", func() bool { return other.Stats().MessagesIn > 0 })
	if st := r.Stats(); st.Panics != 4 {
		t.Errorf("%d panics", st.Panics)
	}
}

// recovering is a Handler that answers for its panics, by nothing.
type recovering struct{ *script }

func (recovering) Recovered(*Worker, *Frame) {}

// panickingObserver panics at every event.
type panickingObserver struct{}

func (panickingObserver) Observe(*Event) { panic("boom in Observe") }

// TestObserverPanics: a panic of the Observer ends nothing.
func TestObserverPanics(t *testing.T) {
	r := start(t, &script{message: echo}, func(c *Config) { c.Observer = panickingObserver{} })
	bothProtos(t, func(t *testing.T, p Proto) {
		c := r.dial(p)
		m := request("MESSAGE", "x", 1, "x")
		_, _ = io.WriteString(c, m)
		if got, err := readMessage(bufio.NewReader(c)); got != m {
			t.Errorf("%q, %v", got, err)
		}
	})
}
