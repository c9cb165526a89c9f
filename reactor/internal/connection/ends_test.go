package connection

import (
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor/internal/connlog"
	"sipreactor/reactor/internal/endpoint"
	"sipreactor/reactor/internal/event"
	"sipreactor/reactor/internal/message"
	"sipreactor/reactor/internal/phase"
	"sipreactor/reactor/internal/reason"
	"sipreactor/reactor/internal/transport"
	"sipreactor/reactor/internal/websocket"
	"sipreactor/tlsstate"
)

// What never came up is counted by where it ended, and by what its handshake lacked.
func TestFailuresAreCounted(t *testing.T) {
	for at, failed := range map[phase.Phase][2]uint64{
		phase.Connecting: {1, 0}, phase.Enrolling: {1, 0}, phase.Handshaking: {0, 1}, phase.Established: {0, 0},
	} {
		a := newCommon()
		c := a.in(peerConn("192.0.2.1:5061", true, nil), at)
		c.countFailure(at, reason.Fail(reason.HandshakeFailed, &websocket.Error{Reason: "no key"}))
		dials := a.Stat.DialsFailed[reason.HandshakeFailed].Load()
		handshakes := c.Loop.Counters().Handshakes[1].Failed[reason.HandshakeFailed].Load()
		if dials != failed[0] || handshakes != failed[1] || a.Stat.HandshakeDefects.Counts()["no key"] != failed[1] {
			t.Errorf("%v: %d dials, %d handshakes, lacking %v", at, dials, handshakes, a.Stat.HandshakeDefects.Counts())
		}
	}
}

// last is an observer that keeps the latest event.
type last struct{ event.Event }

func (l *last) Observe(e *event.Event) { l.Event = *e }

// An event of TLS tells how long the handshake took; the log has the events of those that are
// served, and the end of each with its domain.
func TestTell(t *testing.T) {
	var said strings.Builder
	a, seen := newCommon(), new(last)
	a.Observer, a.Log = seen, connlog.New(slog.New(slog.NewTextHandler(&said, &slog.HandlerOptions{Level: slog.LevelDebug})))
	c := a.in(peerConn("192.0.2.1:5061", false, nil), phase.Established)
	c.ShookHands(3 * time.Second)
	a.Tell(c, &event.Event{Kind: event.ConnEstablished, TLS: new(tlsstate.State)})
	if seen.Took != 3*time.Second || !strings.Contains(said.String(), "established") {
		t.Errorf("it took %v; the log: %s", seen.Took, said.String())
	}
	said.Reset()
	if a.Tell(c, &event.Event{Kind: event.ConnRefused}); seen.Took != 0 || said.Len() != 0 {
		t.Errorf("it took %v; the log: %s", seen.Took, said.String())
	}
	c.tellEnd(&event.Event{Kind: event.ConnClosed, Was: phase.Handshaking, TLS: &tlsstate.State{Domain: "edge"}, Err: reason.Because(reason.HandshakeFailed, "")})
	if !strings.Contains(said.String(), "domain=edge") {
		t.Errorf("the log: %s", said.String())
	}
}

// A message for which there is no room is told in the log, one that comes too late is not.
func TestRefusedIsTold(t *testing.T) {
	var said strings.Builder
	a := newCommon()
	a.Log = connlog.New(slog.New(slog.NewTextHandler(&said, nil)))
	c := a.in(peerConn("192.0.2.1:5061", false, nil), phase.Established)
	c.Blocks(false)
	to := &message.Target{Class: message.NewRequest}
	for range 2 {
		_, _ = c.Enqueue(message.Bytes("x"), to, nil)
	}
	if n := strings.Count(said.String(), "message refused"); n != 1 {
		t.Errorf("%d lines: %s", n, said.String())
	}
	said.Reset()
	c.NoteClose(reason.Because(reason.Shutdown, ""))
	if _, err := c.Enqueue(message.Bytes("x"), to, nil); err == nil || said.Len() != 0 {
		t.Errorf("%v; the log: %s", err, said.String())
	}
}

// What is about to end is waited for by nobody who drains.
func TestEndsAreNotUnderWay(t *testing.T) {
	a := newCommon()
	for _, at := range []phase.Phase{phase.Handshaking, phase.Established} {
		c := a.in(peerConn("192.0.2.1:5061", false, nil), at)
		c.First(message.Bytes("x"), &message.Target{}, nil)
		c.Owed.Came([]byte("INVITE sip:a SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bKa\r\n\r\n"))
		c.NoteClose(reason.Because(reason.ClosedByManagement, ""))
	}
	if u := a.UnderWay(); u != (UnderWay{}) {
		t.Errorf("%+v", u)
	}
}

// Whoever parks a dial again is the one who did not wait, for the phase that it is in.
func TestPark(t *testing.T) {
	c := newCommon().in(peerConn("192.0.2.1:5061", true, nil), phase.Connecting)
	c.Own.Dial = new(Dialing)
	c.Park()
	c.Enter(phase.Enrolling)
	c.Enter(phase.Handshaking)
	if at := c.Park(); at != phase.Handshaking || c.Own.Dial.parked != phase.Handshaking+1 {
		t.Errorf("parked at %v: %v", at, c.Own.Dial.parked)
	}
	if waited := c.ComesUp(nil); !waited || c.Own.Dial != nil {
		t.Errorf("waited: %v, and there is %v of the dial", waited, c.Own.Dial)
	}
	if at := c.Park(); at != phase.Established {
		t.Errorf("parked at %v", at)
	}
}

// The holder of an alias that has ended its half gives it to whoever comes, an older one too.
func TestHalfClosedGivesItsAlias(t *testing.T) {
	var x Index
	older, newer := peerConn("192.0.2.1:40001", false, nil), peerConn("192.0.2.1:40002", false, nil)
	older.Born, newer.Born = time.Unix(1, 0), time.Unix(2, 0)
	x.Add(older)
	x.Add(newer)
	key := endpoint.Of(transport.TLS, netip.MustParseAddrPort("192.0.2.1:5061"))
	if _, err := x.TakeAlias(newer, key); err != nil {
		t.Fatal(err)
	}
	if _, err := x.TakeAlias(older, key); err == nil {
		t.Error("an older one takes the alias of one that is whole")
	}
	newer.EndHalf()
	if _, err := x.TakeAlias(older, key); err != nil {
		t.Errorf("the alias stays with one that takes responses only: %v", err)
	}
}

// A user is known for as long as that was said.
func TestKnow(t *testing.T) {
	c := newCommon().in(peerConn("192.0.2.1:5061", false, nil), phase.Established)
	c.Know(10 * time.Second)
	m := Match{}
	m.Self.Verify, m.Name = true, "192.0.2.1"
	for now, want := range map[int64]bool{1: true, 9: true, 10: false, 100: false} {
		if m.Now = now; c.serves(&m) != want {
			t.Errorf("in second %d it serves: %v", now, !want)
		}
	}
}
