package flow

import (
	"errors"
	"io"
	"strings"
	"testing"

	"sipreactor/reactor/internal/codec"
	"sipreactor/reactor/internal/handshakes"
	"sipreactor/reactor/internal/phase"
	"sipreactor/reactor/internal/poller"
	"sipreactor/reactor/internal/reason"
	"sipreactor/tlsstate"
)

// shaker is a codec whose handshake takes so many steps, and says something in each.
type shaker struct {
	codec.Plain
	steps   int
	err     error // what the last one comes to
	fed     string
	stopped bool
}

func (s *shaker) Stop() {
	s.stopped = true
	s.Plain.Stop()
}

func (s *shaker) Handshake() error {
	b := make([]byte, 1024)
	n, _ := s.Plain.Read(b)
	s.fed += string(b[:n])
	_, _ = s.Write([]byte("!"))
	if s.steps--; s.steps > 0 {
		return tlsstate.ErrWantRead
	}
	return s.err
}

// broken is a codec that panics over what it reads.
type broken struct{ codec.Plain }

func (b *broken) Read([]byte) (int, error) { panic("broken") }

// steps computes what is to be computed, as handshakers do.
func (r *rig) steps() {
	for len(r.computing) > 0 {
		c := r.computing[0]
		r.computing = r.computing[1:]
		c.Compute()
		r.Handshaken(c)
	}
}

// A handshake goes on with what the peer says, and what comes behind it is read.
func TestHandshakeIsDriven(t *testing.T) {
	r := newRig(t)
	k := &shaker{steps: 2}
	c, peer := r.accepted(k)
	if len(r.computing) != 0 {
		t.Error("the server speaks first")
	}
	r.Input(c, []byte("hello"))
	r.steps()
	r.reads(peer, "!")
	if c.At() != phase.Handshaking {
		t.Fatalf("it is %v", c.At())
	}
	r.Input(c, []byte("finished"))
	r.Input(c, []byte(request("OPTIONS", "a", ""))) // while the machine is away
	r.steps()
	r.reads(peer, "!")
	if c.At() != phase.Established || c.Own.Handshake != nil || k.fed != "hellofinished" {
		t.Fatalf("it is %v, and was fed %q", c.At(), k.fed)
	}
	same(t, "messages", r.taken(), request("OPTIONS", "a", ""))
}

// The peer's time is that in which we wait for its bytes.
func TestHandshakeHasATime(t *testing.T) {
	r := newRig(t)
	c, _ := r.accepted(&shaker{steps: 3})
	r.later(r.config.HandshakeTimeout / 2)
	r.Input(c, []byte("x"))
	r.later(10 * r.config.HandshakeTimeout) // while we compute
	r.Overdue(c)
	r.lives(c, "while its machine is away")
	r.steps()
	r.later(r.config.HandshakeTimeout * 4 / 10)
	r.Overdue(c)
	r.lives(c, "within its time")
	r.later(r.config.HandshakeTimeout * 2 / 10)
	r.Overdue(c)
	if said := r.endsAs(c, reason.HandshakeTimeout); !strings.Contains(said, "tls_handshake_timeout") {
		t.Errorf("%q names no parameter", said)
	}
}

// A peer whose bytes are in the kernel is not late.
func TestHandshakeThatWeAreLateFor(t *testing.T) {
	r := newRig(t)
	c, peer := r.accepted(&shaker{steps: 2})
	if _, err := peer.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	r.later(2 * r.config.HandshakeTimeout)
	r.Overdue(c)
	r.lives(c, "though it has spoken")
}

// The kernel keeps what a machine that is away has no room for, and too much is an end.
func TestHandshakeIsPaused(t *testing.T) {
	r := newRig(t)
	c, _ := r.accepted(&shaker{steps: 2})
	r.Input(c, []byte("x"))
	if !c.Own.Handshake.Is(handshakes.Away) {
		t.Fatal("the machine is not away")
	}
	for !c.Own.Handshake.Paused {
		r.Input(c, make([]byte, 4<<10))
		r.lives(c, "before it is paused")
	}
	k := c.Own.Handshake
	c.Compute()
	r.computing = nil
	r.Handshaken(c)
	if k.Paused {
		t.Error("it is not read again")
	}
}

// What a handshake has to say goes on where the socket takes bytes again, unless its machine is away: then it is that one's.
func TestHandshakeIsWritten(t *testing.T) {
	r := newRig(t)
	c, peer := r.accepted(&shaker{steps: 2})
	if _, err := c.Own.Codec.Write([]byte("rest")); err != nil {
		t.Fatal(err)
	}
	r.Writable(c)
	r.reads(peer, "rest")
	r.Input(c, []byte("x"))
	if _, err := c.Own.Codec.Write([]byte("more")); err != nil {
		t.Fatal(err)
	}
	if r.Writable(c); len(c.Own.Codec.Output()) != len("more") {
		t.Error("what a machine writes that is away goes out")
	}
}

// A handshake that fails ends its connection, with what it had to say sent before.
func TestHandshakeFails(t *testing.T) {
	r := newRig(t)
	c, peer := r.accepted(&shaker{steps: 1, err: errors.New("no")})
	r.Input(c, []byte("x"))
	r.steps()
	r.endsAs(c, reason.HandshakeFailed)
	if b, err := io.ReadAll(peer); string(b) != "!" {
		t.Errorf("the peer reads %q, %v", b, err)
	}
	if n := r.Stat.Handshakes[0].Failed[reason.HandshakeFailed].Load(); n != 1 {
		t.Errorf("%d have failed", n)
	}
}

// What waits for the handshake of a connection that is to close does not hold that up, but a
// machine that is away does.
func TestCloseWhileTheMachineIsAway(t *testing.T) {
	r := newRig(t)
	c, _ := r.accepted(&shaker{steps: 2})
	r.Input(c, []byte("x"))
	r.Close(c, reason.Because(reason.ClosedByManagement, ""))
	if c.At() != phase.Handshaking {
		t.Fatalf("it is %v, with its machine away", c.At())
	}
	r.steps()
	r.endsAs(c, reason.ClosedByManagement)
}

// What came while the machine was away is its next step, for which nobody has to say more.
func TestHandshakeGoesOnWithWhatWaits(t *testing.T) {
	r := newRig(t)
	k := &shaker{steps: 2}
	c, _ := r.accepted(k)
	r.Input(c, []byte("hello"))
	r.Input(c, []byte("finished"))
	if r.steps(); c.At() != phase.Established || k.fed != "hellofinished" {
		t.Errorf("it is %v, and was fed %q", c.At(), k.fed)
	}
}

// A machine that comes back behind the end of its connection is stopped, once.
func TestMachineComesBackTooLate(t *testing.T) {
	r := newRig(t)
	k := &shaker{steps: 2}
	c, _ := r.accepted(k)
	r.Input(c, []byte("x"))
	r.SocketCloses(c, poller.ErrBroken)
	if c.At() != phase.Closed || k.stopped {
		t.Fatalf("it is %v; stopped while it is away: %v", c.At(), k.stopped)
	}
	if r.steps(); !k.stopped || c.Own.Codec != nil {
		t.Error("it is not stopped")
	}
}

// A peer that ends its half while its machine is away gets the end of that: what it said before
// is worked off, and then nothing more can come.
func TestHalfClosedWhileTheMachineIsAway(t *testing.T) {
	for steps, want := range map[int]reason.Reason{1: reason.PeerClosed, 2: reason.HandshakeFailed} {
		r := newRig(t)
		c, peer := r.accepted(&shaker{steps: steps})
		r.Input(c, []byte("x"))
		r.SocketCloses(c, poller.ErrEnd)
		r.lives(c, "with its machine away")
		if !c.Reading.Detached() {
			t.Fatal("its loop has it")
		}
		r.steps()
		r.endsAs(c, want)
		r.reads(peer, "!")
	}
}

// A panic of a machine is told as one.
func TestMachinePanics(t *testing.T) {
	r := newRig(t)
	c, _ := r.accepted(&shaker{steps: 1, err: &tlsstate.Error{Reason: tlsstate.ReasonInternal, Err: &tlsstate.Panic{Value: "made up"}}})
	r.Input(c, []byte("x"))
	r.steps()
	r.endsAs(c, reason.HandshakeFailed)
	if n := r.all.Stat.Panics.Load(); n != 1 {
		t.Errorf("%d panics are told", n)
	}
}
