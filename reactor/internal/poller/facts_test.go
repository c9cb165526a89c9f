package poller

import (
	"bytes"
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
	"sipreactor/reactor/ports"
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
	at, err := ports.Address()
	if err != nil {
		t.Fatal(err)
	}
	return at
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

// accept: no error that a callback returns is the one that ends a loop.
func TestFactAccept(t *testing.T) {
	for _, err := range []error{nil, gneterrors.ErrAcceptSocket, fmt.Errorf("%w", gneterrors.ErrAcceptSocket), io.EOF} {
		if errors.Is(err, gneterrors.ErrAcceptSocket) {
			t.Errorf("%v ends a loop", err)
		}
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
