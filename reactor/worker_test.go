package reactor

import (
	"bufio"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"sipreactor/reactor/internal/peek"
)

// busyHandler is a Handler that is held up, and answers overload.
type busyHandler struct {
	script
	hold chan struct{}
	over sync.Map
}

func (b *busyHandler) Message(w *Worker, f *Frame) {
	<-b.hold
	echo(w, f)
}

func (b *busyHandler) Overload(w *Worker, f *Frame) {
	b.over.Store(string(peek.CallID(f.Data)), true)
	_, _ = w.Send(&Target{Conn: f.Src.Conn}, Bytes("SIP/2.0 503 Overload\r\nContent-Length: 0\r\n\r\n"))
}

// What finds no room in its shard is answered, not lost: answers, overload
// answers and counted drops add up to what came in.
func TestOverloadIsAnswered(t *testing.T) {
	b := &busyHandler{hold: make(chan struct{})}
	r := startWith(t, b, &b.script, func(c *Config) { c.QueueFrames, c.Workers = 16, 1 })
	c := r.dial(TCP)
	const n = 100
	for i := range n {
		_, _ = c.Write([]byte(request("MESSAGE", fmt.Sprint(i), 1, "")))
	}
	r.eventually("all have found room or none", func() bool { return r.dispatcher.Shards[0].Busy()+int(r.Stats().Overflow) == n })
	close(b.hold)
	r.eventually("all are worked off", r.dispatcher.Quiet)
	st := r.Stats()
	if st.Overflow == 0 {
		t.Fatal("nothing overflowed")
	}
	in := bufio.NewReader(c)
	answered, refused := 0, 0
	for range n - int(st.Dropped) {
		m, err := readMessage(in)
		if err != nil {
			t.Fatalf("after %d answers: %v", answered+refused, err)
		}
		if strings.HasPrefix(m, "SIP/2.0 503") {
			refused++
		} else {
			answered++
		}
	}
	if answered+int(st.Overflow) != n || refused+int(st.Dropped) != int(st.Overflow) {
		t.Errorf("answered %d, refused %d, dropped %d, overflow %d", answered, refused, st.Dropped, st.Overflow)
	}
}

// A worker that waits without end takes nothing from the others: followers take
// over, up to the bound, and go when they are not needed any more. Past the
// bound nobody waits: who leads does not, or all that is behind would.
func TestWaitersAreBounded(t *testing.T) {
	onWorkersAndLoops(t, testWaitersAreBounded)
}

func testWaitersAreBounded(t *testing.T, inline time.Duration) {
	hold := make(chan struct{})
	s := &script{}
	s.message = func(w *Worker, f *Frame) {
		if strings.HasPrefix(string(f.Data), "INVITE") && !w.Wait(func() { <-hold }) {
			_, _ = w.Send(&Target{Conn: f.Src.Conn}, Bytes("SIP/2.0 503 Full\r\nContent-Length: 0\r\n\r\n"))
			return
		}
		echo(w, f)
	}
	r := start(t, s, func(c *Config) {
		c.Workers, c.Waiters, c.Inline, c.InlineHandshake = 1, 4, inline, inline
	})
	c := r.dial(TCP)
	in := bufio.NewReader(c)
	expect := func(want string) {
		t.Helper()
		if m, err := readMessage(in); !strings.HasPrefix(m, want) {
			t.Fatalf("got %q, %v, want %s", m, err, want)
		}
	}
	for i := range 3 { // three wait, the fourth goroutine leads
		_, _ = c.Write([]byte(request("INVITE", fmt.Sprint(i), 1, "")))
	}
	_, _ = c.Write([]byte(request("MESSAGE", "passes", 1, "")))
	expect("MESSAGE")
	for i := range 5 {
		_, _ = c.Write([]byte(request("INVITE", fmt.Sprint("one too many", i), 1, "") + request("MESSAGE", "passes", 1, "")))
		expect("SIP/2.0 503")
		expect("MESSAGE")
	}
	if s := r.Stats(); s.Waits != 3 || s.Takeovers != 3 || s.WaitersFull != 5 || s.Waiting != 3 {
		t.Errorf("%d waits, %d takeovers, %d times full, %d wait", s.Waits, s.Takeovers, s.WaitersFull, s.Waiting)
	}
	close(hold)
	for range 3 {
		expect("INVITE")
	}
	r.eventually("followers go", r.dispatcher.Shards[0].Spare)
}
