package reactor

import (
	"bufio"
	"fmt"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor/internal/connection"
)

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
			r.eventually("none is paused", func() bool { return r.loops.Paused.Load() == 0 })
			r.conns.Table.Each(func(c *connection.Conn) {
				if c.Reading.Held() {
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
