package reactor

import (
	"context"
	"net"
	"net/netip"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/panjf2000/gnet/v2"
	"golang.org/x/sys/unix"
)

// onLoop runs f on a loop.
func (r *rig) onLoop(l *loop, f func()) {
	r.Helper()
	done := make(chan struct{})
	if err := l.el.Execute(context.Background(), gnet.RunnableFunc(func(context.Context) error {
		defer close(done)
		f()
		return nil
	})); err != nil {
		r.Fatal(err)
	}
	<-done
}

// With traffic that leaves pauses, the loop sleeps in its callbacks, and hears
// all the same what comes: messages, wake-ups, connections.
func TestLoopSleeps(t *testing.T) {
	r := start(t, &script{message: echo}, func(c *Config) { c.Loops = 1 })
	c := r.dial(TLS)
	l := r.hung()
	for i := range 100 {
		r.echoed(c, i)
		time.Sleep(time.Millisecond) // the pause
	}
	r.onLoop(l, func() {
		if !l.awaiting.here || l.awaiting.sleeps == 0 {
			t.Errorf("%+v: it never slept", l.awaiting)
		}
	})
	for range 20 {
		other := r.dial(TLS)
		r.echoed(other, 1)
		r.echoed(c, 2)
	}
}

// A loop lets the runtime have its goroutine now and then. For connections that
// come and messages that it handles by itself it need not.
func TestLoopYields(t *testing.T) {
	began := time.Now()
	r := start(t, &script{message: echo}, func(c *Config) { c.Loops, c.Inline, c.InlineHandshake = 1, patience, patience })
	c := r.dial(TLS)
	l := r.hung()
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
		most := uint64(time.Since(began)/sleepTime) + rounds/10 + 15
		if n := l.awaiting.yields; n > most {
			t.Errorf("yielded %d times, %d at most for %d messages and their connections", n, most, rounds)
		}
	})
}

// With one processor, who yields comes behind what waits for it.
func TestYield(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var ran atomic.Bool
	go ran.Store(true)
	for range 1000 {
		if yield(); ran.Load() {
			return
		}
	}
	t.Error("the other goroutine did not run")
}

// Several loops that gnet gives their connections leave their waits to it: it
// may have another one for them.
func TestLoopsBehindAReactorDoNotSleep(t *testing.T) {
	r := start(t, &script{message: echo}, func(c *Config) { c.Loops = 2 })
	c := r.raw(TCP)
	l := r.hung()
	for i := range 50 {
		r.echoed(c, i)
		time.Sleep(time.Millisecond) // the pause
	}
	r.onLoop(l, func() {
		if l.awaiting.here || l.awaiting.sleeps != 0 {
			t.Errorf("slept %d times", l.awaiting.sleeps)
		}
	})
}

// A connection of ours that is enrolled while messages come is not slept upon.
func TestEnrollingWhileSleeping(t *testing.T) {
	to := start(t, &script{message: echo}, nil)
	r := start(t, &script{message: echo}, func(c *Config) { c.Loops = 1 })
	c := r.raw(TCP)
	r.hung()
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
	r.eventually("gnet has nothing to do", func() bool { return r.tasks.Load() == 0 })
}

// outbound gives the connections of ours.
func (r *rig) outbound() (list []Handle) {
	r.table.each(func(c *conn) {
		if c.src.Outbound {
			list = append(list, c.id)
		}
	})
	return list
}

func TestWatcher(t *testing.T) {
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if set, err := watcher(fd); err == nil {
		t.Fatalf("%d watches what nobody does", set)
	}
	for range 3 {
		set, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(set)
	}
	set, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(set)
	if err := unix.EpollCtl(set, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)}); err != nil {
		t.Fatal(err)
	}
	if found, err := watcher(fd); err != nil || found != set {
		t.Errorf("%d, %v; want %d", found, err, set)
	}
}

func TestListsOfEpoll(t *testing.T) {
	const info = "pos:\t0\nflags:\t02000002\nmnt_id:\t16\nino:\t1059\n" +
		"tfd:       12 events:       19 data:                c  pos:0 ino:423 sdev:10\n" +
		"tfd:      120 events: 80000019 data: ffffffff00000078  pos:0 ino:423 sdev:10\n"
	for fd, want := range map[int]bool{12: true, 120: false, 1: false, 2: false, 19: false, 0: false} {
		if lists(info, fd) != want {
			t.Errorf("%d: %v", fd, !want)
		}
	}
	if lists("", 0) || lists("tfd:\n", 0) {
		t.Error("found in nothing")
	}
}

// Datagrams wake a loop that sleeps.
func TestDatagramsWhileSleeping(t *testing.T) {
	s := &script{}
	r := start(t, s, func(c *Config) {
		c.Loops = 1
		c.Sockets = append(c.Sockets, SocketConfig{Proto: UDP, Addr: netip.MustParseAddrPort("127.0.0.1:0")})
	})
	c := r.raw(TCP)
	r.hung()
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
