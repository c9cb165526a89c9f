package dialing

import (
	"errors"
	"net/netip"
	"os"
	"testing"
	"time"

	"sipreactor/reactor/internal/connection"
	"sipreactor/reactor/internal/message"
	"sipreactor/reactor/internal/reason"
	"sipreactor/reactor/internal/transport"
	"sipreactor/reactor/internal/waittest"
	"sipreactor/tlsstate"
)

// The handshake has a budget of its own behind that of the connect, and what is parked then is a handshake.
func TestHandshakeHasABudgetOfItsOwn(t *testing.T) {
	r := newRig(t)
	r.config.LocalConnectTimeout = time.Hour
	d := tlsstate.Domains(new(snapshot))
	r.Domains.Store(&d)
	go func() {
		c := <-r.adopted
		c.ComesTo(new(own))
		c.TellConnected()
	}()
	type sent struct {
		o   message.Outcome
		err *reason.Error
	}
	done := make(chan sent, 1)
	go func() {
		o, err := r.Send(&message.Target{Proto: transport.TLS, Addr: r.listener()}, hi, patient{})
		done <- sent{o, err}
	}()
	select {
	case got := <-done:
		if got.o != message.Queued || got.err != nil || r.all.Stat.ParkedHandshakes.Load() != 1 || r.all.Stat.ParkedConnects.Load() != 0 {
			t.Errorf("%+v; %d handshakes are parked, %d connects", got, r.all.Stat.ParkedHandshakes.Load(), r.all.Stat.ParkedConnects.Load())
		}
	case <-time.After(30 * time.Second):
		t.Fatal("it waits for the rest of the connect's budget")
	}
}

// settled is a sender that must not wait, of which each message has its fate when it is flushed.
type settled struct{ fate error }

func (settled) StandAside() bool { return false }

func (s settled) Flush(c *connection.Conn) {
	b, _, _ := c.TakeWaiting()
	for i := range b.Ends {
		b.Ends[i].Wait.Settle(s.fate)
	}
}

// Who must not wait is told all the same what its message has come to already.
func TestWhoMustNotWaitIsToldWhatIsSettled(t *testing.T) {
	r := newRig(t)
	r.config.Async = false
	addr := netip.MustParseAddrPort("192.0.2.1:5060")
	r.up(transport.TCP, addr)
	why := reason.Because(reason.WriteError, "made up")
	if _, err := r.Send(tcp(addr), hi, settled{why}); err != why {
		t.Errorf("%v, want %v", err, why)
	}
	if o, err := r.Send(tcp(addr), hi, settled{}); o != message.Sent || err != nil {
		t.Errorf("%v, %v", o, err)
	}
}

// A message goes by another connection to the address when the one that it names ends.
func TestNamedConnectionEnds(t *testing.T) {
	r := newRig(t)
	addr := netip.MustParseAddrPort("192.0.2.1:5060")
	named, other := r.up(transport.TCP, addr), r.up(transport.TCP, addr)
	named.NoteClose(reason.Because(reason.ClosedByManagement, ""))
	if o, err := r.Send(&message.Target{Conn: named.ID, Proto: transport.TCP, Addr: addr}, hi, alone{}); o != message.Sent || err != nil {
		t.Fatalf("%v, %v", o, err)
	}
	if b, _, _ := other.TakeWaiting(); b == nil {
		t.Error("the other one does not have the message")
	}
}

// Without domains nothing can be opened, and a user who is known by its connection is reached by that.
func TestKnownUserWithoutDomains(t *testing.T) {
	r := newRig(t)
	addr := netip.MustParseAddrPort("192.0.2.1:5061")
	to := &message.Target{Proto: transport.TLS, Addr: addr}
	c := r.up(transport.TLS, addr)
	c.Src.Outbound = false // it has called us
	if _, err := r.Send(to, hi, alone{}); err == nil || err.Reason != reason.ConnectFailed {
		t.Errorf("nobody is known: %v", err)
	}
	c.Know(time.Hour)
	if o, err := r.Send(to, hi, alone{}); o != message.Sent || err != nil {
		t.Errorf("%v, %v", o, err)
	}
}

// A connect that this machine refuses at once leaves nothing open, and is for whoever chose the ends.
func TestConnectFailsHere(t *testing.T) {
	r := newRig(t)
	open := func() int {
		list, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	to := tcp(netip.MustParseAddrPort("192.0.2.1:5060"))
	to.Socket = &message.Socket{Proto: transport.TCP, Addr: netip.MustParseAddrPort("127.0.0.1:5060")} // which does not reach it
	before := open()
	_, err := r.Send(to, hi, alone{})
	if err == nil || err.Reason != reason.ConnectFailed || err.Blame != reason.BlameConfig || r.all.Table.Len() != 0 {
		t.Fatalf("%v; %d connections", err, r.all.Table.Len())
	}
	if n := open(); n != before {
		t.Errorf("%d descriptors are open, %d were", n, before)
	}
}

// breaks is a message that panics.
type breaks struct{}

func (breaks) AppendTo([]byte) []byte { panic("it breaks") }

// An Appender that panics leaves no connection behind, and the next message opens one. That keeps nothing that was
// the message's.
func TestAppenderThatPanics(t *testing.T) {
	r := newRig(t)
	to := tcp(r.listener())
	func() {
		defer func() { _ = recover() }()
		_, _ = r.Send(to, breaks{}, alone{})
		t.Error("it does not panic")
	}()
	if r.all.Table.Len() != 0 || r.all.Peers.Len() != 0 {
		t.Errorf("%d connections, %d end points", r.all.Table.Len(), r.all.Peers.Len())
	}
	to.Set, to.Note, to.Carrier = new(message.AddrSet), "mine", new(message.Source)
	if o, err := r.Send(to, hi, alone{}); o != message.Queued || err != nil {
		t.Fatalf("%v, %v", o, err)
	}
	if c := <-r.adopted; c.Target.Set != nil || c.Target.Note != nil || c.Target.Carrier != nil {
		t.Errorf("it keeps %+v", c.Target)
	}
}

var errMade = errors.New("made up")

// left has a destination left alone for a step of so many doublings.
func (r *rig) left(to *message.Target, doublings int) {
	r.Helper()
	why := reason.Fail(reason.ConnectFailed, errMade)
	for range 1 + doublings {
		now := r.all.Now()
		r.all.Backoff.Due(now + int64(time.Minute)) // a probe is on its way
		r.all.Backoff.Failed(now, connection.KeyOf(to, to.Addr, "", ""), false, connection.Destination(to), why)
	}
}

// A probe for which there is no room is made again.
func TestProbeWithoutRoom(t *testing.T) {
	r := newRig(t)
	to := tcp(netip.MustParseAddrPort("192.0.2.1:5060"))
	r.left(to, 0)
	r.all.Backoff.Due(r.all.Now() + int64(time.Minute))
	if list := r.List(); len(list) != 1 || !list[0].Probing {
		t.Fatalf("%+v", list)
	}
	r.all.Limits.Open = 0
	if r.Probe(to); r.List()[0].Probing || r.all.Table.Len() != 0 {
		t.Errorf("%+v; %d connections", r.List(), r.all.Table.Len())
	}
}

// A destination is looked for sooner where its set has no other that is up.
func TestOthersOfASet(t *testing.T) {
	for what, tt := range map[string]struct {
		others []message.EndPoint
		step   time.Duration
	}{
		"alone":          {nil, 2 * time.Second},
		"another one":    {[]message.EndPoint{{Proto: transport.TCP, Addr: netip.MustParseAddrPort("192.0.2.2:5060")}}, 4 * time.Second},
		"all left alone": {[]message.EndPoint{{Proto: transport.TCP, Addr: netip.MustParseAddrPort("192.0.2.1:5060")}}, 2 * time.Second},
	} {
		r := newRig(t)
		to := tcp(netip.MustParseAddrPort("192.0.2.1:5060"))
		r.left(to, 2)
		to.Set = &message.AddrSet{EndPoints: tt.others}
		if _, err := r.Send(to, hi, alone{}); err == nil || r.List()[0].Step != tt.step {
			t.Errorf("%s: %v, left alone for %v", what, err, r.List()[0].Step)
		}
	}
}

// Destinations of datagrams are tried by the next message: none is dialled, and each is due in its turn.
func TestDatagramsAreNotProbed(t *testing.T) {
	r := newRig(t)
	why := reason.Because(reason.ConnectFailed, "made up")
	r.Unreachable(&message.Undelivered{Addr: netip.MustParseAddrPort("192.0.2.1:5060"), Err: why, Quoted: true})
	r.all.Born = r.all.Born.Add(-800 * time.Millisecond) // the second one is due behind the first
	r.Unreachable(&message.Undelivered{Addr: netip.MustParseAddrPort("192.0.2.2:5060"), Err: why, Quoted: true})
	waittest.For(t, "both may be tried again", func() bool { return len(r.List()) == 0 })
	if n := r.all.Stat.Dials.Load(); n != 0 {
		t.Errorf("%d were dialled", n)
	}
}
