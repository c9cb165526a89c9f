package reactor

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sipreactor/reactor/internal/connection"
	"sipreactor/reactor/internal/deadlines"
	"sipreactor/reactor/internal/flow"
	"sipreactor/reactor/internal/kernel"
	"sipreactor/reactor/internal/loops"
	"sipreactor/reactor/internal/phase"
	"sipreactor/tlsstate/tlstest"
)

// A test for each fault that was put into the engine and that no test noticed; see
// bench/mutants.

// connOf returns the only connection, once it is in a phase. One before it may not have left the table
// when its end was told.
func (r *rig) connOf(p phase.Phase) (c *connection.Conn) {
	r.Helper()
	r.eventually("the only connection is "+p.String(), func() bool {
		n := 0
		r.conns.Table.Each(func(one *connection.Conn) { n++; c = one })
		return n == 1 && c.Phase() == p
	})
	return c
}

// A peer that sends its handshake a byte at a time has no more time for it than one
// that says nothing.
func TestHandshakeBudgetIsForAllFlights(t *testing.T) {
	r := start(t, &script{}, func(c *Config) { c.TLS.HandshakeTimeout = 500 * time.Millisecond })
	ours, theirs := net.Pipe()
	go func() { _ = tls.Client(ours, &tls.Config{InsecureSkipVerify: true}).Handshake() }() //nolint:gosec // only its first bytes count
	hello := make([]byte, 200)
	if _, err := io.ReadFull(theirs, hello); err != nil {
		t.Fatal(err)
	}
	theirs.Close()
	c := r.raw(TLS)
	began := time.Now()
	for i := 0; len(r.seen.closes()) == 0 && i < len(hello); i++ {
		_, _ = c.Write(hello[i : i+1])
		time.Sleep(100 * time.Millisecond)
	}
	if reason, took := r.firstClose(), time.Since(began); reason != HandshakeTimeout || took > 10*time.Second {
		t.Errorf("closed with %v after %v", reason, took)
	}
}

// An overdue message gets a moment once, if more of it is in the kernel.
func TestOverdueMessageGetsOneMoment(t *testing.T) {
	r := start(t, &script{}, nil)
	peer := r.dial(TCP)
	c := r.connOf(phase.Established)
	r.onLoop(c.Loop.(*loops.Loop), func() { c.Own.Sock.PauseReading() })
	_, _ = peer.Write([]byte("OPTIONS sip:"))
	r.eventually("it is in the kernel", func() bool { return kernel.Unread(c.Own.Sock.Fd()) > 0 })
	r.onLoop(c.Loop.(*loops.Loop), func() {
		now := r.now()
		if !c.Loop.(*loops.Loop).Behind(c, now) || c.Own.Waits.Due(deadlines.Message) <= now {
			t.Error("no moment for what is in the kernel")
		}
		if c.Loop.(*loops.Loop).Behind(c, c.Own.Waits.Due(deadlines.Message)) {
			t.Error("another one")
		}
		c.Own.Waits.Clear(deadlines.Message)
		c.Own.Sock.ResumeReading()
	})
}

// A close with bytes unread does not take from the peer what it has not read itself,
// also where no more sockets may linger.
func TestCloseKeepsWhatThePeerHasNotRead(t *testing.T) {
	r := start(t, &script{message: echo}, nil)
	peer := r.dial(TCP)
	c := r.connOf(phase.Established)
	m := request("ACK", "x", 1, "")
	_, _ = peer.Write([]byte(m))
	r.eventually("it is answered, and that is acknowledged", func() bool {
		out := -1
		r.onLoop(c.Loop.(*loops.Loop), func() {
			if c.Carried.MessagesOut.Load() == 1 {
				out, _ = c.Own.Unacked.Ask(c.Own.Sock.Fd())
			}
		})
		return out == 0
	})
	r.onLoop(c.Loop.(*loops.Loop), func() { c.Own.Sock.PauseReading() })
	_, _ = peer.Write([]byte(strings.Repeat("x", 1000)))
	r.eventually("more waits in the kernel", func() bool { return kernel.Unread(c.Own.Sock.Fd()) == 1000 })
	r.onLoop(c.Loop.(*loops.Loop), func() { r.conns.Connects.MaxLingering = 0 })
	r.Close(c.ID)
	r.eventually("it has ended", func() bool { return !r.Alive(c.ID) })
	if got, err := io.ReadAll(peer); string(got) != m || err != nil {
		t.Errorf("the peer reads %q, %v", got, err)
	}
}

// What is acknowledged between two looks at a reader whose window is closed at both is
// progress.
func TestProgressBetweenLooks(t *testing.T) {
	r := start(t, &script{}, nil)
	peer := r.dialNarrow(TCP)
	c := r.connOf(phase.Established)
	_ = r.clog(c.ID, 20<<10, 1000)
	time.Sleep(300 * time.Millisecond) // longer than TCP delays an acknowledgement
	r.onLoop(c.Loop.(*loops.Loop), func() {
		l, now := c.Loop.(*loops.Loop), r.now()
		c.Own.Unacked.Ask(c.Own.Sock.Fd())
		info, err := kernel.Info(c.Own.Sock.Fd())
		if err != nil || !kernel.WindowClosed(info) || !c.Own.Waits.For(deadlines.Send) {
			t.Fatalf("the window is open: %v", err)
		}
		c.Own.Stall.Moves(now-10*int64(c.Config.SendTimeout), c.Owed.Finals())
		c.Own.Unacked.Sent++ // as if the peer had taken a byte since the last look
		if l.SendOverdue(c, now); c.At() != phase.Established || c.Own.Stall.Lasts(now, 1) {
			t.Errorf("it is %v in spite of progress", c.At())
		}
		c.Own.Unacked.Sent--
	})
	peer.Close()
}

// Until the peer has said something it may refuse our certificate, and all that was
// written is kept; but not more than so much.
func TestUnconfirmedWritesAreBounded(t *testing.T) {
	w, inbox := tlstest.NewWorld(t), &script{}
	no := false
	to := start(t, inbox, func(c *Config) {
		d := w.ServerDomain()
		d.RequireCert, d.SessionTickets = &no, &no // a ticket would tell that it took us
		c.Domains = buildDomains(t, d)
	})
	from := start(t, &script{}, func(c *Config) {
		d := w.ClientDomain()
		d.Certificates = nil
		c.Domains = buildDomains(t, w.ServerDomain(), d)
	})
	target := &Target{Proto: TLS, Addr: to.addr(TLS), Name: "sip.example.com"}
	var c *connection.Conn
	n := 0
	for size := 0; size < 4*flow.UnconfirmedBytes; n++ {
		m := request("MESSAGE", fmt.Sprint(n), 1, strings.Repeat("x", 8<<10))
		if _, err := from.Send(target, Bytes(m)); err != nil {
			t.Fatal(err)
		}
		size += len(m)
		from.eventually("it arrives", func() bool { return len(inbox.got()) == n+1 })
		if c == nil {
			c = from.conns.Table.Get(from.only())
		}
		kept := 0
		from.onLoop(c.Loop.(*loops.Loop), func() { kept = c.Own.Unacked.Bytes() })
		if kept > 2*flow.UnconfirmedBytes {
			t.Fatalf("%d bytes are kept", kept)
		}
	}
	from.eventually("nothing of it is kept", func() bool {
		kept := 0
		from.onLoop(c.Loop.(*loops.Loop), func() { kept = c.Own.Unacked.Bytes() })
		return kept == 0
	})
}

// A connection that is dialled for a socket comes from its address.
func TestDialComesFromItsSocket(t *testing.T) {
	r := start(t, &script{}, func(c *Config) {
		c.Sockets = append(c.Sockets, SocketConfig{Proto: TCP, Addr: netip.MustParseAddrPort("127.0.0.2:0")})
	})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	at := netip.MustParseAddrPort(ln.Addr().String())
	if _, err := r.Send(&Target{Proto: TCP, Addr: at, Socket: r.Sockets()[2]}, Bytes("x")); err != nil {
		t.Fatal(err)
	}
	c, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if from := netip.MustParseAddrPort(c.RemoteAddr().String()).Addr().String(); from != "127.0.0.2" {
		t.Errorf("it comes from %s", from)
	}
}

// A connection that a listener still accepts while the engine drains is served, since its peer may have asked
// something; while it stops, it is refused.
func TestConnectionBehindTheEnd(t *testing.T) {
	r := start(t, &script{message: echo}, nil)
	r.loops.Draining.Store(true)
	served := r.dial(TCP)
	if _, err := served.Write([]byte(request("ACK", "waited", 1, ""))); err != nil {
		t.Fatal(err)
	}
	if n, err := served.Read(make([]byte, 1)); n != 1 {
		t.Errorf("it is not served: %v", err)
	}
	served.Close()
	r.eventually("it is gone", func() bool { return r.Connections() == 0 })
	r.dialer.Stopping.Store(true)
	c := r.dial(TCP)
	if n, err := c.Read(make([]byte, 1)); n != 0 || err == nil {
		t.Errorf("it is taken: %v", err)
	}
	if n := r.Stats().RefusedFor[RefusedShutdown]; n != 1 || r.Connections() != 0 {
		t.Errorf("%d refused, %d connections", n, r.Connections())
	}
}

// A handshake whose peer sent more than was wanted at a time is read again when that
// is worked off.
func TestPausedHandshakeGoesOn(t *testing.T) {
	r := start(t, &script{}, nil)
	raw := r.raw(TLS)
	c := r.connOf(phase.Handshaking)
	r.onLoop(c.Loop.(*loops.Loop), func() {
		c.Own.Handshake.Leave()
		c.Own.Handshake.Compute()
		c.Own.Handshake.Paused = true
		c.Own.Sock.PauseReading()
		c.Loop.(*loops.Loop).Handshaken(c)
	})
	_ = raw.SetDeadline(time.Now().Add(30 * time.Second))
	if err := tls.Client(raw, &tls.Config{RootCAs: r.ca, ServerName: "localhost"}).Handshake(); err != nil {
		t.Error(err)
	}
}

// A loop runs the Handler for no longer than its time slice: the rest of what it has read
// is the workers'.
func TestTimeSliceOfTheHandler(t *testing.T) {
	var here atomic.Int32
	r := start(t, &script{message: func(w *Worker, f *Frame) {
		if w.place.Hosted() {
			here.Add(1)
		}
		for end := time.Now().Add(2 * time.Millisecond); time.Now().Before(end); {
		}
		echo(w, f)
	}}, func(c *Config) { c.Inline, c.Workers, c.Loops = time.Millisecond, 1, 1 })
	r.settled()
	c := r.dial(TCP)
	const n = 40
	if err := sequence(c, n); err != nil {
		t.Fatal(err)
	}
	expectSequence(t, bufio.NewReader(c), n)
	if k := here.Load(); k == 0 || k > n/4 {
		t.Errorf("%d of %d ran on the loop", k, n)
	}
}
