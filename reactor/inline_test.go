package reactor

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// onWorkersAndLoops runs a test with the Handler on workers, and on loops for as
// long as the program does.
func onWorkersAndLoops(t *testing.T, f func(t *testing.T, inline time.Duration)) {
	t.Run("workers", func(t *testing.T) { f(t, 0) })
	t.Run("loops", func(t *testing.T) { f(t, 100*time.Microsecond) })
}

// settled waits until a shard's leader sleeps, so that a loop may borrow it.
func (r *rig) settled() {
	r.Helper()
	r.eventually("the leaders sleep", func() bool {
		for _, s := range r.dispatcher.Shards {
			if !s.Asleep() {
				return false
			}
		}
		return true
	})
}

// sequence writes n messages of one Call-ID at once.
func sequence(c net.Conn, n int) error {
	var b strings.Builder
	for i := range n {
		b.WriteString(request("MESSAGE", "one", i+1, ""))
	}
	_, err := c.Write([]byte(b.String()))
	return err
}

// expectSequence reads the answers to sequence, in order.
func expectSequence(t *testing.T, in *bufio.Reader, n int) {
	t.Helper()
	for i := range n {
		m, err := readMessage(in)
		if err != nil || !strings.Contains(m, fmt.Sprintf("CSeq: %d MESSAGE", i+1)) {
			t.Fatalf("answer %d: %q, %v", i+1, m, err)
		}
	}
}

// The Handler runs on the loop, and messages of a Call-ID stay in order,
// however much of a read the loop has time for.
func TestInlineKeepsOrder(t *testing.T) {
	for _, slice := range []time.Duration{1, 20 * time.Microsecond, patience} {
		t.Run(slice.String(), func(t *testing.T) {
			bothProtos(t, func(t *testing.T, p Proto) {
				var onLoops, all atomic.Int64
				r := start(t, &script{message: func(w *Worker, f *Frame) {
					all.Add(1)
					if w.place.Hosted() {
						onLoops.Add(1)
					}
					echo(w, f)
				}}, func(c *Config) { c.Inline = slice })
				r.settled()
				c := r.dial(p)
				in := bufio.NewReader(c)
				for range 5 {
					if err := sequence(c, 100); err != nil {
						t.Fatal(err)
					}
					expectSequence(t, in, 100)
				}
				if all.Load() != 500 || onLoops.Load() == 0 {
					t.Errorf("%d messages, %d on loops", all.Load(), onLoops.Load())
				}
				if slice == patience && onLoops.Load() != 500 {
					t.Errorf("%d of 500 on loops, which had time for all", onLoops.Load())
				}
			})
		})
	}
}

// Messages that come together on many connections, to one: all of them arrive,
// whether a loop writes at once or gathers.
func TestInlineGathers(t *testing.T) {
	const clients, each = 20, 200
	var arrived atomic.Int64
	sink := start(t, &script{message: func(*Worker, *Frame) { arrived.Add(1) }}, nil)
	to := Target{Proto: TLS, Addr: sink.addr(TLS), Name: "localhost"}
	r := start(t, &script{message: func(w *Worker, f *Frame) {
		if _, err := w.Send(&to, Bytes(f.Data)); err != nil {
			t.Errorf("send: %v", err)
		}
	}}, func(c *Config) {
		c.Inline, c.Loops = patience, 2
		c.TLS.MaxPostponed = clients * each
	})
	var conns []net.Conn
	for range clients {
		conns = append(conns, r.dial(TCP))
	}
	for i := range each {
		for n, c := range conns {
			if _, err := c.Write([]byte(request("MESSAGE", fmt.Sprintf("%d-%d", n, i), 1, ""))); err != nil {
				t.Fatal(err)
			}
		}
	}
	sink.eventually("all messages arrive", func() bool { return arrived.Load() == clients*each })
}

// A Handler that waits leaves the loop: what comes behind it, on the same
// connection and in the same shard, does not wait, and the loop has a host
// again.
func TestInlineWaitLeavesTheLoop(t *testing.T) {
	hold := make(chan struct{})
	r := start(t, &script{message: func(w *Worker, f *Frame) {
		if strings.HasPrefix(string(f.Data), "INVITE") {
			w.Wait(func() { <-hold })
		}
		echo(w, f)
	}}, func(c *Config) { c.Inline, c.Workers, c.Loops = patience, 1, 1 })
	r.settled()
	c := r.dial(TLS)
	in := bufio.NewReader(c)
	for i := range 20 {
		if _, err := c.Write([]byte(request("INVITE", fmt.Sprint("waits", i), 1, "") + request("MESSAGE", fmt.Sprint(i), 1, ""))); err != nil {
			t.Fatal(err)
		}
		if m, err := readMessage(in); !strings.HasPrefix(m, "MESSAGE") {
			t.Fatalf("got %q, %v", m, err)
		}
	}
	close(hold)
	for range 20 {
		if m, err := readMessage(in); !strings.HasPrefix(m, "INVITE") {
			t.Fatalf("got %q, %v", m, err)
		}
	}
	r.eventually("all are worked off", r.dispatcher.Quiet)
	if err := sequence(c, 10); err != nil {
		t.Fatal(err)
	}
	expectSequence(t, in, 10)
}

// A sender without Async waits for connect, handshake and write, even when the
// Handler began on the loop that does all three.
func TestInlineWaitsForTheWrite(t *testing.T) {
	bothProtos(t, func(t *testing.T, p Proto) {
		sink := &script{}
		far := start(t, sink, nil)
		to := Target{Proto: p, Addr: far.addr(p), Name: "localhost"}
		r := start(t, &script{message: func(w *Worker, f *Frame) {
			o, err := w.Send(&to, Bytes(f.Data))
			_, _ = w.Send(&Target{Conn: f.Src.Conn}, Bytes(fmt.Sprintf("SIP/2.0 200 %v %v\r\nContent-Length: 0\r\n\r\n", o == Sent, err)))
		}}, func(c *Config) {
			c.Inline, c.Loops = patience, 1
			c.TLS.Async, c.TCP.Async = false, false
			c.ConnectTimeout = patience
		})
		r.settled()
		c := r.dial(p)
		in := bufio.NewReader(c)
		for range 3 {
			_, _ = c.Write([]byte(request("MESSAGE", "x", 1, "")))
			if m, err := readMessage(in); !strings.HasPrefix(m, "SIP/2.0 200 true <nil>") {
				t.Fatalf("%q, %v", m, err)
			}
		}
		far.eventually("all arrive", func() bool { return len(sink.got()) == 3 })
	})
}

// A Handler that takes more of the loop's time than it may goes back to the
// workers.
func TestInlineIsForShortHandlers(t *testing.T) {
	var onWorkers atomic.Int64
	r := start(t, &script{message: func(w *Worker, f *Frame) {
		if !w.place.Hosted() {
			onWorkers.Add(1)
		}
		time.Sleep(time.Millisecond) // it blocks, which it should not
		echo(w, f)
	}}, func(c *Config) { c.Inline = 10 * time.Microsecond })
	c := r.dial(TCP)
	in := bufio.NewReader(c)
	r.eventually("workers have it", func() bool {
		if err := sequence(c, 1); err != nil {
			t.Fatal(err)
		}
		expectSequence(t, in, 1)
		return onWorkers.Load() > 2
	})
}

// A Handler that takes far longer than it may is off the loop after the second
// message.
func TestLongHandlersLeaveTheLoop(t *testing.T) {
	var here atomic.Int32
	r := start(t, &script{message: func(w *Worker, f *Frame) {
		if w.place.Hosted() {
			here.Add(1)
		}
		for end := time.Now().Add(5 * time.Millisecond); time.Now().Before(end); {
		}
		echo(w, f)
	}}, func(c *Config) { c.Inline, c.Workers, c.Loops = 100*time.Microsecond, 1, 1 })
	c := r.dial(TCP)
	in := bufio.NewReader(c)
	for i := range 50 {
		r.settled()
		m := request("MESSAGE", fmt.Sprint(i), 1, "")
		_, _ = c.Write([]byte(m))
		if got, err := readMessage(in); got != m {
			t.Fatalf("%q, %v", got, err)
		}
	}
	if n := here.Load(); n == 0 || n > 3 {
		t.Errorf("%d of 50 ran on the loop", n)
	}
}
