package relay

import (
	"errors"
	"io"
	"net"
	"testing"
)

// TestNotices: the socket stays over a reload with the same address and goes with one that has another, or none; who reads
// has ended then, even one that waits for another try.
func TestNotices(t *testing.T) {
	type module struct{ name string }
	opened, closed := 0, 0
	open := func(n *Notices[module]) (func(), error) {
		opened++
		n.Go(func() {
			for n.Again(io.ErrUnexpectedEOF) {
			}
		})
		return func() { closed++ }, nil
	}
	take := func(m *module, before *Notices[module], at string) *Notices[module] {
		t.Helper()
		n, err := TakeNotices(m, before, at, open)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	first, second, third := &module{"first"}, &module{"second"}, &module{"third"}
	a := take(first, nil, "a")
	if b := take(second, a, "a"); b != a || a.Of() != second {
		t.Error("the next module hears nothing")
	}
	a.Leave(second, a)
	a.Leave(first, a) // the next configuration has failed
	if a.Of() != first || closed != 0 {
		t.Error("the one before does not hear it again")
	}
	c := take(third, a, "c")
	a.Leave(third, c)
	if opened != 2 || closed != 1 {
		t.Errorf("%d were opened, %d closed", opened, closed)
	}
	c.Leave(nil, nil)
	(*Notices[module])(nil).Leave(nil, nil)
	if closed != 2 || c.Again(net.ErrClosed) {
		t.Errorf("%d were closed", closed)
	}
	wrong := errors.New("wrong")
	if _, err := TakeNotices(first, nil, "d", func(*Notices[module]) (func(), error) { return nil, wrong }); !errors.Is(err, wrong) {
		t.Error(err)
	}
}
