package reactor

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/kernel"
	"sipreactor/reactor/internal/loops"
	"sipreactor/reactor/internal/sendqueue"
)

// slowly relays what comes to a listener of the engine, each way with a delay.
func slowly(t *testing.T, to string, delay time.Duration) func(net.Conn) {
	pass := func(from, to net.Conn) {
		type piece struct {
			b  []byte
			at time.Time
		}
		queue := make(chan piece, 1<<12)
		go func() {
			defer close(queue)
			for {
				b := make([]byte, 16<<10)
				n, err := from.Read(b)
				if n > 0 {
					queue <- piece{b[:n], time.Now().Add(delay)}
				}
				if err != nil {
					return
				}
			}
		}()
		for p := range queue {
			time.Sleep(time.Until(p.at))
			_, _ = to.Write(p.b)
		}
		to.Close()
	}
	return func(c net.Conn) {
		d, err := net.Dial("tcp", to)
		if err != nil {
			t.Error(err)
			return
		}
		go pass(d, c)
		pass(c, d)
	}
}

// A handshake that takes longer than 32 messages comes up: the excess is refused
// meanwhile, and what waited arrives.
func TestHandshakeLongerThanTheQueue(t *testing.T) {
	inbox, s := &script{}, &script{}
	to := start(t, inbox, nil)
	from := start(t, s, hurried)
	target := &Target{Proto: TLS, Name: "localhost",
		Addr: accepting(t, slowly(t, to.addr(TLS).String(), 150*time.Millisecond))}
	sent, refused := 0, 0
	for i := 0; from.Stats().Established == 0 || i < 100; i++ {
		_, err := from.Send(target, Bytes(request("MESSAGE", fmt.Sprint(i), 1, "")))
		var e *Error
		switch {
		case err == nil:
			sent++
		case errors.As(err, &e) && e.Reason == QueueFull && e.Blame == BlameOverload:
			refused++
		default:
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond)
		if i > 10000 {
			t.Fatal("it never comes up")
		}
	}
	from.eventually("what was taken arrives", func() bool { return len(inbox.got()) == sent })
	if st := from.Stats(); st.Dials != 1 || refused == 0 || sent < 32 || st.Undelivered != 0 || st.QueueFull != uint64(refused) {
		t.Errorf("%d dials, %d sent, %d refused, %d undelivered", st.Dials, sent, refused, st.Undelivered)
	}
	if n := from.log.Count("level=WARN", "message refused", "reason=\"queue full"); n == 0 || n > refused {
		t.Errorf("the log tells of refused messages in %d lines", n)
	}
}

// A client that writes a burst of requests and reads the responses behind it gets
// all of them: there are more than the kernel takes, and than messages may wait.
func TestResponsesToABurst(t *testing.T) {
	bothProtos(t, func(t *testing.T, p Proto) {
		r := start(t, &script{}, nil)
		peer := r.dialNarrow(p)
		h := r.only()
		r.eventually("it is up", func() bool { return r.Stats().Established == 1 })
		if err := r.clog(h, 2<<10, 10000); err == nil {
			t.Fatal("the peer takes everything")
		}
		taken := r.Stats().MessagesOut
		const n = 1000
		for i := range n {
			_, _ = io.WriteString(peer, request("MESSAGE", fmt.Sprint(i), 1, ""))
		}
		c := r.conns.Table.Get(h)
		r.eventually("all have come", func() bool { return c.Owed.Theirs() == n })
		for i := range n {
			if _, err := r.Send(&Target{Conn: h, Class: Final}, Bytes("SIP/2.0 200 OK\r\nContent-Length: 300\r\n\r\n"+strings.Repeat("x", 300))); err != nil {
				t.Fatalf("response %d: %v", i, err)
			}
		}
		if _, err := r.Send(&Target{Conn: h, Class: NewRequest}, Bytes(request("MESSAGE", "new", 1, ""))); err == nil {
			t.Error("a new request is taken, too")
		}
		go func() { _, _ = io.Copy(io.Discard, peer) }()
		r.eventually("all is written", func() bool { return r.Stats().MessagesOut >= taken+n })
		if !r.Alive(h) {
			t.Errorf("closed with %v", r.seen.closes())
		}
	})
}

// A client that writes 8,000 requests and only then reads loses no response, neither
// those that come at once nor those that come late and all together.
func TestResponsesToAFlood(t *testing.T) {
	bothProtos(t, func(t *testing.T, p Proto) {
		for _, late := range []bool{false, true} {
			t.Run(fmt.Sprint("late ", late), func(t *testing.T) {
				t.Parallel()
				const n = 8000
				gate := make(chan struct{})
				response := func(w *Worker, f *Frame) {
					if _, err := w.Send(&Target{Conn: f.Src.Conn, Class: Final}, Bytes("SIP/2.0 200 OK\r\nContent-Length: 300\r\n\r\n"+strings.Repeat("x", 300))); err != nil {
						t.Error(err)
					}
				}
				var asked atomic.Int64
				r := start(t, &script{message: func(w *Worker, f *Frame) {
					if late && asked.Add(1) <= n/2 {
						w.Wait(func() { <-gate })
					}
					response(w, f)
				}}, func(c *Config) {
					// It is read again after half of it; the other half is for a busy machine to write the rest in.
					c.TLS.SendTimeout, c.TCP.SendTimeout = 10*time.Second, 10*time.Second
					c.Waiters = n
				})
				peer := r.dialNarrow(p)
				// While the peer's window is shut the kernel asks for it at ever longer intervals, of half a minute at last.
				_ = peer.SetDeadline(time.Now().Add(4 * patience))
				for i := range n {
					if _, err := peer.Write([]byte(request("MESSAGE", fmt.Sprint(i), 1, ""))); err != nil {
						t.Fatal(err)
					}
				}
				close(gate)
				in := bufio.NewReader(peer)
				for i := range n {
					if _, err := readMessage(in); err != nil {
						t.Fatalf("response %d: %v", i, err)
					}
				}
			})
		}
	})
}

// A reader that takes 1 ms for each message and gets twice as many is not
// closed: the excess is refused at once, and what was taken arrives.
func TestSlowReaderThatMakesProgress(t *testing.T) {
	bothProtos(t, func(t *testing.T, p Proto) {
		t.Parallel()
		s := &script{}
		// The kernel tells of a window as narrow as this one's when it asks for it: every 200 ms, and less often while
		// it stays shut. A busy machine adds to that.
		const most = 5 * time.Second
		r := start(t, s, func(c *Config) { c.TLS.SendTimeout, c.TCP.SendTimeout = most, most })
		peer := r.dialNarrow(p)
		h := r.only()
		var read atomic.Int64
		go func() {
			in := bufio.NewReaderSize(peer, 1<<10)
			for {
				if _, err := readMessage(in); err != nil {
					return
				}
				read.Add(1)
				time.Sleep(time.Millisecond)
			}
		}()
		sent, refused, slowest := 0, 0, time.Duration(0)
		for begun := time.Now(); time.Since(begun) < most+most/2; {
			at := time.Now()
			_, err := r.Send(&Target{Conn: h, Class: NewRequest}, Bytes(request("MESSAGE", fmt.Sprint(sent, "-", refused), 1, strings.Repeat("x", 300))))
			slowest = max(slowest, time.Since(at))
			var e *Error
			switch {
			case err == nil:
				sent++
			case errors.As(err, &e) && e.Reason == QueueFull:
				refused++
				time.Sleep(500 * time.Microsecond)
			default:
				t.Fatal(err)
			}
		}
		r.eventually("what was taken arrives", func() bool { return read.Load() == int64(sent) })
		if lost, _ := s.lost(); len(lost) != 0 || refused == 0 || !r.Alive(h) || slowest > patience/2 {
			t.Errorf("%d came back, %d refused, closed %v, slowest %v", len(lost), refused, r.seen.closes(), slowest)
		}
		if st := r.Stats(); st.Unanswered != uint64(sent) {
			t.Errorf("%d unanswered of %d", st.Unanswered, sent)
		}
	})
}

// unsent is what the kernel holds of a socket that it has not sent.
func unsent(t *testing.T, fd int) int {
	t.Helper()
	info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
	if err != nil {
		t.Fatal(err)
	}
	return int(info.Notsent_bytes)
}

// What waits, waits here: the kernel holds little that it has not sent.
func TestKernelHoldsLittle(t *testing.T) {
	bothProtos(t, func(t *testing.T, p Proto) {
		t.Parallel()
		s := &script{}
		r := start(t, s, func(c *Config) { c.TLS.MaxPostponed, c.TCP.MaxPostponed = 1<<20, 1<<20 })
		r.dialNarrow(p)
		h := r.only()
		for {
			if _, err := r.Send(&Target{Conn: h}, Bytes(make([]byte, 60<<10))); err != nil {
				break
			}
		}
		r.eventually("it is blocked", func() bool { i, _ := r.Conn(h); return i.Stuck })
		c := r.conns.Table.Get(h)
		n := -1
		c.WithFd(func(fd int) { n = unsent(t, fd) })
		if n > kernel.UnsentBytes+2*kernel.WriteBytes {
			t.Errorf("the kernel holds %d bytes unsent", n)
		}
		if i, _ := r.Conn(h); i.Queue*60<<10 > 3*sendqueue.QueueBytes {
			t.Errorf("%d wait", i.Queue)
		}
		r.Close(h)
	})
}

// An orderly end destroys nothing that the kernel has taken: a peer that reads
// late gets all of it, and then the end.
func TestOrderlyEndLingers(t *testing.T) {
	bothProtos(t, func(t *testing.T, p Proto) {
		s := &script{}
		r := start(t, s, nil)
		peer := r.dialNarrow(p)
		h := r.only()
		r.eventually("it is up", func() bool { return r.Stats().Established == 1 })
		const n = 30
		for i := range n {
			if _, err := r.Send(&Target{Conn: h}, Bytes(request("MESSAGE", fmt.Sprint(i), 1, strings.Repeat("x", 400)))); err != nil {
				t.Fatal(err)
			}
		}
		r.eventually("all is written", func() bool { return r.Stats().MessagesOut == n })
		r.Close(h)
		r.eventually("it lingers", func() bool { return r.Stats().Lingering == 1 && !r.Alive(h) })
		got, err := io.ReadAll(peer)
		if c := strings.Count(string(got), "Call-ID"); c != n || err != nil {
			t.Errorf("the peer got %d of %d, then %v", c, n, err)
		}
		peer.Close()
		r.eventually("it has ended", func() bool { return r.Stats().Lingering == 0 })
		if st := r.Stats(); st.Undelivered != 0 || st.Aborted != 0 {
			t.Errorf("%d undelivered, %d aborted", st.Undelivered, st.Aborted)
		}
	})
}

// An idle connection keeps nothing of what it wrote.
func TestIdleKeepsNothing(t *testing.T) {
	bothProtos(t, func(t *testing.T, p Proto) {
		r := start(t, &script{message: echo}, nil)
		peer := r.dial(p)
		in := bufio.NewReader(peer)
		for i := range 50 {
			m := request("MESSAGE", fmt.Sprint(i), 1, "")
			_, _ = peer.Write([]byte(m))
			if got, err := readMessage(in); got != m {
				t.Fatalf("got %q, %v", got, err)
			}
		}
		c := r.conns.Table.Get(r.only())
		r.eventually("nothing is kept", func() bool {
			var bytes int
			var listed bool
			r.onLoop(c.Loop.(*loops.Loop), func() { bytes, listed = c.Own.Unacked.Bytes(), c.Own.Listed || !c.Own.Unacked.Empty() })
			return bytes == 0 && !listed
		})
	})
}

// Requests without a final answer are counted while their connection is there,
// and when it ends.
func TestUnanswered(t *testing.T) {
	s := &script{}
	r := start(t, s, nil)
	peer := r.dial(TLS)
	in := bufio.NewReader(peer)
	h := r.only()
	for i, class := range []Class{NewRequest, LaterRequest, NewRequest, Final, Unclassed} {
		if _, err := r.Send(&Target{Conn: h, Class: class}, Bytes(request("MESSAGE", fmt.Sprint(i), 1, ""))); err != nil {
			t.Fatal(err)
		}
	}
	for range 5 {
		if _, err := readMessage(in); err != nil {
			t.Fatal(err)
		}
	}
	info := func() int { i, _ := r.Conn(h); return i.Unanswered }
	r.eventually("three are owed an answer", func() bool { return info() == 3 && r.Stats().Unanswered == 3 })
	_, _ = peer.Write([]byte("SIP/2.0 180 Ringing\r\nContent-Length: 0\r\n\r\nSIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n"))
	r.eventually("one has its answer", func() bool { return info() == 2 && r.Stats().Unanswered == 2 })
	peer.Close()
	r.eventually("two never had one", func() bool { st := r.Stats(); return st.NeverAnswered == 2 && st.Unanswered == 0 })
}

// The end of the engine waits for peers that read late, as the end of a connection does.
func TestStopWaitsForWhatLingers(t *testing.T) {
	r := start(t, &script{}, nil)
	peer := r.dialNarrow(TCP)
	h := r.only()
	const n = 100 // more than the kernel of the peer takes
	for i := range n {
		if _, err := r.Send(&Target{Conn: h}, Bytes(request("MESSAGE", fmt.Sprint(i), 1, strings.Repeat("x", 400)))); err != nil {
			t.Fatal(err)
		}
	}
	r.eventually("all is written", func() bool { return r.Stats().MessagesOut == n })
	r.Close(h)
	r.eventually("it lingers", func() bool { return r.Stats().Lingering == 1 && !r.Alive(h) })
	stopped := make(chan error, 1)
	go func() { stopped <- r.Stop(t.Context()) }()
	select {
	case err := <-stopped:
		t.Errorf("stopped (%v) while a peer has still to read", err)
		stopped <- err
	case <-time.After(200 * time.Millisecond):
	}
	got, err := io.ReadAll(peer)
	if c := strings.Count(string(got), "Call-ID"); c != n || err != nil {
		t.Errorf("the peer got %d of %d, then %v", c, n, err)
	}
	peer.Close()
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

// An engine that ends takes what peers go on sending for a moment only, and all that it has taken is worked off.
func TestStopReadsForAMoment(t *testing.T) {
	r := start(t, &script{message: func(*Worker, *Frame) { time.Sleep(2 * time.Millisecond) }}, func(c *Config) { c.Workers, c.QueueDelay = 1, 0 })
	c := r.dial(TCP)
	text := []byte(strings.Repeat(request("ACK", "x", 1, ""), 50))
	go func() {
		for {
			if _, err := c.Write(text); err != nil {
				return
			}
		}
	}()
	r.eventually("messages come", func() bool { return r.Stats().MessagesIn > 100 })
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := r.Stop(ctx); err != nil {
		t.Error(err)
	}
	var why *Error
	if _, err := r.Send(&Target{Proto: TCP, Addr: refusing(t)}, Bytes("x")); !errors.As(err, &why) || why.Reason != NoConnection {
		t.Errorf("a connection is opened behind the end: %v", err)
	}
}
