package connectqueue

import (
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/sendqueue"
	"sipreactor/reactor/internal/waittest"
)

// pair returns a socket of ours that is connected, and the peer's end.
func pair(t *testing.T) (ours *peer, theirs *net.TCPConn) {
	t.Helper()
	l, at := listener(t)
	ours = begin(t, at)
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return ours, c.(*net.TCPConn)
}

// said writes a message and keeps it as unacknowledged.
func said(t *testing.T, p *peer, text string) (u sendqueue.Unacknowledged) {
	t.Helper()
	if n, err := unix.Write(p.fd, []byte(text)); n != len(text) || err != nil {
		t.Fatal(n, err)
	}
	u.Sent = uint64(len(text))
	u.Keep([]byte(text), sendqueue.Mark{Wire: u.Sent})
	return u
}

// linger closes our descriptor and leaves the socket with the queue.
func linger(t *testing.T, q *Queue[*peer], p *peer, u *sendqueue.Unacknowledged) chan int {
	t.Helper()
	parted := make(chan int, 2)
	if !q.Linger(p.fd, u, func(rest *sendqueue.Unacknowledged) {
		n := 0
		rest.Take(func([]byte, *sendqueue.Mark) { n++ })
		parted <- n
	}) {
		t.Fatal("it does not linger")
	}
	if !u.Empty() {
		t.Error("the rest has two owners")
	}
	unix.Close(p.fd)
	return parted
}

// still is a clock that stands: no time ends what lingers.
func still() int64 { return 1 }

// only returns the one that lingers, as it is at the moment.
func only(q *Queue[*peer]) (g lingering) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, one := range q.lingers {
		g = *one
	}
	return g
}

// The peer reads all of it, though it says something behind our end, and ends itself.
func TestLingersUntilThePeerHasAll(t *testing.T) {
	q := newQueue(t)
	q.now = still
	p, theirs := pair(t)
	u := said(t, p, "BYE")
	parted := linger(t, q, p, &u)
	if _, err := theirs.Write(make([]byte, 3000)); err != nil {
		t.Error(err)
	}
	if got, err := io.ReadAll(theirs); string(got) != "BYE" || err != nil {
		t.Errorf("the peer reads %q, %v", got, err)
	}
	if q.Lingering() != 1 || len(parted) != 0 {
		t.Errorf("%d linger, %d parted", q.Lingering(), len(parted))
	}
	waittest.For(t, "what it says is read", func() bool { return only(q).read == 3000 })
	theirs.Close()
	if rest := await(t, parted); rest != 0 || q.Lingering() != 0 {
		t.Errorf("%d given back, %d linger", rest, q.Lingering())
	}
}

// A peer that has all and goes on talking is left after the time.
func TestLingeringHasALimit(t *testing.T) {
	q := newQueue(t)
	p, theirs := pair(t)
	u := said(t, p, "BYE")
	began := time.Now()
	if rest := await(t, linger(t, q, p, &u)); rest != 0 {
		t.Errorf("%d given back, though it is acknowledged", rest)
	}
	if took := time.Since(began); took < lingerTime {
		t.Errorf("left after %v", took)
	}
	if _, err := theirs.Write([]byte("x")); err != nil {
		t.Errorf("a peer that has all is reset: %v", err)
	}
}

// What the peer's TCP has not acknowledged is given back, and cannot arrive any more.
func TestRestIsGivenBack(t *testing.T) {
	q := newQueue(t)
	p, theirs := pair(t)
	u := full(p)
	parted := linger(t, q, p, &u)
	q.CutLingering()
	if rest := await(t, parted); rest == 0 || q.Lingering() != 0 {
		t.Errorf("%d given back, %d linger", rest, q.Lingering())
	}
	if _, err := io.Copy(io.Discard, theirs); err == nil {
		t.Error("the peer sees an end in order")
	}
}

func TestLingeringIsBounded(t *testing.T) {
	q := newQueue(t)
	q.MaxLingering = 1
	first, _ := pair(t)
	u := said(t, first, "one")
	parted := linger(t, q, first, &u)
	second, _ := pair(t)
	u = said(t, second, "two")
	if q.Linger(second.fd, &u, nil) || u.Empty() {
		t.Error("a second one lingers, or lost what it wrote")
	}
	u.Take(func([]byte, *sendqueue.Mark) {})
	unix.Close(second.fd)
	q.CutLingering()
	await(t, parted)
}

// full writes until the peer's kernel takes no more, and keeps that as unacknowledged.
func full(p *peer) (u sendqueue.Unacknowledged) {
	piece := make([]byte, 16<<10)
	for {
		n, err := unix.Write(p.fd, piece)
		if err != nil {
			return u
		}
		u.Sent += uint64(n)
		u.Keep(piece[:n], sendqueue.Mark{Wire: u.Sent})
	}
}

// A peer that ended its half and is then reset acknowledges nothing more: nobody waits for that.
func TestResetEndsLingering(t *testing.T) {
	q := newQueue(t)
	q.now = still
	p, theirs := pair(t)
	u := full(p)
	if err := theirs.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	parted := linger(t, q, p, &u)
	waittest.For(t, "its end is seen", func() bool { return only(q).ended })
	if err := errors.Join(theirs.SetLinger(0), theirs.Close()); err != nil {
		t.Fatal(err)
	}
	if rest := await(t, parted); rest == 0 {
		t.Error("the peer has all, though it was reset")
	}
}

// TCP counts our end as a byte, which the peer has not acknowledged either.
func TestOurEndIsSent(t *testing.T) {
	q := newQueue(t)
	p, _ := pair(t)
	u := said(t, p, "BYE")
	sent := make(chan uint64, 1)
	if !q.Linger(p.fd, &u, func(rest *sendqueue.Unacknowledged) { sent <- rest.Sent }) {
		t.Fatal("it does not linger")
	}
	unix.Close(p.fd)
	if q.CutLingering(); await(t, sent) != uint64(len("BYE"))+1 {
		t.Error("our end is no byte")
	}
}
