package poller

import (
	"errors"
	"net"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"
)

// far is the other end of a line.
func far(t *testing.T) *net.UDPConn {
	t.Helper()
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func to(t *testing.T, c *net.UDPConn) *net.UDPConn {
	t.Helper()
	near, err := net.DialUDP("udp4", nil, c.LocalAddr().(*net.UDPAddr))
	if err != nil {
		t.Fatal(err)
	}
	return near
}

// Each datagram of a line is handed on by itself, on the loop that has it; Close ends it, and
// leaves nothing open.
func TestLine(t *testing.T) {
	r := start(t, 2)
	before := open(t)
	for _, l := range r.Loops() {
		peer := far(t)
		got, ended := make(chan string, 10), make(chan error, 2)
		n, err := l.OpenLine(to(t, peer), func(in []byte) { got <- string(in) }, func(err error) { ended <- err })
		if err != nil {
			t.Fatal(err)
		}
		if err := n.Send([]byte("hello")); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 100)
		k, from, err := peer.ReadFrom(b)
		if err != nil || string(b[:k]) != "hello" {
			t.Fatalf("%q, %v", b[:k], err)
		}
		for _, text := range []string{"one", "two", "three"} {
			if _, err := peer.WriteTo([]byte(text), from); err != nil {
				t.Fatal(err)
			}
		}
		for _, want := range []string{"one", "two", "three"} {
			if text := <-got; text != want {
				t.Errorf("%q, want %q", text, want)
			}
		}
		n.Close()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := n.Send([]byte("late")); !errors.Is(err, net.ErrClosed) {
			t.Errorf("behind the end: %v", err)
		}
		peer.Close()
	}
	r.eventually("nothing is left open", func() bool { return open(t) <= before })
}

// A peer that refuses datagrams ends the line, and it is told why; so does the end of the
// loops.
func TestLineEnds(t *testing.T) {
	r := start(t, 1)
	l := r.Loops()[0]
	gone := far(t)
	near := to(t, gone)
	gone.Close()
	ended := make(chan error, 2)
	n, err := l.OpenLine(near, func([]byte) { t.Error("there is nobody") }, func(err error) { ended <- err })
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Send([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, unix.ECONNREFUSED) && !errors.Is(err, ErrBroken) {
		t.Error(err)
	}
	var told atomic.Int32
	if _, err := l.OpenLine(to(t, far(t)), func([]byte) {}, func(error) { told.Add(1) }); err != nil {
		t.Fatal(err)
	}
	if err := r.Stop(); err != nil {
		t.Error(err)
	}
	if told.Load() != 1 {
		t.Errorf("its end was told %d times", told.Load())
	}
	if _, err := l.OpenLine(to(t, far(t)), nil, nil); !errors.Is(err, ErrStopped) {
		t.Errorf("behind the end: %v", err)
	}
}
