package loops

import (
	"testing"

	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/codec"
	"sipreactor/reactor/internal/connection"
	"sipreactor/reactor/internal/message"
	"sipreactor/reactor/internal/poller/pollertest"
)

// pair is a loop with the connection of another's, which sleeps.
type pair struct {
	*rig
	other *Loop
	conn  *connection.Conn
	peer  int // the connection's other end
}

func newPair(t *testing.T) *pair {
	p := &pair{rig: newRig(t)}
	p.common.Company.Idle = func() float64 { return 0 }
	p.common.Company.Recall() // each is on its own
	var told later
	p.other = NewLoop(&p.common, pollertest.Hold(t, &told).Loop)
	told.LoopHandler = p.other
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	p.peer = fds[1]
	p.conn = p.established()
	p.conn.Loop, p.conn.Own.Codec = p.other, &codec.Plain{}
	p.conn.Own.Sock.Hold(fds[0])
	p.other.Sched.Leave() // it sleeps
	t.Cleanup(func() {
		p.conn.Own.Sock.Hold(-1)
		unix.Close(fds[0])
		unix.Close(fds[1])
		if !p.other.Sched.Enter() {
			t.Error("somebody is in the other loop's place, or it was woken for nothing")
		}
	})
	return p
}

// send has the Handler, which the loop runs, send a message to the other's connection.
func (p *pair) send(text string) {
	p.Helper()
	p.Lent()
	target := message.Target{Class: message.NewRequest}
	if o, err := p.conn.Enqueue(message.Bytes(text), &target, nil); o != message.Sent {
		p.Fatalf("%v, %v", o, err)
	}
	p.FlushSoon(p.conn)
	p.Returned()
}

// arrived returns what has come to the connection's peer.
func (p *pair) arrived() string {
	b := make([]byte, 4096)
	n, err := unix.Read(p.peer, b)
	if err != nil && err != unix.EAGAIN {
		p.Fatal(err)
	}
	return string(b[:max(n, 0)])
}

// What the messages of several reads send to a connection of another loop's waits for the
// end of them all, is one batch, and is written without that loop.
func TestMessagesOfSeveralReadsShareAWrite(t *testing.T) {
	p := newPair(t)
	p.Defer() // the reads of a callback
	for _, m := range []string{"one", "two", "three"} {
		p.send(m)
	}
	if got := p.arrived(); got != "" {
		t.Errorf("%q is written before the reads are over", got)
	}
	p.Sched.Settle() // their end
	p.Sched.Woken()  // when it has read what else is there
	if got := p.arrived(); got != "onetwothree" {
		t.Errorf("%q has arrived", got)
	}
	if n := p.other.Stat.Batches.Load(); n != 1 {
		t.Errorf("it took %d batches", n)
	}
	if posted, _ := p.other.Sched.Stop(); len(posted) != 0 {
		t.Errorf("the other loop was asked to serve %d connections", len(posted))
	}
}

// A loop that is awake is asked, and has what it is asked for.
func TestAwakeLoopIsAsked(t *testing.T) {
	p := newPair(t)
	if !p.other.Sched.Enter() {
		t.Fatal("somebody is in the other loop's place")
	}
	p.Defer()
	p.send("one")
	p.Sched.Settle()
	p.Sched.Woken()
	if got := p.arrived(); got != "" {
		t.Errorf("%q is written in the place of a loop that is awake", got)
	}
	p.other.Sched.Woken()
	p.other.Sched.Leave()
	if got := p.arrived(); got != "one" {
		t.Errorf("%q has arrived", got)
	}
}

// More than a flush is for the connection's own loop: it is asked, and all of it is done there.
func TestMoreThanAFlushIsTheOthers(t *testing.T) {
	p := newPair(t)
	p.Defer()
	p.send("one")
	p.conn.Ask(connection.EvRead)
	p.Sched.Settle()
	p.Sched.Woken()
	if got := p.arrived(); got != "" {
		t.Errorf("%q is written", got)
	}
	p.other.Sched.Woken()
	if got := p.arrived(); got != "one" {
		t.Errorf("%q has arrived", got)
	}
}
