package reactor

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"sipreactor/reactor/internal/peek"
)

// A message that awaits something is off its shard, and goes on where it left: what comes
// behind it does not wait. On a loop no goroutine waits.
func TestAwait(t *testing.T) {
	onWorkersAndLoops(t, func(t *testing.T, inline time.Duration) {
		var mu sync.Mutex
		var waiting []func()
		r := start(t, &script{message: func(w *Worker, f *Frame) {
			if strings.HasPrefix(string(f.Data), "INVITE") {
				for range 2 {
					if !w.Await(func(_ int, resume func()) {
						mu.Lock()
						defer mu.Unlock()
						waiting = append(waiting, resume)
					}) {
						t.Error("it may not wait")
					}
				}
			}
			echo(w, f)
		}}, func(c *Config) {
			c.Workers, c.Loops, c.Inline = 1, 1, inline
			if inline > 0 {
				c.Inline = patience
			}
		})
		r.settled()
		c := r.dial(TLS)
		in := bufio.NewReader(c)
		const n = 20
		for i := range n {
			if _, err := c.Write([]byte(request("INVITE", fmt.Sprint("waits", i), 1, "") + request("MESSAGE", fmt.Sprint(i), 1, ""))); err != nil {
				t.Fatal(err)
			}
			if m, err := readMessage(in); !strings.HasPrefix(m, "MESSAGE") {
				t.Fatalf("got %q, %v", m, err)
			}
		}
		for round := range 2 {
			var all []func()
			r.eventually("all wait", func() bool {
				mu.Lock()
				defer mu.Unlock()
				if len(waiting) < n {
					return false
				}
				all, waiting = waiting, nil
				return true
			})
			if waits := r.dispatcher.Shards[0].Waiting(); waits != n {
				t.Errorf("round %d: %d wait", round, waits)
			}
			for _, resume := range all {
				resume()
			}
		}
		for range n {
			if m, err := readMessage(in); !strings.HasPrefix(m, "INVITE") {
				t.Fatalf("got %q, %v", m, err)
			}
		}
		r.eventually("all are worked off", r.dispatcher.Quiet)
		r.eventually("nobody waits", func() bool { return r.dispatcher.Shards[0].Waiting() == 0 })
		r.settled()
		if err := sequence(c, 10); err != nil {
			t.Fatal(err)
		}
		expectSequence(t, in, 10)
	})
}

// What is resumed before it waits does not wait, and a wait that blocks may follow one that
// does not: it leaves the loop.
func TestAwaitThenWait(t *testing.T) {
	hold := make(chan struct{})
	r := start(t, &script{message: func(w *Worker, f *Frame) {
		if strings.HasPrefix(string(f.Data), "INVITE") {
			w.Await(func(_ int, resume func()) { resume() })
			w.Await(func(_ int, resume func()) { time.AfterFunc(time.Millisecond, resume) })
			w.Wait(func() { <-hold })
			w.Await(func(loop int, resume func()) {
				if loop != -1 {
					t.Errorf("it is on loop %d", loop)
				}
				resume()
			})
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
	r.eventually("nobody waits", func() bool { return r.dispatcher.Shards[0].Waiting() == 0 })
}

// No more wait than may, and who may not is told before anything begins.
func TestAwaitIsBounded(t *testing.T) {
	var mu sync.Mutex
	var waiting []func()
	r := start(t, &script{message: func(w *Worker, f *Frame) {
		if !w.Await(func(_ int, resume func()) {
			mu.Lock()
			defer mu.Unlock()
			waiting = append(waiting, resume)
		}) {
			echo(w, f)
		}
	}}, func(c *Config) { c.Inline, c.Workers, c.Loops, c.Waiters = patience, 1, 1, 3 })
	r.settled()
	c := r.dial(TCP)
	if err := sequence(c, 5); err != nil {
		t.Fatal(err)
	}
	if _, err := readMessage(bufio.NewReader(c)); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	for _, resume := range waiting {
		resume()
	}
	if n := len(waiting); n == 0 || n > 3 {
		t.Errorf("%d wait", n)
	}
}

// A message that is resumed behind the end of the loops goes on all the same, and Stop waits
// for it.
func TestAwaitBehindTheEnd(t *testing.T) {
	wait, done := make(chan func(), 1), make(chan struct{})
	e := bare(t, &script{message: func(w *Worker, _ *Frame) {
		w.Await(func(_ int, resume func()) { wait <- resume })
		close(done)
	}}, func(c *Config) { c.Inline, c.Workers, c.Loops = patience, 1, 1 })
	if err := e.Start(); err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp", e.Sockets()[0].Addr.String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, _ = c.Write([]byte(request("MESSAGE", "x", 1, "")))
	resume := <-wait
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	go func() {
		<-e.Done()
		resume()
	}()
	within(t, "Stop", func() {
		if err := e.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Stop: %v", err)
		}
	})
	within(t, "the message", func() { <-done })
}

// A line's answers meet the message that waits for them, on its loop.
func TestLineAnswers(t *testing.T) {
	peer, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	go func() {
		b := make([]byte, 100)
		for {
			n, from, err := peer.ReadFrom(b)
			if err != nil {
				return
			}
			_, _ = peer.WriteTo(b[:n], from)
		}
	}()
	var mu sync.Mutex
	waiting := map[string]func(){}
	lines := map[int]*Line{}
	r := start(t, &script{message: func(w *Worker, f *Frame) {
		id := string(peek.CallID(f.Data))
		w.Await(func(loop int, resume func()) {
			mu.Lock()
			waiting[id] = resume
			line := lines[loop]
			mu.Unlock()
			if line == nil {
				t.Errorf("no line for loop %d", loop)
				return
			}
			if err := line.Send([]byte(id)); err != nil {
				t.Error(err)
			}
		})
		echo(w, f)
	}}, func(c *Config) { c.Inline, c.Loops = patience, 2 })
	for i := range 2 {
		conn, err := net.DialUDP("udp4", nil, peer.LocalAddr().(*net.UDPAddr))
		if err != nil {
			t.Fatal(err)
		}
		line, err := r.OpenLine(i, conn, func(b []byte) {
			mu.Lock()
			resume := waiting[string(b)]
			mu.Unlock()
			resume()
		}, func(error) {})
		if err != nil {
			t.Fatal(err)
		}
		mu.Lock()
		lines[i] = line
		mu.Unlock()
	}
	r.settled()
	for range 4 {
		c := r.dial(TCP)
		in := bufio.NewReader(c)
		for i := range 50 {
			r.settled() // else a worker has it, which is on no loop
			m := request("MESSAGE", fmt.Sprint(c.LocalAddr(), i), 1, "")
			_, _ = c.Write([]byte(m))
			if got, err := readMessage(in); got != m {
				t.Fatalf("%q, %v", got, err)
			}
		}
	}
}

// A socket that no loop takes is nobody's: it is closed, as it would be by one that does.
func TestLineOfNoLoop(t *testing.T) {
	r := start(t, &script{}, nil)
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(refusing(t)))
	if err != nil {
		t.Fatal(err)
	}
	if l, err := r.OpenLine(1000, conn, nil, nil); l != nil || !errors.Is(err, errNoLoop) {
		t.Errorf("%v, %v", l, err)
	}
	if _, err := conn.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("it is open: %v", err)
	}
}
