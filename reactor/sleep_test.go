package reactor

import (
	"io"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"sipreactor/reactor/internal/connection"
	"sipreactor/reactor/internal/loops"
)

// onLoop runs f on a loop.
func (r *rig) onLoop(l *loops.Loop, f func()) {
	r.Helper()
	done := make(chan struct{})
	l.Poll.Post(func() {
		defer close(done)
		f()
	})
	<-done
}

// onlyLoop returns the loop of the only connection.
func (r *rig) onlyLoop() *loops.Loop {
	r.Helper()
	return r.conns.Table.Get(r.only()).Loop.(*loops.Loop)
}

// No wake-up is lost, however many ask for one and whenever the loop just falls
// asleep.
func TestWakeUpsAreHeard(t *testing.T) {
	for _, loops := range []int{1, 2} {
		r := start(t, &script{}, func(c *Config) { c.Loops = loops })
		r.raw(TCP)
		l := r.onlyLoop()
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				for range 200 {
					before := l.Ticks.Load()
					l.ASecond()
					r.eventually("the loop comes round", func() bool { return l.Ticks.Load() != before })
				}
			})
		}
		all.Wait()
	}
}

// echoed sends a message and reads it back.
func (r *rig) echoed(c io.ReadWriter, i int) {
	r.Helper()
	text := request("MESSAGE", "x", i, "")
	if _, err := io.WriteString(c, text); err != nil {
		r.Fatal(err)
	}
	got := make([]byte, len(text))
	if _, err := io.ReadFull(c, got); err != nil || string(got) != text {
		r.Fatalf("%q, %v", got, err)
	}
}

// With traffic that leaves pauses, the loop sleeps in its callbacks, or the first of several
// does for it, and hears all the same what comes: messages, wake-ups, connections.
func TestLoopSleeps(t *testing.T) {
	for _, n := range []int{1, 3} {
		r := start(t, &script{message: echo}, func(c *Config) { c.Loops = n })
		c := r.dial(TLS)
		for i := range 100 {
			r.echoed(c, i)
			time.Sleep(time.Millisecond) // the pause
		}
		if r.slept() == 0 {
			t.Errorf("%d loops: none ever slept", n)
		}
		for range 20 {
			other := r.dial(TLS)
			r.echoed(other, 1)
			r.echoed(c, 2)
		}
	}
}

// slept returns how often the loops slept by themselves.
func (r *rig) slept() (all uint64) {
	r.loops.Each(func(l *loops.Loop) {
		r.onLoop(l, func() {
			sleeps, _ := l.Sched.Slept()
			all += sleeps
		})
	})
	return all
}

// A loop lets the runtime have its goroutine now and then. For connections that
// come and messages that it handles by itself it need not.
func TestLoopYields(t *testing.T) {
	began := time.Now()
	r := start(t, &script{message: echo}, func(c *Config) { c.Loops, c.Inline, c.InlineHandshake = 1, patience, patience })
	c := r.dial(TLS)
	l := r.onlyLoop()
	r.settled()
	const rounds = 300
	for i := range rounds {
		r.echoed(c, i)
		if i%10 == 0 {
			r.talk()
		}
	}
	r.onLoop(l, func() {
		// The engine's start and its tick may wake somebody, and a connection's end
		// may; a yield behind each of its steps, or behind messages, would be more.
		most := uint64(time.Since(began)/(8*time.Millisecond)) + rounds/10 + 15
		if _, n := l.Sched.Slept(); n > most {
			t.Errorf("yielded %d times, %d at most for %d messages and their connections", n, most, rounds)
		}
	})
}

// A connection of ours that is enrolled while messages come is not slept upon.
func TestEnrollingWhileSleeping(t *testing.T) {
	to := start(t, &script{message: echo}, nil)
	r := start(t, &script{message: echo}, func(c *Config) { c.Loops = 1 })
	c := r.raw(TCP)
	r.onlyLoop()
	for i := range 50 {
		r.echoed(c, i)
		target := &Target{Proto: TLS, Addr: to.addr(TLS), Name: "localhost"}
		if o, err := r.Send(target, Bytes(request("MESSAGE", "x", i, ""))); err != nil {
			t.Fatal(o, err)
		}
		for _, h := range r.outbound() {
			r.Close(h)
		}
	}
	r.eventually("the loop may sleep", func() bool { return r.onLoopIs(func(l *loops.Loop) bool { return l.Poll.MaySleep() }) })
}

// onLoopIs returns what f says of the only loop there is.
func (r *rig) onLoopIs(f func(l *loops.Loop) bool) (is bool) {
	r.loops.Each(func(l *loops.Loop) { r.onLoop(l, func() { is = f(l) }) })
	return is
}

// outbound gives the connections of ours.
func (r *rig) outbound() (list []Handle) {
	r.conns.Table.Each(func(c *connection.Conn) {
		if c.Src.Outbound {
			list = append(list, c.ID)
		}
	})
	return list
}

// Datagrams wake a loop that sleeps.
func TestDatagramsWhileSleeping(t *testing.T) {
	s := &script{}
	r := start(t, s, func(c *Config) {
		c.Loops = 1
		c.Sockets = append(c.Sockets, SocketConfig{Proto: UDP, Addr: netip.MustParseAddrPort("127.0.0.1:0")})
	})
	c := r.raw(TCP)
	r.onlyLoop()
	u, err := net.Dial("udp", r.addr(UDP).String())
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	for i := range 20 {
		if _, err := u.Write([]byte(request("MESSAGE", "u", i, ""))); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Write([]byte(request("MESSAGE", "t", i, ""))); err != nil {
			t.Fatal(err)
		}
		r.eventually("both are handled", func() bool { return len(s.got()) == 2*(i+1) })
	}
}
