package poller

import (
	"log/slog"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/listener"
	"sipreactor/reactor/internal/logtest"
)

const patience = 30 * time.Second

// rig is a Poller under test: it echoes what it reads and remembers the rest.
type rig struct {
	*testing.T
	*Poller
	log   logtest.Log
	addrs []netip.AddrPort

	mu        sync.Mutex
	handlers  []*echoLoop
	ticks     atomic.Int64
	datagrams chan int
	ends      chan error
	ending    chan struct{}

	came        chan cameFrom
	undelivered chan lostTo
}

// cameFrom is a datagram, lostTo one that was not delivered.
type cameFrom struct {
	from netip.AddrPort
	data string
}

type lostTo struct {
	listener int
	to       netip.AddrPort
	why      error
	quote    string
}

// echoLoop is the rig's LoopHandler.
type echoLoop struct {
	r       *rig
	on      *Loop
	sockets []*Socket
	reads   []int   // sizes
	buffers []*byte // where they were
	detach  bool    // sockets whose stream ends
	adopted []*Socket
	woken   int
	live    []bool // whether the descriptor was open when Closed was called
	onWoken func()
	attend  func(of *Loop)
}

func (r *rig) NewLoop(l *Loop) LoopHandler {
	h := &echoLoop{r: r, on: l}
	r.mu.Lock()
	r.handlers = append(r.handlers, h)
	r.mu.Unlock()
	return h
}

func (r *rig) Bound(i int, addr netip.AddrPort) {
	if i != len(r.addrs) {
		r.Errorf("listener %d is bound before %d", i, len(r.addrs))
	}
	r.addrs = append(r.addrs, addr)
}

// Addr returns what the i-th listener is bound to.
func (r *rig) Addr(i int) netip.AddrPort { return r.addrs[i] }

func (r *rig) Tick() { r.ticks.Add(1) }

// Ending has who waits in a callback return.
func (r *rig) Ending() { close(r.ending) }

func (h *echoLoop) Accept(n *Incoming) {
	if !n.Local.IsValid() {
		return
	}
	s := new(Socket)
	s.Owner = h
	n.Attach(s)
	h.sockets = append(h.sockets, s)
}

func (h *echoLoop) Adopted(s *Socket) { h.adopted = append(h.adopted, s) }

func (h *echoLoop) Read(s *Socket, in []byte) {
	h.reads, h.buffers = append(h.reads, len(in)), append(h.buffers, &in[0])
	_, _ = s.Write(in)
}

func (h *echoLoop) Closed(s *Socket, err error) {
	_, gone := unix.FcntlInt(uintptr(s.Fd()), unix.F_GETFD, 0)
	h.live = append(h.live, gone == nil)
	if h.detach && err == ErrEnd && s.Detach() {
		h.r.ends <- err
		return
	}
	h.r.ends <- err
}

func (h *echoLoop) Datagrams(in *Datagrams) {
	for in.Next() {
		for i := range in.Len() {
			from, data := in.At(i)
			h.r.datagrams <- in.Listener
			h.r.came <- cameFrom{from, string(data)}
		}
	}
}

func (h *echoLoop) Undelivered(i int, to netip.AddrPort, why error, quote []byte) {
	h.r.undelivered <- lostTo{i, to, why, string(quote)}
}

func (h *echoLoop) Said(n *Line, in []byte) { n.Got(in) }

func (h *echoLoop) Woken() {
	h.woken++
	if f := h.onWoken; f != nil {
		f()
	}
}

func (h *echoLoop) Attend(of *Loop) { h.attend(of) }

// start runs a Poller with so many loops.
func start(t *testing.T, loops int, listeners ...listener.Config) *rig {
	t.Helper()
	r := &rig{T: t, datagrams: make(chan int, 1000), came: make(chan cameFrom, 1000), undelivered: make(chan lostTo, 100), ends: make(chan error, 1000), ending: make(chan struct{})}
	if listeners == nil {
		listeners = []listener.Config{{Addr: netip.MustParseAddrPort("127.0.0.1:0")}}
	}
	r.Poller = New(Config{Loops: loops, Listeners: listeners,
		Logger: slog.New(slog.NewTextHandler(&r.log, &slog.HandlerOptions{Level: slog.LevelDebug}))}, r)
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if !r.over.Load() {
			if err := r.Stop(); err != nil {
				t.Error(err)
			}
		}
	})
	return r
}

func (r *rig) eventually(what string, f func() bool) {
	r.Helper()
	for end := time.Now().Add(patience); !f(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			r.Fatalf("never: %s\n%s", what, r.log.String())
		}
	}
}

// on runs f on a loop.
func (r *rig) on(l *Loop, f func(h *echoLoop)) {
	done := make(chan struct{})
	l.Post(func() {
		defer close(done)
		f(l.Handler().(*echoLoop))
	})
	<-done
}

// each runs f on each loop.
func (r *rig) each(f func(h *echoLoop)) {
	for _, l := range r.Loops() {
		r.on(l, f)
	}
}

func (r *rig) dial() *net.TCPConn {
	r.Helper()
	c, err := net.Dial("tcp", r.Addr(0).String())
	if err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(patience))
	return c.(*net.TCPConn)
}

// echoed sends text and reads it back.
func (r *rig) echoed(c net.Conn, text string) {
	r.Helper()
	if _, err := c.Write([]byte(text)); err != nil {
		r.Fatal(err)
	}
	got := make([]byte, len(text))
	for n := 0; n < len(got); {
		k, err := c.Read(got[n:])
		if err != nil {
			r.Fatal(err)
		}
		n += k
	}
	if string(got) != text {
		r.Fatalf("%q", got)
	}
}

// end returns what the next socket was closed with.
func (r *rig) end() error {
	select {
	case err := <-r.ends:
		return err
	case <-time.After(patience):
		r.Fatal("nothing is closed")
		return nil
	}
}

// open counts the descriptors that are open.
func open(t *testing.T) int {
	t.Helper()
	dir, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(dir)
}
