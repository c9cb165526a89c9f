package connection

import (
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/codec"
	"sipreactor/reactor/internal/endpoint"
	"sipreactor/reactor/internal/handshakes"
	"sipreactor/reactor/internal/message"
	"sipreactor/reactor/internal/phase"
	"sipreactor/reactor/internal/poller"
	"sipreactor/reactor/internal/reason"
	"sipreactor/reactor/internal/sendqueue"
	"sipreactor/reactor/internal/transport"
	"sipreactor/tlsstate"
)

// Who accepts WebSocket has its own time for the handshake; whoever dials has that of TLS.
func TestHandshakeTime(t *testing.T) {
	config := transport.StreamConfig{HandshakeTimeout: time.Second, Web: transport.WebConfig{AcceptTimeout: time.Minute}}
	for _, tt := range []struct {
		proto     transport.Proto
		out       bool
		time      time.Duration
		parameter string
	}{
		{transport.TLS, false, time.Second, "tls_handshake_timeout"},
		{transport.WSS, false, time.Minute, "wss_accept_timeout"},
		{transport.WS, false, time.Minute, "ws_accept_timeout"},
		{transport.WSS, true, time.Second, "wss_handshake_timeout"},
	} {
		c := &Conn{Config: &config, Src: message.Source{Proto: tt.proto, Outbound: tt.out}}
		if c.HandshakeTime() != tt.time || c.HandshakeParameter() != tt.parameter {
			t.Errorf("%+v: %v, %s", tt, c.HandshakeTime(), c.HandshakeParameter())
		}
	}
}

// half is a codec that shakes hands in two steps.
type half struct{ codec.Plain }

func (*half) Handshake() error { return tlsstate.ErrWantRead }

// Steps of a handshake are alike by who dialled, and by whether they are the first.
func TestKinds(t *testing.T) {
	for _, tt := range []struct {
		proto        transport.Proto
		out          bool
		first, later int
	}{{transport.TLS, false, 0, 1}, {transport.TLS, true, 2, 3}, {transport.WSS, false, 0, 1}, {transport.WS, false, 4, 4}, {transport.WS, true, 4, 4}} {
		c := &Conn{Src: message.Source{Proto: tt.proto, Outbound: tt.out}}
		c.Own.Handshake = handshakes.New(new(half), time.Second, 1)
		first := c.Kind()
		c.Own.Handshake.Leave()
		c.Compute()
		if later := c.Kind(); first != tt.first || later != tt.later {
			t.Errorf("%+v: %d, then %d", tt, first, later)
		}
	}
}

// A destination is kept without what was its message's, and its set is all its end points.
func TestDestination(t *testing.T) {
	set := &message.AddrSet{EndPoints: []message.EndPoint{
		{Proto: transport.TCP, Addr: netip.MustParseAddrPort("192.0.2.1:5060")},
		{Proto: transport.TLS, Addr: netip.MustParseAddrPort("192.0.2.2:5061")},
	}}
	target := message.Target{Conn: 7, Proto: transport.TLS, Addr: set.EndPoints[1].Addr, Name: "a.example", Domain: "out", Set: set,
		Carrier: new(message.Source), Note: "note"}
	d := Destination(&target)
	if to := d.What; to.Conn != 0 || to.Set != nil || to.Carrier != nil || to.Note != nil || to.Domain != "out" || d.Name != "a.example" || d.Addr != target.Addr {
		t.Errorf("%+v of %+v", d, d.What)
	}
	var ends []endpoint.Key
	for k := range EndsOf(set) {
		ends = append(ends, k)
	}
	if !slices.Equal(ends, []endpoint.Key{endpoint.Of(transport.TCP, set.EndPoints[0].Addr), endpoint.Of(transport.TLS, set.EndPoints[1].Addr)}) {
		t.Errorf("end points %v", ends)
	}
	for range EndsOf(nil) {
		t.Error("no set has an end point")
	}
	if q := QueryOf(&target); q != (tlsstate.ClientQuery{Domain: "out", SIPDomain: "a.example", Addr: target.Addr}) {
		t.Errorf("asked for %+v", q)
	}
}

// What the message of a destination that is left alone gets says so, behind the reason.
func TestRemembered(t *testing.T) {
	for detail, want := range map[string]string{"": "connect failed: left alone (tcp_backoff)", "refused": "connect failed: refused; left alone (tcp_backoff)"} {
		why := reason.Because(reason.ConnectFailed, detail)
		if e := Remembered(why); e.Error() != want || why.Detail != detail {
			t.Errorf("%q, %q", e, why)
		}
	}
}

// That the loops end says nothing of the peer.
func TestLoopsEnd(t *testing.T) {
	if e := DialFailed(poller.ErrStopped); e.Blame != reason.BlameUs {
		t.Errorf("%v blames %v", e, e.Blame)
	}
}

// A peer that refuses our certificate behind the handshake refuses that name; what is our own
// fault leaves nobody alone.
func TestRefusedBehindTheHandshake(t *testing.T) {
	alert := reason.OfRead(&tlsstate.Error{Blame: tlsstate.BlamePeer, Alert: tlsstate.Alert{Received: true}})
	ours := reason.OfHandshake(&tlsstate.Error{Blame: tlsstate.BlameConfig})
	for _, tt := range []struct {
		why         *reason.Error
		unconfirmed bool
		left        int
	}{{alert, true, 1}, {alert, false, 0}, {ours, true, 0}} {
		a := newCommon()
		c := a.in(peerConn("192.0.2.1:5061", true, nil), phase.Established)
		c.Means(tlsstate.ClientIdentity{}, "a.example")
		c.Own.Unacked.Unconfirmed = tt.unconfirmed
		if c.countBackoff(phase.Established, tt.why); a.Backoff.Len() != tt.left {
			t.Errorf("%v, unconfirmed %v: %d are left alone", tt.why, tt.unconfirmed, a.Backoff.Len())
		}
	}
}

// A connection is described while it is there.
func TestInfo(t *testing.T) {
	c := newCommon().in(peerConn("192.0.2.1:5061", true, nil), phase.Established)
	if i, there := c.Info(100); !there || i.Idle != 0 || i.Phase != phase.Established {
		t.Errorf("%v: idle for %v at %v, though nothing was noted yet", there, i.Idle, i.Phase)
	}
	c.Alive(90)
	if i, _ := c.Info(100); i.Idle != 10*time.Second {
		t.Errorf("idle for %v", i.Idle)
	}
	c.Enter(phase.Closed)
	if _, there := c.Info(100); there {
		t.Error("it is over, and there")
	}
	c.WithFd(func(int) { t.Error("its descriptor is asked, which may be another's") })
}

// The state of TLS is kept whole for a peer that has shown a certificate alone; none is for plain TCP.
func TestKeptTLS(t *testing.T) {
	state := &tlsstate.State{Version: 0x0304, Domain: "edge"}
	shown := &tlsstate.State{Version: 0x0304, Peer: []*x509.Certificate{{}}}
	for _, tt := range []struct{ state, want *tlsstate.State }{{nil, nil}, {state, nil}, {shown, shown}} {
		c := newCommon().in(peerConn("192.0.2.1:5061", false, nil), phase.Handshaking)
		c.ComesUp(tt.state)
		kept := c.KeptTLS()
		if c.tls.Whole != tt.want || (kept == nil) != (tt.state == nil) {
			t.Errorf("%+v: kept %+v, whole %+v", tt.state, kept, c.tls.Whole)
		}
		if tt.state == state && (kept == nil || kept.Domain != "edge") {
			t.Errorf("kept %+v", kept)
		}
	}
}

// An answer is told of once a second.
func TestFirstAnswer(t *testing.T) {
	c := new(Conn)
	for i, want := range []bool{true, false, true, false} {
		if got := c.FirstAnswer(int64(i / 2)); got != want {
			t.Errorf("answer %d: %v", i, got)
		}
	}
}

// A peer that has ended its half is waited for while it has something to get: one of ours only
// if it asked for that.
func TestOutlives(t *testing.T) {
	for _, out := range []bool{false, true} {
		a := newCommon()
		c := a.in(peerConn("192.0.2.1:5061", out, nil), phase.Established)
		if c.Outlives() {
			t.Errorf("outbound %v: there is nothing to wait for", out)
		}
		c.First(message.Bytes("x"), &message.Target{}, nil)
		if c.Outlives() == out {
			t.Errorf("outbound %v: outlives %v with something to be written", out, !out)
		}
		c.Own.Flight.Batch, c.out.Waiting = c.out.Waiting, nil
		if c.Outlives() == out || !c.Owes() {
			t.Errorf("outbound %v: outlives %v, owes %v with something that is being written", out, !out, c.Owes())
		}
		c.Owed.Came([]byte("INVITE sip:a SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bKa\r\n\r\n"))
		if !c.Outlives() {
			t.Errorf("outbound %v: it does not wait for its answer", out)
		}
		if c.NoteClose(reason.Because(reason.Shutdown, "")); c.Outlives() {
			t.Errorf("outbound %v: it is to end", out)
		}
	}
}

// What is asked of a loop together is one thing for it to come to.
func TestAsk(t *testing.T) {
	c := new(Conn)
	if !c.Ask(EvFlush) || c.Ask(EvFlush) || c.Ask(EvRead) {
		t.Error("it is on the list twice, or never")
	}
	if c.AskedOnly(EvFlush) || c.Asked() != EvFlush|EvRead || !c.Ask(EvRead) || !c.AskedOnly(EvRead) {
		t.Error("what was asked is lost, or stays")
	}
}

// A finish is for the loop of one that is up; any other has its end at once.
func TestFinish(t *testing.T) {
	for _, at := range []phase.Phase{phase.Established, phase.Handshaking} {
		c := newCommon().in(peerConn("192.0.2.1:5061", false, nil), at)
		c.Finish()
		asked, want := c.Loop.(*loop).asked, EvFinish
		if at != phase.Established {
			want = EvClose
		}
		if !slices.Equal(asked, []uint32{want}) || c.Closes() == (at == phase.Established) {
			t.Errorf("%v: asked %v, closes %v", at, asked, c.Closes())
		}
	}
}

// A request that has no place on a half-closed connection leaves nothing there.
func TestRequestOnHalf(t *testing.T) {
	c := newCommon().in(peerConn("192.0.2.1:5061", false, nil), phase.Established)
	c.EndHalf()
	if _, err := c.Enqueue(message.Bytes("BYE sip:a SIP/2.0\r\n\r\n"), &message.Target{Class: message.NewRequest}, nil); err == nil || err.Reason != reason.NoConnection {
		t.Errorf("%v", err)
	}
	if b, _, half := c.TakeWaiting(); b != nil && len(b.Ends) != 0 || !half {
		t.Errorf("%v waits", b)
	}
}

// Our own end is known when the kernel has chosen it.
func TestBound(t *testing.T) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	c := newCommon().in(peerConn("192.0.2.1:5061", true, nil), phase.Connecting)
	c.Own.Sock.Hold(fd)
	if c.Bound(); c.Ends().Local.IsValid() {
		t.Errorf("it is %v, before anybody has chosen", c.Ends().Local)
	}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if c.Bound(); c.Ends().Local.Addr() != netip.MustParseAddr("127.0.0.1") || c.Ends().Local.Port() == 0 {
		t.Errorf("it is %v", c.Ends().Local)
	}
}

// What comes back and was never answered is counted by its requests.
func TestNeverAnswered(t *testing.T) {
	a := newCommon()
	c := a.in(peerConn("192.0.2.1:5061", false, nil), phase.Established)
	c.Owed.Asked(1, 3)
	c.Own.Unacked.Sent = 10
	c.Own.Unacked.Keep([]byte("request"), sendMark(5, true))
	c.Own.Unacked.Keep([]byte("response"), sendMark(10, false))
	c.returnUnacked(reason.Because(reason.WriteError, "made up"))
	if n := a.Stat.NeverAnswered.Load(); n != 2 || len(a.back) != 2 || c.Loop.Counters().Unanswered.Load() != -3 {
		t.Errorf("%d were never answered, %q come back, %d", n, a.back, c.Loop.Counters().Unanswered.Load())
	}
}

// The cause of a panic is told as it is, up to a length that is one cause.
func TestPanicked(t *testing.T) {
	var said strings.Builder
	a := newCommon()
	a.Logger = logTo(&said)
	a.Panicked("it has panicked", errors.New("first"), nil)
	a.Panicked("it has panicked", errors.New("further"), nil)
	a.Panicked("it has panicked", strings.Repeat("x", 300)+"1", nil)
	a.Panicked("it has panicked", strings.Repeat("x", 300)+"2", nil)
	if n := strings.Count(said.String(), "it has panicked"); n != 3 || a.Stat.Panics.Load() != 4 {
		t.Errorf("%d lines of %d panics:\n%s", n, a.Stat.Panics.Load(), said.String())
	}
}

func sendMark(wire uint64, asks bool) sendqueue.Mark { return sendqueue.Mark{Wire: wire, Asks: asks} }

func logTo(w io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }
