package reactor

import (
	"bufio"
	"errors"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"sipreactor/tlsstate"
)

// set keeps the name Domains for the method.
type set = tlsstate.Domains

// watched makes server machines that tell who computes them.
type watched struct {
	set
	slow time.Duration // what a step takes longer

	mu          sync.Mutex
	loop, other int // steps
	prompt      int // of those on the loop, how many needed no wake-up
	held        chan struct{}
}

func (w *watched) NewServer(local, remote netip.AddrPort) (tlsstate.Machine, error) {
	m, err := w.set.NewServer(local, remote)
	if err != nil {
		return nil, err
	}
	return &watchedMachine{m, w}, nil
}

// steps gives how many steps loops and others have computed so far.
func (w *watched) steps() (loop, other int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.loop, w.other
}

type watchedMachine struct {
	tlsstate.Machine
	w *watched
}

func (m *watchedMachine) Handshake() error {
	stack := make([]byte, 16<<10)
	stack = stack[:runtime.Stack(stack, false)]
	m.w.mu.Lock()
	if strings.Contains(string(stack), "scheduler.(*Scheduler[...]).compute") {
		m.w.loop++
		if strings.Contains(string(stack), "scheduler.(*Scheduler[...]).Soon") {
			m.w.prompt++
		}
	} else {
		m.w.other++
	}
	held := m.w.held
	m.w.mu.Unlock()
	if held != nil {
		<-held
	}
	time.Sleep(m.w.slow)
	return m.Machine.Handshake()
}

// startWatched runs an engine with one loop that computes handshakes for so
// long.
func startWatched(t *testing.T, limit time.Duration, w *watched) *rig {
	t.Helper()
	return start(t, &script{message: echo}, func(c *Config) {
		w.set = c.Domains
		c.Domains, c.InlineHandshake, c.Loops, c.Handshakers = w, limit, 1, 1
		c.Inline = patience
	})
}

// talk opens a connection, has a message echoed and closes.
func (r *rig) talk() {
	r.Helper()
	c := r.dial(TLS)
	defer c.Close()
	if _, err := c.Write([]byte(request("OPTIONS", "x", 1, ""))); err != nil {
		r.Fatal(err)
	}
	if _, err := readMessage(bufio.NewReader(c)); err != nil {
		r.Fatal(err)
	}
}

// Handshakes are computed by the loop if it may, and else by a handshaker.
func TestStepsOnTheLoop(t *testing.T) {
	for _, c := range []struct {
		limit time.Duration
		loop  bool
	}{{0, false}, {patience, true}} {
		w := &watched{}
		r := startWatched(t, c.limit, w)
		for range 3 {
			r.talk()
		}
		r.eventually("the connections are gone", func() bool { return r.Connections() == 0 })
		loop, other := w.steps()
		if loop+other < 6 || (loop > 0) != c.loop || (other > 0) == c.loop {
			t.Errorf("limit %v: %d steps on the loop, %d elsewhere", c.limit, loop, other)
		}
	}
}

// A loop that has nothing to read computes a step at once. What there is to read
// comes first.
func TestStepsAtOnce(t *testing.T) {
	w := &watched{}
	r := startWatched(t, patience, w)
	c := r.raw(TCP)
	in := bufio.NewReader(c)
	l := r.onlyLoop()
	r.settled()
	for range 3 {
		r.talk()
	}
	w.mu.Lock()
	prompt := w.prompt
	w.mu.Unlock()
	if prompt == 0 {
		t.Error("each step had a wake-up")
	}
	// While the loop stands still a client says hello, and then another one, to
	// which the loop will come later, sends a message.
	hello := r.raw(TLS)
	r.eventually("it is accepted", func() bool { return r.Connections() == 2 })
	held := make(chan struct{})
	w.mu.Lock()
	w.held = held
	before := w.loop
	w.mu.Unlock()
	r.onLoop(l, func() {
		if _, err := hello.Write(clientHello(t)); err != nil {
			t.Error(err)
		}
		if _, err := c.Write([]byte(request("MESSAGE", "x", 1, ""))); err != nil {
			t.Error(err)
		}
	})
	if _, err := readMessage(in); err != nil {
		t.Fatal(err)
	}
	r.eventually("the loop computes", func() bool { loop, _ := w.steps(); return loop == before+1 })
	w.mu.Lock()
	w.held = nil
	w.mu.Unlock()
	close(held)
	if _, err := hello.Read(make([]byte, 5)); err != nil {
		t.Error("no server hello:", err)
	}
}

// What takes longer than the loop may is left to the handshakers, for many
// handshakes.
func TestStepsThatTakeLong(t *testing.T) {
	const limit = 100 * time.Microsecond
	w := &watched{slow: 20 * limit}
	r := startWatched(t, limit, w)
	for range 40 {
		r.talk()
	}
	r.eventually("the connections are gone", func() bool { return r.Connections() == 0 })
	// The average is too high with the fifth step of four times what may be, and
	// there are two kinds of steps.
	if loop, other := w.steps(); loop < 2 || loop > 12 || loop+other < 80 {
		t.Errorf("%d steps on the loop, %d elsewhere", loop, other)
	}
}

// A loop that has used its time leaves the rest of a round to the handshakers,
// and connections that die meanwhile leave nothing behind.
func TestStepsBeyondTheRound(t *testing.T) {
	for _, die := range []bool{false, true} {
		w := &watched{held: make(chan struct{})}
		r := startWatched(t, time.Nanosecond, w)
		var conns []net.Conn
		hello := clientHello(t)
		for range 24 {
			c, err := net.Dial("tcp", r.addr(TLS).String())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			conns = append(conns, c)
		}
		r.eventually("all are accepted", func() bool { return r.Connections() == len(conns) })
		for _, c := range conns {
			if _, err := c.Write(hello); err != nil {
				t.Fatal(err)
			}
		}
		r.eventually("the loop computes", func() bool { loop, _ := w.steps(); return loop == 1 })
		if die {
			for _, c := range conns {
				_ = c.(*net.TCPConn).SetLinger(0)
				c.Close()
			}
		}
		w.mu.Lock()
		close(w.held)
		w.held = nil
		w.mu.Unlock()
		if die {
			r.eventually("the connections are gone", func() bool { return r.Connections() == 0 })
			continue
		}
		for i, c := range conns {
			_ = c.SetDeadline(time.Now().Add(patience))
			if _, err := c.Read(make([]byte, 5)); err != nil {
				t.Errorf("connection %d: no server hello: %v", i, err)
			}
		}
		if loop, other := w.steps(); loop+other != len(conns) || other == 0 {
			t.Errorf("%d steps on the loop, %d elsewhere", loop, other)
		}
	}
}

// clientHello gives a client's first flight.
func clientHello(t *testing.T) []byte {
	t.Helper()
	pair, err := identity()
	if err != nil {
		t.Fatal(err)
	}
	m, err := testDomains(t, pair[0], pair[1]).NewClient(tlsstate.ClientQuery{SIPDomain: "localhost"})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Stop()
	if err := m.Handshake(); !errors.Is(err, tlsstate.ErrWantRead) {
		t.Fatal(err)
	}
	return append([]byte(nil), m.Output()...)
}
