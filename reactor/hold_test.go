package reactor

import (
	"bufio"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sipreactor/reactor/internal/peek"
	"sipreactor/reactor/internal/reading"
	"sipreactor/reactor/internal/workers"
)

// slot is a Handler that handles a message for each token that it gets, or all
// once tokens is closed, and notes which.
type slot struct {
	tokens chan struct{}

	mu      sync.Mutex
	handled []string // Call-IDs
}

func newSlot() *slot { return &slot{tokens: make(chan struct{})} }

func (s *slot) handle(w *Worker, f *Frame) {
	<-s.tokens
	s.mu.Lock()
	s.handled = append(s.handled, string(peek.CallID(f.Data)))
	s.mu.Unlock()
	echo(w, f)
}

func (s *slot) so() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.handled...)
}

// pour writes n messages of one Call-ID without waiting for it.
func pour(c net.Conn, n int) <-chan error {
	done := make(chan error, 1)
	go func() { done <- sequence(c, n) }()
	return done
}

// A connection with much in hand is not read, and goes on when that is worked
// off: nothing is lost, and all of it stays in order.
func TestHeldConnectionGoesOn(t *testing.T) {
	h := newSlot()
	r := start(t, &script{message: h.handle}, func(c *Config) { c.Loops, c.Workers, c.TCP.MaxPostponed = 1, 1, 1<<20 })
	c := r.raw(TCP)
	r.onlyLoop()
	const n = 3000
	poured := pour(c, n)
	r.eventually("it is held", func() bool { return r.Stats().Held == 1 })
	in := r.conns.Table.Get(r.only()).Reading.InHand()
	time.Sleep(20 * time.Millisecond) // in which more would come
	if now := r.Stats().InHand; now > in || now >= n {
		t.Errorf("%d messages are in hand, %d when it was held", now, in)
	}
	close(h.tokens)
	expectSequence(t, bufio.NewReader(c), n)
	if err := <-poured; err != nil {
		t.Fatal(err)
	}
	r.eventually("nothing is in hand", func() bool {
		c := r.conns.Table.Get(r.only())
		return c.Reading.InHand() == 0 && !c.Reading.LowPriority() && !c.Reading.Held()
	})
}

// A message of a calm connection passes the low-priority queue of one that brings much.
func TestCalmPassesTheCrowd(t *testing.T) {
	h := newSlot()
	r := start(t, &script{message: h.handle}, func(c *Config) { c.Loops, c.Workers, c.TCP.MaxPostponed = 1, 1, 1<<20 })
	busy := r.raw(TCP)
	r.onlyLoop()
	calm := r.raw(TCP)
	const n = 1000
	pour(busy, n)
	r.eventually("one is held", func() bool { return r.Stats().Held == 1 })
	before := r.Stats().InHand
	if _, err := calm.Write([]byte(request("MESSAGE", "calm", 1, ""))); err != nil {
		t.Fatal(err)
	}
	r.eventually("the calm one's message is in hand", func() bool { return r.Stats().InHand > before })
	close(h.tokens)
	expectSequence(t, bufio.NewReader(busy), n)
	if m, err := readMessage(bufio.NewReader(calm)); err != nil || !strings.Contains(m, "calm") {
		t.Fatal(m, err)
	}
	at := -1
	for i, id := range h.so() {
		if id == "calm" {
			at = i
		}
	}
	// Before it: what the leader had taken, and what came before the connection was known to be a busy one. In the
	// order of arrival it would be behind all that was in hand.
	if most := 2*workers.Turn + 2*reading.LowPriorityAt; at < 0 || at > most || before <= most {
		t.Errorf("it was number %d behind %d in hand, want it among the first %d", at, before, most)
	}
}

// That a destination is slow holds up nobody: a message whose Handler waits is
// not in hand.
func TestWaitingIsNotInHand(t *testing.T) {
	hold := make(chan struct{})
	s := &script{}
	s.message = func(w *Worker, f *Frame) {
		if strings.HasPrefix(string(f.Data), "INVITE") {
			w.Wait(func() { <-hold })
		}
		echo(w, f)
	}
	r := start(t, s, func(c *Config) { c.Loops, c.Workers, c.Waiters = 1, 1, reading.HoldAt*2 })
	c := r.raw(TCP)
	for i := range reading.HoldAt + 20 {
		if _, err := c.Write([]byte(request("INVITE", fmt.Sprint(i), 1, ""))); err != nil {
			t.Fatal(err)
		}
	}
	r.eventually("all wait", func() bool { return r.Stats().Waiting == reading.HoldAt+20 })
	if _, err := c.Write([]byte(request("MESSAGE", "passes", 1, ""))); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(c)
	if m, err := readMessage(in); err != nil || !strings.HasPrefix(m, "MESSAGE") {
		t.Fatal(m, err)
	}
	if n := r.conns.Table.Get(r.only()).Reading.InHand(); n > 1 {
		t.Errorf("%d in hand", n)
	}
	close(hold)
	for range reading.HoldAt + 20 {
		if _, err := readMessage(in); err != nil {
			t.Fatal(err)
		}
	}
}

// A message that a hold cuts in two is not late: it is we who do not read.
func TestHeldMessageIsNotLate(t *testing.T) {
	t.Parallel()
	const limit = 2 * time.Second // more than a busy machine takes to write the rest of a message
	h := newSlot()
	r := start(t, &script{message: h.handle}, func(c *Config) {
		c.Loops, c.Workers, c.TCP.MaxPostponed, c.MaxMessageTime = 1, 1, 1<<20, limit
	})
	c := r.raw(TCP)
	r.onlyLoop()
	const n = 3000
	poured := pour(c, n)
	r.eventually("it is held", func() bool { return r.Stats().Held == 1 })
	time.Sleep(3 * limit) // its time, the moment that the loop has to read the rest, and more
	close(h.tokens)
	expectSequence(t, bufio.NewReader(c), n)
	if err := <-poured; err != nil {
		t.Fatal(err)
	}
}

// A connection that is held ends like any other: by management, by its peer, by
// the engine's stop.
func TestHeldConnectionEnds(t *testing.T) {
	for _, end := range []string{"killed", "left", "reset", "stop"} {
		t.Run(end, func(t *testing.T) {
			h := newSlot()
			r := start(t, &script{message: h.handle}, func(c *Config) { c.Loops, c.Workers, c.TCP.MaxPostponed = 1, 1, 1<<20 })
			c := r.raw(TCP)
			r.onlyLoop()
			const n = 400 // more than one read brings
			if err := <-pour(c, n); err != nil {
				t.Fatal(err)
			}
			r.eventually("it is held", func() bool { return r.Stats().Held == 1 })
			switch end {
			case "killed":
				r.Close(r.only())
				r.eventually("it is gone", func() bool { return !r.alive() })
			case "left":
				_ = c.(*net.TCPConn).CloseWrite()
			case "reset":
				_ = c.(*net.TCPConn).SetLinger(0)
				c.Close()
			}
			close(h.tokens)
			if end != "stop" {
				r.eventually("it is gone", func() bool { return !r.alive() })
			}
			if end == "left" {
				r.eventually("all it said is handled", func() bool { return len(h.so()) == n })
			}
		})
	}
}

// A client that asks and does not read is not read either, long before all its questions are in; when it reads, it has
// all its answers, and is read again.
func TestSwamped(t *testing.T) {
	bothProtos(t, func(t *testing.T, p Proto) {
		const n = 8_000
		var asked atomic.Int64
		answer := Bytes("SIP/2.0 200 OK\r\nContent-Length: 300\r\n\r\n" + strings.Repeat("x", 300))
		r := start(t, &script{message: func(w *Worker, f *Frame) {
			asked.Add(1)
			if _, err := w.Send(&Target{Conn: f.Src.Conn, Class: Final}, answer); err != nil {
				t.Error(err)
			}
		}}, func(c *Config) {
			c.QueueDelay = 0
			c.TLS.SendTimeout, c.TCP.SendTimeout = 2*patience, 2*patience // half of it is longer than this takes
		})
		peer := r.dialNarrow(p)
		written := make(chan error, 1)
		go func() {
			for i := range n {
				if _, err := peer.Write([]byte(request("MESSAGE", strconv.Itoa(i), 1, ""))); err != nil {
					written <- err
					return
				}
			}
			written <- nil
		}()
		last, since := int64(0), time.Now()
		r.eventually("it is held, and nothing more comes of it", func() bool {
			if now := asked.Load(); now != last {
				last, since = now, time.Now()
			}
			return r.Stats().Held > 0 && time.Since(since) > 300*time.Millisecond
		})
		if got := asked.Load(); got > n/2 {
			t.Errorf("%d of %d questions are in, and nobody reads the answers", got, n)
		}
		in := bufio.NewReader(peer)
		for i := range n {
			_ = peer.SetReadDeadline(time.Now().Add(patience)) // its window is small: it may take long, but goes on
			if _, err := readMessage(in); err != nil {
				t.Fatalf("answer %d: %v", i, err)
			}
		}
		if err := <-written; err != nil {
			t.Error(err)
		}
	})
}
