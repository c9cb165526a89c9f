package reactor

import (
	"bufio"
	"fmt"
	"strings"
	"testing"
	"time"
)

// What a message costs is measured while messages are handled, not between.
func TestPace(t *testing.T) {
	var p pace
	now := int64(0)
	for range 100 * paceOver {
		p.begin(now, 1)
		now += 5000
		p.rest(now)
		now += int64(time.Second)
	}
	if got := p.rest(now); got < 4990 || got > 5000 { // it is rounded down
		t.Errorf("%d ns a message", got)
	}
}

// Replies that are owed go before what would only make more of them, and neither
// the queue nor the low-priority queue waits for ever behind those.
func TestRepliesGoFirst(t *testing.T) {
	s := newShard(&Engine{born: time.Now()}, 0, 10000)
	busy := &conn{}
	busy.inHand.Store(lowPriorityAt + 1)
	mark := func(n int, it item) (b bag) {
		for range n {
			b = append(b, it)
		}
		return b
	}
	s.push(mark(1000, item{conn: busy}), s.bound)
	s.push(mark(1000, item{}), s.bound)
	s.push(mark(1000, item{owed: true}), s.bound)
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.fetch() {
		t.Fatal("stopped")
	}
	var got [3]int
	for s.taken.Len() > 0 {
		it, is := s.taken.Pop(), 1
		switch {
		case it.owed:
			is = 0
		case it.conn == busy:
			is = 2
		}
		for _, later := range got[is+1:] {
			if later != 0 {
				t.Fatalf("a %d behind %v", is, got)
			}
		}
		got[is]++
	}
	if want := [3]int{repliesAll, queueTurn, turn}; got != want {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestUrgent(t *testing.T) {
	for text, want := range map[string]bool{
		request("OPTIONS", "x", 1, ""):            false,
		request("CANCEL", "x", 1, ""):             true,
		request("ACK", "x", 1, ""):                true,
		"SIP/2.0 200 OK\r\nTo: <sip:b@h>\r\n\r\n": true,
		"": false,
		"BYE x SIP/2.0\r\nTo: <sip:b@h>;tag=1\r\n\r\n":              true,
		"BYE x SIP/2.0\r\nTo: \"a;tag=2>\" <sip:b@h>\r\n\r\n":       false,
		"BYE x SIP/2.0\r\nTo: <sip:b@h;tag=1>\r\n\r\n":              false,
		"BYE x SIP/2.0\r\nt: sip:b@h;x=y ; TAG = 1\r\n\r\n":         true,
		"BYE x SIP/2.0\r\nto : <sip:b@h>;tagged=1;tag=2\r\n\r\n":    true,
		"BYE x SIP/2.0\r\nVia: t:;tag=1\r\nFrom: <s>;tag=1\r\n\r\n": false,
	} {
		if got := urgent([]byte(text)); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
	data := []byte(request("INVITE", "x", 1, ""))
	if n := testing.AllocsPerRun(100, func() { urgent(data) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// slowHandler takes its time for each message, and answers overload.
type slowHandler struct{ busyHandler }

func (s *slowHandler) Message(w *Worker, f *Frame) {
	time.Sleep(time.Millisecond)
	echo(w, f)
}

// More requests than can be handled, on one connection and on many: connections
// are paused and go on, some new requests are refused, each gets an answer, and
// what belongs to a dialog is handled whatever waits.
func TestTooManyRequestsAreAnswered(t *testing.T) {
	for _, conns := range []int{1, 8} {
		t.Run(fmt.Sprint(conns), func(t *testing.T) {
			h := &slowHandler{}
			r := startWith(t, h, &h.script, func(c *Config) {
				c.Workers, c.Loops, c.QueueDelay, c.TCP.MaxPostponed = 1, 1, 5*time.Millisecond, 1<<20
			})
			const n = 4000
			var all []<-chan [3]int
			for i := range conns {
				c := r.dial(TCP)
				go func() {
					for k := range n / conns {
						m := request("OPTIONS", fmt.Sprint(i, "-", k), 1, "")
						if k%20 == 0 {
							m = strings.Replace(m, "To: <sip:b@127.0.0.1>", "To: <sip:b@127.0.0.1>;tag=2", 1)
						}
						if _, err := c.Write([]byte(m)); err != nil {
							return // the reader tells
						}
					}
				}()
				done := make(chan [3]int, 1)
				all = append(all, done)
				go func() {
					var sum [3]int // handled, refused, handled within a dialog
					in := bufio.NewReader(c)
					for range n / conns {
						m, err := readMessage(in)
						switch {
						case err != nil:
							t.Error(err)
							done <- sum
							return
						case strings.HasPrefix(m, "SIP/2.0 503"):
							sum[1]++
						case strings.Contains(m, ";tag=2"):
							sum[2]++
							fallthrough
						default:
							sum[0]++
						}
					}
					done <- sum
				}()
			}
			var sum [3]int
			for _, done := range all {
				for i, k := range <-done {
					sum[i] += k
				}
			}
			if st := r.Stats(); st.Held == 0 {
				t.Error("no connection was paused")
			}
			r.eventually("none is paused", func() bool { return r.paused.Load() == 0 })
			r.table.Each(func(c *conn) {
				if c.held.Load() {
					t.Error("a connection is not read")
				}
			})
			st := r.Stats()
			if sum[0]+sum[1] != n || sum[1] == 0 || int(st.Late) != sum[1] || sum[2] != n/20 || st.Dropped != 0 {
				t.Errorf("%d handled, %d refused, %d of %d within dialogs; late %d, overflow %d, dropped %d",
					sum[0], sum[1], sum[2], n/20, st.Late, st.Overflow, st.Dropped)
			}
		})
	}
}
