package reactor

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"sipreactor/reactor/internal/reason"
)

// bare is an engine that does not run yet.
func bare(t *testing.T, h Handler, change func(*Config)) *Engine {
	t.Helper()
	cfg := DefaultConfig()
	cfg.Sockets = []SocketConfig{{Proto: TCP, Addr: netip.MustParseAddrPort("127.0.0.1:0")}, {Proto: UDP, Addr: netip.MustParseAddrPort("127.0.0.1:0")}}
	if change != nil {
		change(&cfg)
	}
	e, err := New(cfg, h)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// within fails a test whose f does not return.
func within(t *testing.T, what string, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatalf("%s hangs", what)
	}
}

// An engine that does not run answers like one.
func TestBeforeStart(t *testing.T) {
	if _, err := New(Config{Sockets: []SocketConfig{{Proto: TCP, Addr: netip.MustParseAddrPort("127.0.0.1:0")}}}, nil); err == nil {
		t.Error("a nil Handler is taken")
	}
	e := bare(t, &script{}, nil)
	for _, p := range []Proto{TCP, UDP} {
		var why *Error
		if _, err := e.Send(&Target{Proto: p, Addr: netip.MustParseAddrPort("127.0.0.1:9")}, Bytes("x")); !errors.As(err, &why) || why.Reason != NoConnection {
			t.Errorf("%v: %v", p, err)
		}
	}
	if st := e.Stats(); st.Connections != 0 || st.Parking != 0 || st.Lingering != 0 {
		t.Errorf("%+v", st)
	}
	if e.Close(1) || e.Alive(1) || e.Connections() != 0 || len(e.Backoff()) != 0 {
		t.Error("it has connections")
	}
	within(t, "Stop", func() {
		if err := e.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
	within(t, "Start", func() {
		if err := e.Start(); !errors.Is(err, ErrStarted) {
			t.Errorf("an engine that is over starts: %v", err)
		}
	})
}

// An engine that cannot start is over.
func TestFailedStart(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	e := bare(t, &script{}, func(c *Config) { c.Sockets[0].Addr = netip.MustParseAddrPort(taken.Addr().String()) })
	within(t, "Start", func() {
		if err := e.Start(); err == nil {
			t.Error("it starts where another listens")
		}
		if err := e.Start(); !errors.Is(err, ErrStarted) {
			t.Errorf("it starts again: %v", err)
		}
	})
	within(t, "Stop", func() {
		if err := e.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
	if err := e.Start(); !errors.Is(err, ErrStarted) {
		t.Errorf("it starts again: %v", err)
	}
	_ = e.Stats()
}

// An engine whose loops cannot start leaves nothing behind: TestMain looks for goroutines.
func TestStartWithoutItsSocket(t *testing.T) {
	in := inherit(t, "tcp", "127.0.0.1:0")
	e := bare(t, &script{}, func(c *Config) {
		c.Sockets = []SocketConfig{{Proto: TCP, Addr: in.Addr, Inherited: in}}
	})
	in.File.Close() // too early: it is the owner's until Start has returned
	within(t, "Start", func() {
		if err := e.Start(); err == nil {
			t.Error("it starts without its socket")
		}
	})
}

// A Handler that does not return holds up Stop for as long as its context, and a
// moment: on a worker, and on a loop.
func TestStopWithAStuckHandler(t *testing.T) {
	onWorkersAndLoops(t, func(t *testing.T, inline time.Duration) {
		in, out := make(chan struct{}), make(chan struct{})
		e := bare(t, &script{message: func(*Worker, *Frame) { close(in); <-out }}, func(c *Config) { c.Inline = inline })
		if err := e.Start(); err != nil {
			t.Fatal(err)
		}
		c, err := net.Dial("tcp", e.Sockets()[0].Addr.String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_, _ = c.Write([]byte(request("MESSAGE", "x", 1, "")))
		<-in
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		within(t, "Stop", func() {
			if err := e.Stop(ctx); !errors.Is(err, ErrBusy) || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Stop: %v", err)
			}
		})
		close(out)
		within(t, "the rest", func() { <-e.Done() })
	})
}

// Datagrams are sent while an engine stops: none leaves by a descriptor that is
// somebody else's by then.
func TestDatagramsBesideStop(t *testing.T) {
	to := packets(t).LocalAddr().(*net.UDPAddr).AddrPort()
	for range 10 {
		e := bare(t, &script{}, nil)
		if err := e.Start(); err != nil {
			t.Fatal(err)
		}
		var senders sync.WaitGroup
		for range 4 {
			senders.Go(func() {
				for {
					var why *Error
					if _, err := e.Send(&Target{Proto: UDP, Addr: to}, Bytes("x")); errors.As(err, &why) {
						if why.Reason != Shutdown {
							t.Error(err)
						}
						return
					}
				}
			})
		}
		time.Sleep(time.Millisecond)
		if err := e.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		within(t, "sending", senders.Wait)
	}
}

// talker is a client with what it reads.
type talker struct {
	c  net.Conn
	in *bufio.Reader
}

func talk(r *rig) talker {
	c := r.dial(TCP)
	return talker{c, bufio.NewReader(c)}
}

// fragile panics over messages that say so, and answers for it.
type fragile struct {
	script
	again bool // it panics while it answers
}

func (f *fragile) Recovered(w *Worker, fr *Frame) {
	if f.again {
		panic("once more")
	}
	_, _ = w.Send(&Target{Conn: fr.Src.Conn, Class: Final}, Bytes("SIP/2.0 500 Server Internal Error\r\nContent-Length: 0\r\n\r\n"))
}

// A panic of the Handler costs one message an answer, or its connection; all others
// go on, and a line in the log has the stack.
func TestHandlerPanics(t *testing.T) {
	breaks := func(w *Worker, f *Frame) {
		if strings.Contains(string(f.Data), "Call-ID: bad") {
			panic("broken on purpose")
		}
		echo(w, f)
	}
	onWorkersAndLoops(t, func(t *testing.T, inline time.Duration) {
		for name, h := range map[string]Handler{"answers": &fragile{}, "panics again": &fragile{again: true}, "plain": &script{}} {
			t.Run(name, func(t *testing.T) {
				s, ok := h.(*script)
				if !ok {
					s = &h.(*fragile).script
				}
				s.message = breaks
				r := startWith(t, h, s, func(c *Config) { c.Inline, c.Workers = inline, 1 })
				good, bad := talk(r), talk(r)
				for i := range 5 {
					_, _ = bad.c.Write([]byte(request("MESSAGE", fmt.Sprint("bad", i), 1, "")))
					m, err := readMessage(bad.in)
					if name == "answers" && !strings.HasPrefix(m, "SIP/2.0 500") || name != "answers" && err == nil {
						t.Errorf("message %d: %q, %v", i, m, err)
					}
					if err != nil {
						bad = talk(r)
					}
					m = request("MESSAGE", fmt.Sprint("good", i), 1, "")
					_, _ = good.c.Write([]byte(m))
					if got, err := readMessage(good.in); got != m {
						t.Fatalf("the other one: %q, %v", got, err)
					}
				}
				if text := r.log.String(); !strings.Contains(text, "broken on purpose") || !strings.Contains(text, "life_test.go") || strings.Count(text, "broken on purpose") > 2 {
					t.Errorf("log: %s", text)
				}
				if n := r.Stats().Panics; n < 5 {
					t.Errorf("%d panics", n)
				}
			})
		}
	})
}

// What the connect queue had to watch once is forgotten with its connection.
func TestConnectQueueForgets(t *testing.T) {
	r := start(t, &script{}, nil)
	peer := r.dialNarrow(TCP)
	h := r.only()
	_ = r.clog(h, 20<<10, 1000)
	c := r.conns.Table.Get(h)
	r.eventually("it is watched", func() bool { return r.conns.Connects.Watched() == 1 })
	go func() {
		b := make([]byte, 64<<10)
		for {
			if _, err := peer.Read(b); err != nil {
				return
			}
		}
	}()
	r.eventually("all is written", func() bool { i, _ := r.Conn(h); return i.Queue == 0 && !i.Stuck })
	c.AskClose(reason.Because(ClosedByManagement, ""))
	r.eventually("it is gone", func() bool { return !r.Alive(h) && r.Connections() == 0 })
	r.eventually("nothing of it is left", func() bool {
		return r.conns.Connects.Watched() == 0
	})
}
