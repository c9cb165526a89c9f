package reactor

import (
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// hung waits until the loop of the only connection has its bell.
func (r *rig) hung() *loop {
	r.Helper()
	l := r.table.get(r.only()).loop
	r.eventually("the loop has a bell", func() bool { return l.bell.Load() != nil && r.tasks.Load() == 0 })
	return l
}

// No wake-up is lost, however many ask for one and whenever the loop just falls
// asleep.
func TestBellIsHeard(t *testing.T) {
	for _, loops := range []int{1, 2} {
		r := start(t, &script{}, func(c *Config) { c.Loops = loops })
		r.raw(TCP)
		l := r.hung()
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				for range 200 {
					before := l.rounds.Load()
					l.tick()
					r.eventually("the loop comes round", func() bool { return l.rounds.Load() != before })
				}
			})
		}
		all.Wait()
	}
}

// A wake-up allocates nothing, and what was rung before the loop looks is one.
func TestBell(t *testing.T) {
	file, nc, err := newBell()
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	b := &bell{file: file}
	if n := testing.AllocsPerRun(100, b.ring); n != 0 {
		t.Errorf("%v allocations a wake-up", n)
	}
	raw, err := nc.(syscall.Conn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if err := raw.Control(func(fd uintptr) {
		var read [64 << 10]byte
		if n, err := unix.Read(int(fd), read[:]); n != 8 || err != nil {
			t.Errorf("read %d, %v", n, err)
		}
		if n, err := unix.Read(int(fd), read[:]); !errors.Is(err, unix.EAGAIN) {
			t.Errorf("read again: %d, %v", n, err)
		}
	}); err != nil {
		t.Fatal(err)
	}
	file.Close()
	b.ring() // the engine is over: nobody hears it
}

// An engine that has ended leaves no bell open.
func TestBellsEnd(t *testing.T) {
	before := eventfds(t)
	for range 3 {
		t.Run("", func(t *testing.T) {
			r := start(t, &script{}, func(c *Config) { c.Loops = 1 })
			r.raw(TCP)
			r.hung()
		})
	}
	if n := eventfds(t); n > before {
		t.Errorf("%d event descriptors are open, %d before", n, before)
	}
}

// eventfds counts the process's event descriptors.
func eventfds(t *testing.T) (n int) {
	t.Helper()
	dir, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip(err)
	}
	for _, d := range dir {
		if to, err := os.Readlink("/proc/self/fd/" + d.Name()); err == nil && strings.Contains(to, "[eventfd]") {
			n++
		}
	}
	return n
}

// A loop without a bell is woken by gnet.
func TestLoopWithoutBell(t *testing.T) {
	r := start(t, &script{message: echo}, func(c *Config) { c.Loops = 1 })
	c := r.raw(TCP)
	l := r.hung()
	b := l.bell.Swap(nil)
	defer l.bell.Store(b)
	for i := range 20 {
		r.echoed(c, i)
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
