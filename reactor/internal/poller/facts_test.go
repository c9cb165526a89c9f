package poller

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/panjf2000/gnet/v2"
	gneterrors "github.com/panjf2000/gnet/v2/pkg/errors"
	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/kernel"
	"sipreactor/reactor/internal/listener"
	"sipreactor/reactor/internal/standin"
)

// The facts of doc.go were seen in the version that the module uses.
func TestFactVersion(t *testing.T) {
	text, err := os.ReadFile("../../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(text, []byte("github.com/panjf2000/gnet/v2 "+Seen+"\n")) {
		t.Errorf("gnet is not %s: look through the facts, and at gosched in its source", Seen)
	}
}

// shares: each loop has its own listener.
func TestFactShares(t *testing.T) {
	r := start(t, 3)
	sets := make(map[int]int)
	for w, err := range kernel.EpollSets() {
		if err != nil {
			t.Fatal(err)
		}
		if r.listensAt(w.FD) != nil {
			sets[w.Set]++
		}
	}
	if len(sets) != 3 {
		t.Errorf("%v", sets)
	}
	for set, n := range sets {
		if n != 1 {
			t.Errorf("%d listeners in set %d", n, set)
		}
	}
}

// boots is a gnet program that looks at one moment.
type boots struct {
	gnet.BuiltinEventEngine
	boot func(g gnet.Engine)
	tick func()
}

func (b *boots) OnBoot(g gnet.Engine) gnet.Action {
	if b.boot != nil {
		b.boot(g)
	}
	return gnet.None
}

func (b *boots) OnTick() (time.Duration, gnet.Action) {
	if b.tick != nil {
		b.tick()
	}
	return time.Hour, gnet.Shutdown
}

// freePort returns an address where nobody listens.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// texts, boot, tick.
func TestFactsOfTheStart(t *testing.T) {
	at := freePort(t)
	var watched, atBoot int
	var other, same error
	loops := func(fd int) (n int) {
		addr, _ := unix.Getsockname(fd)
		for w := range kernel.EpollSets() {
			if is, _ := unix.GetsockoptInt(w.FD, unix.SOL_SOCKET, unix.SO_ACCEPTCONN); is != 0 {
				if a, err := unix.Getsockname(w.FD); err == nil && fmt.Sprint(a) == fmt.Sprint(addr) {
					n++
				}
			}
		}
		return n
	}
	var copied int
	b := &boots{boot: func(g gnet.Engine) {
		copied, same = g.DupListener("tcp", at)
		_, other = g.DupListener("tcp4", at)
		atBoot = loops(copied)
	}}
	b.tick = func() { watched = loops(copied) }
	if err := gnet.Rotate(b, []string{"tcp4://" + at}, gnet.WithNumEventLoop(2), gnet.WithReusePort(true), gnet.WithTicker(true)); err != nil {
		t.Fatal(err)
	}
	unix.Close(copied)
	if same != nil || other == nil {
		t.Errorf("texts: %v for the text, %v for another", same, other)
	}
	if atBoot != 0 {
		t.Errorf("boot: %d are watched", atBoot)
	}
	if watched != 2 {
		t.Errorf("tick: %d are watched", watched)
	}
}

// turns: the start needs each loop to get one.
func TestFactTurns(t *testing.T) {
	for _, n := range []int{1, 2, 5} {
		r := start(t, n)
		if len(r.Loops()) != n {
			t.Errorf("%d loops of %d", len(r.Loops()), n)
		}
		for i, l := range r.Loops() {
			if w := l.wakeup.Load(); w == nil || w.loop != l {
				t.Errorf("loop %d of %d has no wake-up", i, n)
			}
		}
	}
}

// number: /proc tells a loop's set, whichever of its descriptors is asked for.
func TestFactNumber(t *testing.T) {
	r := start(t, 2)
	c := r.dial()
	r.echoed(c, "x")
	r.each(func(h *echoLoop) {
		for _, s := range h.sockets {
			if set, err := kernel.EpollSetOf(s.Fd()); err != nil || set != h.on.set {
				t.Errorf("%d, %v; want %d", set, err, h.on.set)
			}
		}
	})
}

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

// connected returns the descriptor of a connection and its peer.
func connected(t *testing.T) (fd int, peer *net.TCPConn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	fd, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	a := ln.Addr().(*net.TCPAddr).AddrPort()
	if err := unix.Connect(fd, &unix.SockaddrInet4{Addr: a.Addr().As4(), Port: int(a.Port())}); err != nil {
		t.Fatal(err)
	}
	c, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(patience))
	return fd, c.(*net.TCPConn)
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
		if len(h.adopted) != 1 || h.adopted[0] != s || s.Fd() == fd && s.Loop() == nil {
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

// accept: no error that a callback returns is the one that ends a loop.
func TestFactAccept(t *testing.T) {
	for _, err := range []error{nil, gneterrors.ErrAcceptSocket, fmt.Errorf("%w", gneterrors.ErrAcceptSocket), io.EOF} {
		if errors.Is(err, gneterrors.ErrAcceptSocket) {
			t.Errorf("%v ends a loop", err)
		}
	}
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

// stop: all loops have ended, and every socket was closed.
func TestFactStop(t *testing.T) {
	before := open(t)
	r := start(t, 3)
	for range 10 {
		r.echoed(r.dial(), "x")
	}
	if err := r.Stop(); err != nil {
		t.Fatal(err)
	}
	if len(r.ends) != 10 {
		t.Errorf("%d sockets were told closed", len(r.ends))
	}
	if n := open(t); n > before+10 { // the peers' ends
		t.Errorf("%d descriptors, %d before", n, before)
	}
	select {
	case <-r.Done():
	default:
		t.Error("not done")
	}
}

// gosched: what Loop.Sleep is there for.
func TestFactGosched(t *testing.T) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/panjf2000/gnet/v2").Output()
	if err != nil {
		t.Skipf("gnet's source is not here: %v", err)
	}
	text, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(out)), "pkg/netpoll/poller_epoll_default.go"))
	if err != nil {
		t.Skipf("gnet's source is not here: %v", err)
	}
	if !bytes.Contains(text, []byte("runtime.Gosched()")) {
		t.Error("a loop sleeps without runtime.Gosched: Loop.Sleep may go")
	}
}

// The datagrams of each listener are told apart, on whatever loop they come.
func TestDatagrams(t *testing.T) {
	any4 := netip.MustParseAddrPort("127.0.0.1:0")
	r := start(t, 2, listener.Config{Addr: any4}, listener.Config{Addr: any4, Datagrams: true}, listener.Config{Addr: any4, Datagrams: true})
	for i := 1; i <= 2; i++ {
		c, err := net.Dial("udp", r.Addr(i).String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		for range 10 {
			if _, err := c.Write([]byte("x")); err != nil {
				t.Fatal(err)
			}
			if got := <-r.datagrams; got != i {
				t.Errorf("from listener %d, want %d", got, i)
			}
		}
	}
}
