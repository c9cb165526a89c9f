package connectqueue

import (
	"io"
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/sendqueue"
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

// The peer reads all of it, though it says something behind our end, and ends itself.
func TestLingersUntilThePeerHasAll(t *testing.T) {
	q := newQueue(t)
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
	theirs.Close()
	if rest := await(t, parted); rest != 0 || q.Lingering() != 0 {
		t.Errorf("%d given back, %d linger", rest, q.Lingering())
	}
}

// A peer that has all and goes on talking is left after the time.
func TestLingeringHasALimit(t *testing.T) {
	q := newQueue(t)
	p, _ := pair(t)
	u := said(t, p, "BYE")
	began := time.Now()
	if rest := await(t, linger(t, q, p, &u)); rest != 0 {
		t.Errorf("%d given back, though it is acknowledged", rest)
	}
	if took := time.Since(began); took < lingerTime {
		t.Errorf("left after %v", took)
	}
}

// What the peer's TCP has not acknowledged is given back, and cannot arrive any more.
func TestRestIsGivenBack(t *testing.T) {
	q := newQueue(t)
	p, theirs := pair(t)
	var u sendqueue.Unacknowledged
	piece := make([]byte, 16<<10)
	for {
		n, err := unix.Write(p.fd, piece)
		if err != nil {
			break
		}
		u.Sent += uint64(n)
		u.Keep(piece[:n], sendqueue.Mark{Wire: u.Sent})
	}
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
