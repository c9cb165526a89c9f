package poller

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/panjf2000/gnet/v2"
	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/standin"
	"sipreactor/reactor/internal/tcptest"
)

// read, level.
func TestFactRead(t *testing.T) {
	r := start(t, 1)
	c := r.dial()
	go func() { _, _ = c.Write(bytes.Repeat([]byte("x"), 3*ReadBytes)) }()
	if _, err := io.ReadFull(c, make([]byte, 3*ReadBytes)); err != nil {
		t.Fatal(err)
	}
	r.each(func(h *echoLoop) {
		if len(h.reads) < 3 {
			t.Errorf("%d reads", len(h.reads))
		}
		for i, n := range h.reads {
			if n > ReadBytes || h.buffers[i] != h.buffers[0] {
				t.Errorf("read %d brought %d bytes, into the same buffer: %v", i, n, h.buffers[i] == h.buffers[0])
			}
		}
	})
}

// paused.
func TestFactPaused(t *testing.T) {
	r := start(t, 1)
	c := r.dial()
	r.echoed(c, "x")
	r.each(func(h *echoLoop) { h.sockets[0].PauseReading() })
	if _, err := c.Write([]byte("y")); err != nil {
		t.Fatal(err)
	}
	_ = c.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if n, err := c.Read(make([]byte, 1)); err == nil {
		t.Fatalf("%d bytes came back", n)
	}
	r.each(func(h *echoLoop) { h.sockets[0].ResumeReading() })
	_ = c.SetReadDeadline(time.Now().Add(patience))
	if _, err := c.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
}

// connected returns the descriptor of a connection and its peer, which is patient.
func connected(t *testing.T) (fd int, peer *net.TCPConn) {
	t.Helper()
	fd, peer = tcptest.Pair(t)
	_ = peer.SetDeadline(time.Now().Add(patience))
	return fd, peer
}

// enroll: what is adopted costs one descriptor, and none when it has ended.
func TestFactEnroll(t *testing.T) {
	r := start(t, 1)
	fd, peer := connected(t)
	before := open(t)
	s := new(Socket)
	s.Hold(fd)
	r.Adopt(s, func(err error) { t.Error(err) })
	r.eventually("it is adopted", func() bool { return r.handing.Load() == 0 })
	if n := open(t); n != before {
		t.Errorf("%d descriptors, %d before", n, before)
	}
	r.echoed(peer, "hello")
	r.each(func(h *echoLoop) {
		if len(h.adopted) != 1 || h.adopted[0] != s || s.Fd() == fd && s.loop == nil {
			t.Errorf("%v", h.adopted)
		}
		s.Close()
	})
	if err := r.end(); err != nil {
		t.Errorf("closed with %v", err)
	}
	if n := open(t); n != before-1 {
		t.Errorf("%d descriptors, want %d", n, before-1)
	}
}

// unwatched: a file that no set watches is told as a success, and never opened.
func TestFactUnwatched(t *testing.T) {
	r := start(t, 1)
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	nc, err := standin.For(int(f.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	opened, err := r.Loops()[0].el.Enroll(gnet.NewContext(context.Background(), new(Socket)), nc)
	if err != nil {
		t.Fatal(err)
	}
	if res := <-opened; res.Err != nil {
		t.Errorf("gnet tells it now: %v", res.Err)
	}
	r.each(func(h *echoLoop) {
		if len(h.adopted) != 0 {
			t.Error("it was opened")
		}
	})
}

// stranger: every loop has an eventfd in the place of a socket.
func TestFactStranger(t *testing.T) {
	r := start(t, 1)
	r.Loops()[0].Wake()
	r.eventually("the loop has heard", func() bool {
		n := 0
		r.each(func(h *echoLoop) { n = h.woken })
		return n > 0
	})
	file, _ := os.Open("/dev/null")
	defer file.Close()
	type stranger struct{ net.Conn }
	a, b := net.Pipe()
	defer b.Close()
	opened, err := r.Loops()[0].el.Enroll(gnet.NewContext(context.Background(), new(Socket)), stranger{a})
	if err != nil {
		t.Fatal(err)
	}
	if res := <-opened; res.Err == nil {
		t.Error("gnet enrolls any net.Conn now")
	}
}

// end, before.
func TestFactEnd(t *testing.T) {
	r := start(t, 1)
	for name, c := range map[string]struct {
		end  func(c *net.TCPConn)
		want []error
	}{
		"the stream's end": {func(c *net.TCPConn) { _ = c.CloseWrite() }, []error{ErrEnd}},
		"a reset":          {func(c *net.TCPConn) { _ = c.SetLinger(0); c.Close() }, []error{ErrBroken, unix.ECONNRESET}},
	} {
		conn := r.dial()
		r.echoed(conn, "x")
		c.end(conn)
		got, ok := r.end(), false
		for _, w := range c.want {
			ok = ok || errors.Is(got, w)
		}
		if !ok {
			t.Errorf("%s: %v", name, got)
		}
	}
	r.each(func(h *echoLoop) {
		for _, live := range h.live {
			if !live {
				t.Error("before: a descriptor was closed when Closed was called")
			}
		}
	})
}

// line, and accept once more: in a process of its own accept fails, and goes on.
func TestFactLine(t *testing.T) {
	const key = "POLLER_WITHOUT_DESCRIPTORS"
	if os.Getenv(key) == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestFactLine$", "-test.timeout=60s")
		cmd.Env = append(os.Environ(), key+"=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	r := start(t, 2)
	old := r.dial()
	r.echoed(old, "x")
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	var full []int
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	low := limit
	low.Cur = uint64(open(t) + 20)
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &low); err != nil {
		t.Fatal(err)
	}
	for {
		n, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			break
		}
		full = append(full, n)
	}
	a := r.Addr(0)
	if err := unix.Connect(fd, &unix.SockaddrInet4{Addr: a.Addr().As4(), Port: int(a.Port())}); err != nil {
		t.Fatal(err)
	}
	r.eventually("accept fails", func() bool { return r.AcceptFailed() > 0 })
	r.eventually("who waits is turned away", func() bool { return r.TurnedAway() > 0 })
	r.echoed(old, "still there")
	for _, n := range full {
		unix.Close(n)
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	r.echoed(r.dial(), "again")
	if !strings.Contains(r.log.String(), "connections cannot be accepted") {
		t.Error("it is not told")
	}
}
