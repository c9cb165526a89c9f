package poller

import (
	"errors"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/standin"
)

// A wake-up allocates nothing, and what was signalled before the loop looks is one.
func TestWakeup(t *testing.T) {
	file, nc, err := standin.Signal()
	if err != nil {
		t.Fatal(err)
	}
	w := &wakeup{file: file}
	defer nc.Close()
	if n := testing.AllocsPerRun(100, w.signal); n != 0 {
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
	w.file.Close()
	w.signal() // nobody gets it
}

// A Poller that has ended leaves no wake-up open.
func TestWakeupsEnd(t *testing.T) {
	before := eventfds(t)
	for range 3 {
		r := start(t, 2)
		if err := r.Stop(); err != nil {
			t.Error(err)
		}
		r.Loops()[0].Wake() // nobody gets it
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

// With one processor, who yields comes behind what waits for it.
func TestYield(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var ran atomic.Bool
	go ran.Store(true)
	for range 1000 {
		if Yield(); ran.Load() {
			return
		}
	}
	t.Error("the other goroutine did not run")
}

// A loop's sleep ends with what comes, and else with its time.
func TestSleep(t *testing.T) {
	r := start(t, 1)
	c := r.dial()
	r.echoed(c, "x")
	r.each(func(h *echoLoop) {
		if !h.on.Idle() || h.on.Sleep(5*time.Millisecond) != 0 {
			t.Error("somebody is at the door")
		}
		h.on.Wake()
		if began := time.Now(); h.on.Idle() || h.on.Sleep(patience) != Own || time.Since(began) > patience/2 {
			t.Error("it slept on with somebody at the door")
		}
	})
}
