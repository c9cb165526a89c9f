package reactor

import (
	"io"
	"net/netip"
	"os"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/kernel"
)

// allLoops runs a test with one loop, with several, and with several and
// datagrams.
func allLoops(t *testing.T, f func(t *testing.T, change func(*Config))) {
	t.Run("one loop", func(t *testing.T) { f(t, func(c *Config) { c.Loops = 1 }) })
	t.Run("several loops", func(t *testing.T) { f(t, func(c *Config) { c.Loops = 3 }) })
	t.Run("several loops and datagrams", func(t *testing.T) {
		f(t, func(c *Config) {
			c.Loops = 3
			c.Sockets = append(c.Sockets, SocketConfig{Proto: UDP, Addr: netip.MustParseAddrPort("127.0.0.1:0")})
		})
	})
}

// Without a descriptor for one more connection, those that are there are served,
// new ones are turned away at once, and all is well as soon as there are some.
func TestNoDescriptorToAcceptWith(t *testing.T) {
	allLoops(t, func(t *testing.T, change func(*Config)) {
		r := start(t, &script{message: echo}, func(c *Config) {
			change(c)
			c.maxOpen = 1 << 20 // accept is to fail, not our own bound
		})
		old := r.dial(TLS)
		var waiting []int
		for range 20 {
			fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer unix.Close(fd)
			waiting = append(waiting, fd)
		}
		restore := noDescriptors(t)
		for _, fd := range waiting {
			if err := unix.Connect(fd, kernel.Sockaddr(r.addr(TCP))); err != nil {
				t.Fatal(err)
			}
		}
		// Each is told, by our end or a reset, but for those whose accept was faster to take what was given up for that.
		taken := func() int64 { return int64(r.Connections()) - 1 }
		told := func() (n int64) {
			for _, fd := range waiting {
				k, _ := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
				n += int64(k)
			}
			return n
		}
		r.eventually("no peer is left to wait", func() bool { return told()+taken() >= 20 })
		m := request("MESSAGE", "x", 1, "")
		_, _ = io.WriteString(old, m)
		got := make([]byte, len(m))
		if _, err := io.ReadFull(old, got); err != nil || string(got) != m {
			t.Errorf("an established connection gets %q, %v", got, err)
		}
		s := r.Stats()
		if refused := int64(s.RefusedFor[RefusedDescriptors]); s.AcceptFailed == 0 || refused == 0 || refused+taken() != 20 {
			t.Errorf("%d accepts failed, %d connections are refused", s.AcceptFailed, s.RefusedFor[RefusedDescriptors])
		}
		restore()
		c := r.dial(TCP)
		_, _ = io.WriteString(c, m)
		if _, err := io.ReadFull(c, got); err != nil {
			t.Errorf("afterwards: %v", err)
		}
		if n := r.log.Count("connections cannot be accepted"); n != 1 {
			t.Errorf("it is told %d times", n)
		}
	})
}

// noDescriptors leaves the process no descriptor to open, until the function it
// returns is called.
func noDescriptors(t *testing.T) (restore func()) {
	t.Helper()
	dir, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	used := make(map[int]bool)
	highest := 0
	for _, d := range dir {
		n, _ := strconv.Atoi(d.Name())
		used[n] = true
		highest = max(highest, n)
	}
	var fill []int // the holes below
	for {
		fd, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		if fill = append(fill, fd); fd > highest {
			break
		}
	}
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	low := limit
	low.Cur = uint64(fill[len(fill)-1] + 1)
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &low); err != nil {
		t.Fatal(err)
	}
	done := false
	restore = func() {
		if done {
			return
		}
		done = true
		_ = unix.Setrlimit(unix.RLIMIT_NOFILE, &limit)
		for _, fd := range fill {
			unix.Close(fd)
		}
	}
	t.Cleanup(restore)
	return restore
}
