package reactor

import (
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"sipreactor/reactor/internal/loops"
)

// The first of several loops does what there is to be done for all of them while that is
// little: the others do not even wake.
func TestFirstLoopAttends(t *testing.T) {
	r := start(t, &script{message: echo}, func(c *Config) { c.Loops, c.Inline, c.InlineHandshake = 3, patience, patience })
	r.settled()
	first := r.loops.Poll.Loops()[0].Handler().(*loops.Loop)
	slept := func(l *loops.Loop) (n uint64) {
		r.onLoop(l, func() { n, _ = l.Sched.Slept() })
		return n
	}
	const messages = 200
	for tries := 1; ; tries++ {
		c := r.dial(TLS)
		of, _ := r.loopOf(c)
		if of == first {
			continue
		}
		r.echoed(c, 1)
		time.Sleep(50 * time.Millisecond) // several times what a loop is on its own behind a connection; if that was not enough, it is tried again
		before := slept(of)
		for i := range messages {
			r.echoed(c, i)
			time.Sleep(time.Millisecond) // the pause of the load, in which a loop on its own falls asleep
		}
		woken := slept(of) - before
		if woken <= messages/2 {
			return
		}
		if tries == 10 {
			t.Fatalf("its own loop was woken %d times for %d messages", woken, messages)
		}
	}
}

// Loops come and go while peers do: nothing of it is lost.
func TestAttendedWhilePeersComeAndGo(t *testing.T) {
	for _, inline := range []time.Duration{0, patience} {
		t.Run(fmt.Sprint("inline ", inline), func(t *testing.T) {
			r := start(t, &script{message: echo}, func(c *Config) { c.Loops, c.Inline, c.InlineHandshake = 4, inline, inline })
			over := make(chan struct{})
			var all, asking sync.WaitGroup
			asking.Go(func() { // what gnet has for a loop and what wakes it come together
				for {
					select {
					case <-over:
						return
					default:
						r.loops.Each(func(l *loops.Loop) {
							l.ASecond()
							r.onLoop(l, func() {})
						})
						time.Sleep(3 * time.Millisecond) // less than a loop is on its own for, and with Each more
					}
				}
			})
			for peer := range 8 {
				all.Go(func() {
					for round := range 12 {
						c, err := net.Dial("tcp", r.addr(TCP).String())
						if err != nil {
							t.Error(err)
							return
						}
						_ = c.SetDeadline(time.Now().Add(patience))
						for i := range 1 + (peer+round)%5 {
							text := request("MESSAGE", fmt.Sprint(peer, "-", round), i, strings.Repeat("b", 100*i))
							if _, err := io.WriteString(c, text); err != nil {
								t.Error(err)
								return
							}
							got := make([]byte, len(text))
							if _, err := io.ReadFull(c, got); err != nil || string(got) != text {
								t.Errorf("%q, %v", got, err)
								return
							}
							if (peer+i)%3 == 0 {
								time.Sleep(time.Duration(round) * time.Millisecond) // from no pause to more than a loop is on its own for
							}
						}
						c.Close()
					}
				})
			}
			all.Wait()
			close(over)
			asking.Wait()
		})
	}
}
