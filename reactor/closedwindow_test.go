package reactor

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor/internal/flow"
	"sipreactor/reactor/internal/loops"
)

// A peer whose window is closed is alive: the clock of what is unacknowledged
// leaves it alone.
func TestClosedWindowIsNoDeath(t *testing.T) {
	s := &script{}
	r := start(t, s, func(c *Config) { c.UserTimeout = time.Second })
	peer := r.dialNarrow(TCP)
	h := r.only()
	_ = r.clog(h, 20<<10, 1000)
	time.Sleep(3 * time.Second) // by the kernel's clock: three times what ends a peer that is dead
	if !r.Alive(h) {
		t.Fatalf("closed with %v", r.seen.closes())
	}
	go func() { _, _ = io.Copy(io.Discard, peer) }()
	r.eventually("all is taken", func() bool { i, _ := r.Conn(h); return i.Queue == 0 })
	if st := r.Stats(); st.Undelivered != 0 {
		t.Errorf("%d undelivered", st.Undelivered)
	}
}

// A reader that has stopped for the send timeout loses its connection, and who asked hears of it, also where the
// kernel has taken all there is and nothing waits here.
func TestReaderThatStopsBehindLittle(t *testing.T) {
	bothProtos(t, func(t *testing.T, p Proto) {
		t.Parallel()
		s := &script{}
		r := start(t, s, func(c *Config) { c.TLS.SendTimeout, c.TCP.SendTimeout = 100*time.Millisecond, 100*time.Millisecond })
		r.dialNarrow(p)
		h := r.only()
		r.eventually("it is up", func() bool { return r.Stats().Established == 1 })
		const n = 80
		for i := range n {
			if _, err := r.Send(&Target{Conn: h, Class: NewRequest}, Bytes(request("MESSAGE", fmt.Sprint(i), 1, strings.Repeat("x", 400)))); err != nil {
				t.Fatal(err)
			}
			r.eventually("the kernel takes it", func() bool { return r.Stats().MessagesOut == uint64(i+1) })
		}
		r.eventually("it is given up", func() bool { return !r.Alive(h) })
		r.eventually("what was not taken comes back", func() bool {
			lost, _ := s.lost()
			return strings.Contains(strings.Join(lost, ""), fmt.Sprintf("Call-ID: %d\r", n-1))
		})
		if lost, causes := s.lost(); causes[0].Reason != SendTimeout {
			t.Errorf("%d came back, by %v", len(lost), causes[0])
		}
	})
}

// Responses that a client reads late are nobody's loss: they may wait with the kernel.
func TestResponsesStayWithTheKernel(t *testing.T) {
	r := start(t, &script{}, func(c *Config) { c.TCP.SendTimeout = 100 * time.Millisecond })
	peer := r.dialNarrow(TCP)
	h := r.only()
	const n = 80
	for i := range n {
		if _, err := r.Send(&Target{Conn: h, Class: Final}, Bytes("SIP/2.0 200 OK\r\nContent-Length: 400\r\n\r\n"+strings.Repeat("x", 400))); err != nil {
			t.Fatal(err)
		}
		r.eventually("the kernel takes it", func() bool { return r.Stats().MessagesOut == uint64(i+1) })
	}
	c := r.conns.Table.Get(h)
	var shut time.Duration
	r.eventually("it is seen to wait", func() bool {
		r.onLoop(c.Loop.(*loops.Loop), func() { shut = c.Own.Stall.ShutFor(r.now()) })
		return shut > 2*flow.ShutLeast
	})
	in := bufio.NewReader(peer)
	for i := range n {
		if _, err := readMessage(in); err != nil {
			t.Fatalf("response %d: %v", i, err)
		}
	}
}
