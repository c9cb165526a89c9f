package watch

import (
	"testing"

	"golang.org/x/sys/unix"
)

// stuck is the end of a socket pair.
type stuck struct {
	fd      int
	blocked bool
}

func (s *stuck) Fd() int { return s.fd }

// fill makes a pair whose first end takes no more.
func fill(t *testing.T) (full *stuck, peer int) {
	t.Helper()
	p, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(p[0]); unix.Close(p[1]) })
	for err == nil {
		_, err = unix.Write(p[0], make([]byte, 4096))
	}
	if err != unix.EAGAIN {
		t.Fatal(err)
	}
	return &stuck{fd: p[0], blocked: true}, p[1]
}

func drain(fd int) {
	for b := make([]byte, 1<<16); ; {
		if n, err := unix.Read(fd, b); n <= 0 || err != nil {
			return
		}
	}
}

func TestRecent(t *testing.T) {
	var r Recent[*stuck]
	a, peerA := fill(t)
	b, peerB := fill(t)
	const start = 1 << 40
	r.Add(a, start)
	r.Add(b, start)
	look := func(now int64) []*stuck {
		all, n := r.Writable(now, func(s *stuck) bool { return s.blocked })
		return all[:n]
	}
	if got := look(start); len(got) != 0 {
		t.Errorf("%d take bytes, with nobody reading", len(got))
	}
	drain(peerB)
	if got := look(start + recentLook - 1); len(got) != 0 {
		t.Error("it looks too often")
	}
	if got := look(start + recentLook); len(got) != 1 || got[0] != b {
		t.Errorf("%d take bytes, want the second alone", len(got))
	}
	drain(peerA)
	b.blocked = false // who has it went on writing
	if got := look(start + 2*recentLook); len(got) != 1 || got[0] != a || r.Len() != 1 {
		t.Errorf("%d take bytes, %d are noted", len(got), r.Len())
	}
	if got := look(start + recentTime); len(got) != 0 || r.Len() != 0 {
		t.Errorf("%d are noted for ever", r.Len())
	}
}

func TestRecentIsBounded(t *testing.T) {
	var r Recent[*stuck]
	a, _ := fill(t)
	for range 2 * recentMost {
		r.Add(a, 1<<40)
	}
	if r.Len() != recentMost {
		t.Errorf("%d are noted", r.Len())
	}
	look := func() { r.Writable(r.looked+recentLook, func(s *stuck) bool { return s.blocked }) }
	r.looked = 1 << 40
	look()
	if n := testing.AllocsPerRun(50, look); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// All that take bytes again are told at once, and what is forgotten is not held on to.
func TestRecentTellsAll(t *testing.T) {
	var r Recent[*stuck]
	for range 3 {
		s, peer := fill(t)
		r.Add(s, 1<<40)
		drain(peer)
	}
	isBlocked := func(s *stuck) bool { return s.blocked }
	if all, n := r.Writable(1<<40+recentLook, isBlocked); n != 3 || all[0] == all[1] || all[2] == nil {
		t.Errorf("%d take bytes, want all three", n)
	}
	if _, n := r.Writable(1<<40+recentTime, isBlocked); n != 0 || r.Len() != 0 {
		t.Errorf("%d are noted for ever", r.Len())
	}
	for _, s := range r.socks[:cap(r.socks)] {
		if s != nil {
			t.Error("one that is forgotten is held on to")
		}
	}
}
