package flow

import (
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor/internal/codec"
	"sipreactor/reactor/internal/connection"
	"sipreactor/reactor/internal/deadlines"
	"sipreactor/reactor/internal/kernel"
	"sipreactor/reactor/internal/message"
	"sipreactor/reactor/internal/reason"
	"sipreactor/reactor/internal/sendqueue"
	"sipreactor/reactor/internal/tcptest"
	"sipreactor/reactor/internal/waittest"
)

// lost returns a connection with a request on the way that does not arrive: its window is open, and nothing is acknowledged.
func (r *rig) lost(ours bool) *connection.Conn {
	r.Helper()
	c, peer := r.plain()
	c.Src.Outbound = ours
	r.all.Limits.UserTimeout = 20 * time.Second
	tcptest.Deafen(r, peer)
	r.give(c, "lost", message.NewRequest)
	r.Flush(c)
	return c
}

// looks has the loop look for so long, as often as it does.
func (r *rig) looks(d time.Duration) {
	for ; d > 0; d -= time.Second {
		r.later(time.Second)
		r.lookAll()
	}
}

// What is not acknowledged for tcp_user_timeout ends its connection, and comes back. The path's round trip is granted
// where we have dialled.
func TestNotAcknowledged(t *testing.T) {
	for _, ours := range []bool{false, true} {
		r := newRig(t)
		asked := 0
		r.all.Limits.RoundTrip = func(int) time.Duration { asked++; return 3 * time.Second }
		c := r.lost(ours)
		if r.looks(17 * time.Second); c.Own.Waits.For(deadlines.Acknowledgement) {
			t.Error("it is looked at by itself before the last second")
		}
		if r.looks(2 * time.Second); !c.Own.Waits.For(deadlines.Acknowledgement) {
			t.Error("the next look is a second late")
		}
		r.lives(c, "within tcp_user_timeout")
		r.looks(2 * time.Second)
		if ours {
			r.lives(c, "within a round trip more")
			if r.looks(3 * time.Second); asked == 0 {
				t.Error("nobody asks for the round trip")
			}
		} else if asked != 0 {
			t.Error("a round trip is granted where the peer has dialled")
		}
		if said := r.endsAs(c, reason.NoAcknowledgement); !strings.Contains(said, "of 4 bytes after 2") {
			t.Error(said)
		}
		same(t, "back", r.Back(), "lost")
	}
}

// A look of the connection's own timer that is past its time gives nothing up where the loop itself is late: who looks at
// all knows for how long nobody did.
func TestLookIsLate(t *testing.T) {
	r := newRig(t)
	c := r.lost(false)
	c.Own.Stall.Shut(r.all.Now(), 0)
	if r.looks(17 * time.Second); c.Own.Stall.ShutFor(r.all.Now()) != 0 {
		t.Error("a window that is open is shut")
	}
	r.later(10 * time.Second)
	r.look(c)
	r.lives(c, "before all are looked at")
	r.lookAll()
	r.lives(c, "behind a stop")
	r.looks(3 * time.Second)
	r.endsAs(c, reason.NoAcknowledgement)
}

// Progress begins the time anew, by as much as the last acknowledgement is old.
func TestProgressIsSeen(t *testing.T) {
	r := newRig(t)
	c, peer := r.plain()
	r.all.Limits.UserTimeout = 20 * time.Second
	r.acknowledged(c, peer, message.NewRequest)
	tcptest.Deafen(t, peer)
	r.give(c, "lost", message.NewRequest)
	r.Flush(c)
	c.Own.Stall.Shut(r.all.Now(), 0)
	r.later(10 * time.Second)
	before := r.all.Now()
	if r.look(c); c.Own.Unacked.Since < before-int64(sendqueue.LookEvery) {
		t.Errorf("an acknowledgement that is seen now is %v old", time.Duration(before-c.Own.Unacked.Since))
	}
	if c.Own.Stall.ShutFor(r.all.Now()) != 0 {
		t.Error("a window that is open is shut")
	}
}

// Segments on the way to a peer whose window is closed are the path's matter; without any the window's, and then
// tcp_user_timeout does not run.
func TestShutWindowIsNoPath(t *testing.T) {
	r := newRig(t)
	r.all.Limits.UserTimeout, r.config.SendTimeout = 20*time.Second, 10*time.Second
	c, _ := r.behind(message.Final)
	if info, err := kernel.Info(c.Own.Sock.Fd()); err != nil || info.Unacked != 0 {
		t.Fatal(info, err)
	}
	since := c.Own.Unacked.Since
	if r.looks(5 * time.Second); time.Duration(c.Own.Unacked.Since-since) < 4*time.Second {
		t.Error("a closed window is held against the path")
	}
	r.looks(30 * time.Second)
	r.lives(c, "with nothing but responses behind a closed window")
}

// behind returns a connection with messages that the kernel has taken, and that stay behind a closed window.
func (r *rig) behind(class message.Class) (*connection.Conn, *net.TCPConn) {
	r.Helper()
	fd, peer := tcptest.Narrow(r)
	c := r.takenIn(&codec.Plain{}, fd, peer)
	for range 20 {
		r.give(c, strings.Repeat("x", 1<<10), class)
		r.Flush(c)
	}
	waittest.For(r, "the window is closed, and nothing is on the way", func() bool {
		info, err := kernel.Info(fd)
		return err == nil && info.Unacked == 0 && kernel.WindowClosed(info)
	})
	if c.Own.Waits.For(deadlines.Send) {
		r.Fatal("the kernel takes no more")
	}
	return c, peer
}

// A reader that is slow behind a closed window is none that stops: what it takes begins its time anew.
func TestSlowReaderBehindAClosedWindow(t *testing.T) {
	r := newRig(t)
	r.config.SendTimeout = 10 * time.Second
	c, peer := r.behind(message.NewRequest)
	for range 2 {
		r.looks(9 * time.Second)
		r.lives(c, "within the send timeout")
		before, _ := kernel.Unacknowledged(c.Own.Sock.Fd())
		r.takes(peer, c, before)
		waittest.For(t, "the window is closed again", func() bool {
			info, err := kernel.Info(c.Own.Sock.Fd())
			return err == nil && info.Unacked == 0 && kernel.WindowClosed(info)
		})
	}
	r.looks(9 * time.Second)
	r.lives(c, "in spite of progress")
}

// While segments are on the way to a peer whose window is closed, the path may be to blame.
func TestClosedWindowWithSegmentsOnTheWay(t *testing.T) {
	r := newRig(t)
	c, peer := r.plain()
	_ = peer.SetReadBuffer(1 << 14) // less than was promised: what comes beyond is dropped
	kernel.BoundSend(c.Own.Sock.Fd())
	r.fill(c)
	c.Own.Waits.Clear(deadlines.Send)
	under := func() bool {
		info, err := kernel.Info(c.Own.Sock.Fd())
		return err == nil && info.Unacked != 0 && kernel.WindowClosed(info)
	}
	waittest.For(t, "a look at a closed window with segments on the way", func() bool {
		c.Own.Stall.Opened()
		before := under()
		r.look(c)
		return before && under()
	})
	if c.Own.Stall.ShutFor(r.all.Now()) != 0 {
		t.Error("the window's time runs")
	}
}

// The descriptor of one that has ended is another's: nobody asks for what that has not acknowledged.
func TestEndedIsNotLookedAt(t *testing.T) {
	r := newRig(t)
	c := r.lost(false)
	r.Close(c, reason.Because(reason.ClosedByManagement, ""))
	c.Own.Stall.Shut(r.all.Now(), 0)
	r.later(time.Second)
	if r.lookAll(); c.Own.Stall.ShutFor(r.all.Now()) == 0 {
		t.Error("it is looked at")
	}
}

// A reader that has stopped behind a closed window, for the send timeout and the path's round trip, ends its connection if
// requests are behind it: looked at in time, and a second is the least.
func TestReaderThatStopsBehindAClosedWindow(t *testing.T) {
	r := newRig(t)
	r.config.SendTimeout = 10 * time.Second
	r.all.Limits.RoundTrip = func(int) time.Duration { return 3 * time.Second }
	c, _ := r.behind(message.NewRequest)
	if r.looks(9 * time.Second); c.Own.Waits.For(deadlines.Acknowledgement) {
		t.Error("it is looked at by itself before the last second")
	}
	r.looks(time.Second)
	if r.lives(c, "within the send timeout"); !c.Own.Waits.For(deadlines.Acknowledgement) {
		t.Error("the next look is late")
	}
	r.looks(2 * time.Second)
	r.lives(c, "within a round trip more")
	r.looks(3 * time.Second)
	r.endsAs(c, reason.SendTimeout)
	if n := r.Stat.SendTimeouts.Load(); n != 1 {
		t.Errorf("%d are counted", n)
	}
}

// A send timeout of less than the time after which a kernel asks a peer whether its window is open gives nobody up sooner.
func TestShutForTheLeastTime(t *testing.T) {
	r := newRig(t)
	r.config.SendTimeout = time.Millisecond
	c, _ := r.behind(message.NewRequest)
	r.look(c)
	r.later(ShutLeast / 2)
	r.look(c)
	r.lives(c, "before a kernel asks")
	r.later(ShutLeast)
	r.look(c)
	r.endsAs(c, reason.SendTimeout)
}

// Who answers meanwhile reads: its time begins anew. And a socket that takes no more is looked at by the send timeout alone.
func TestShutAndAnswering(t *testing.T) {
	r := newRig(t)
	r.config.SendTimeout = 10 * time.Second
	c, _ := r.behind(message.NewRequest)
	r.looks(9 * time.Second)
	r.Input(c, []byte(response("200", "INVITE", "a")))
	r.looks(9 * time.Second)
	r.lives(c, "though it answers")
	c.Own.Waits.Set(deadlines.Send, r.all.Now()+int64(time.Hour), c)
	r.looks(30 * time.Second)
	r.lives(c, "while the send timeout looks")
	if c.Own.Stall.ShutFor(r.all.Now()) != 0 {
		t.Error("the time behind a closed window goes on")
	}
}

// What is much is asked about as it is written: an acknowledgement that is found so is life, and begins the time anew.
func TestMuchIsAskedAbout(t *testing.T) {
	r := newRig(t)
	c, peer := r.plain()
	r.acknowledged(c, peer, message.Final)
	idle, since := c.IdleDue(100), c.Own.Unacked.Since
	r.later(time.Minute)
	r.Seconds.Store(r.all.Seconds())
	text := strings.Repeat("x", 30<<10)
	for range 3 {
		r.give(c, text, message.Final)
		r.Flush(c)
	}
	if c.IdleDue(100) < idle+59 || c.Own.Unacked.Since < since+int64(59*time.Second) {
		t.Error("what is acknowledged is not seen")
	}
}

// What goes out is counted, by transport and by connection.
func TestBytesAreCounted(t *testing.T) {
	r := newRig(t)
	c, peer := r.plain()
	r.give(c, "hello", message.Final)
	r.Flush(c)
	r.reads(peer, "hello")
	r.Input(c, []byte("\r\n"))
	carried := &r.Stat.Carried[c.Src.Proto]
	if a, b := carried.BytesOut.Load(), c.Carried.BytesOut.Load(); a != 5 || b != 5 {
		t.Errorf("%d and %d bytes have gone out", a, b)
	}
	if a, b := carried.BytesIn.Load(), c.Carried.BytesIn.Load(); a != 2 || b != 2 {
		t.Errorf("%d and %d bytes have come", a, b)
	}
}

// A message that comes back has the note that it was given.
func TestNoteComesBack(t *testing.T) {
	r := newRig(t)
	var notes []any
	r.all.GiveBack = func(_ *connection.Conn, _ []byte, note any, _ *reason.Error) { notes = append(notes, note) }
	c, peer := r.plain()
	tcptest.Deafen(t, peer)
	if _, err := c.Enqueue(message.Bytes("hello"), &message.Target{Class: message.NewRequest, Note: "mine"}, nil); err != nil {
		t.Fatal(err)
	}
	r.Flush(c)
	r.Close(c, reason.Fail(reason.ReadError, errors.New("made up")))
	if len(notes) != 1 || notes[0] != "mine" {
		t.Errorf("%v", notes)
	}
}
