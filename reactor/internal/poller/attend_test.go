package poller

import (
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/listener"
)

// handOver has the second loop wait in its wake-up, handed over, until the first one finds
// what it is not to do. It returns what tells that.
func (r *rig) handOver() (back <-chan struct{}) {
	first, other := r.Loops()[0], r.Loops()[1]
	wanted, over, in := make(chan struct{}), make(chan struct{}), make(chan struct{})
	r.on(first, func(h *echoLoop) {
		h.attend = func(of *Loop) {
			switch {
			case of != other:
				r.Error("another loop has something to be done")
			case !of.Look():
				of.TakeBack()
				close(wanted)
			}
		}
	})
	r.on(other, func(h *echoLoop) {
		h.onWoken = func() {
			h.onWoken = nil
			if !other.HandOver() {
				r.Error("it is not handed over")
			}
			close(in)
			select {
			case <-wanted:
			case <-r.ending:
			}
			close(over)
		}
	})
	other.Wake()
	<-in
	return over
}

// called waits until the loop's own goroutine has been called.
func (r *rig) called(back <-chan struct{}) {
	r.Helper()
	select {
	case <-back:
	case <-time.After(patience):
		r.Fatal("its own goroutine is not called")
	}
}

// dialOther dials until the second loop has the connection.
func (r *rig) dialOther() (c *net.TCPConn, s *Socket) {
	for s == nil {
		c = r.dial()
		r.echoed(c, "hello")
		r.on(r.Loops()[1], func(h *echoLoop) {
			for _, have := range h.sockets {
				peer, err := unix.Getpeername(have.Fd())
				if err == nil && peer.(*unix.SockaddrInet4).Port == c.LocalAddr().(*net.TCPAddr).Port {
					s = have
				}
			}
		})
	}
	return c, s
}

func TestAttended(t *testing.T) {
	r := start(t, 2)
	c, _ := r.dialOther()
	reset, _ := r.dialOther()
	back := r.handOver()
	for range 3 {
		r.echoed(c, "read on the first loop's goroutine")
	}
	woken := make(chan struct{})
	other := r.Loops()[1]
	r.on(r.Loops()[0], func(*echoLoop) { other.Handler().(*echoLoop).onWoken = func() { close(woken) } })
	other.Wake()
	<-woken
	c.Close()
	if err := r.end(); err != ErrEnd {
		t.Errorf("closed: %v", err)
	}
	_ = reset.SetLinger(0)
	reset.Close()
	if err := r.end(); !errors.Is(err, unix.ECONNRESET) {
		t.Errorf("a reset: %v", err)
	}
	select {
	case <-back:
		t.Fatal("its own goroutine was called for what the first one does")
	default:
	}
	d, _ := r.dialOther()
	r.called(back)
	r.echoed(d, "on its own")
}

// What only gnet can do is done on the loop's own goroutine, and nothing of it is lost.
func TestAttendedWantsItsOwn(t *testing.T) {
	r := start(t, 2)
	other := r.Loops()[1]

	back := r.handOver()
	done := make(chan struct{})
	other.Post(func() { close(done) })
	r.called(back)
	<-done

	back = r.handOver()
	var dialled []*net.TCPConn
	for range 40 { // the kernel chooses whose listener gets one
		dialled = append(dialled, r.dial())
	}
	r.called(back)
	for _, d := range dialled {
		r.echoed(d, "accepted")
	}
}

func TestAttendedDatagrams(t *testing.T) {
	r := start(t, 2, listener.Config{Addr: netip.MustParseAddrPort("127.0.0.1:0"), Datagrams: true})
	back := r.handOver()
	var looks int
	r.on(r.Loops()[0], func(h *echoLoop) {
		attend := h.attend
		h.attend = func(of *Loop) { looks++; attend(of) }
	})
	for range 40 { // the kernel chooses the socket by the sender's port
		c, err := net.Dial("udp", r.Addr(0).String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		<-r.came
		<-r.datagrams
	}
	r.on(r.Loops()[0], func(*echoLoop) {
		if looks == 0 {
			t.Error("no datagram came to the second loop")
		}
	})
	select {
	case <-back:
		t.Error("its own goroutine was called for a datagram")
	default:
	}
	r.Loops()[1].Post(func() {})
	r.called(back)
}

// Loops that are attended to end with the others, even if the first one has ended already.
func TestAttendedEnd(t *testing.T) {
	r := start(t, 2)
	back := r.handOver()
	r.on(r.Loops()[0], func(h *echoLoop) { h.attend = func(*Loop) {} })
	if err := r.Stop(); err != nil {
		t.Error(err)
	}
	r.called(back)
}

// once: gnet is told of a task by an edge: who looks at the set before it has taken it.
func TestFactOnce(t *testing.T) {
	r := start(t, 2)
	other := r.Loops()[1]
	in, out := make(chan struct{}), make(chan struct{})
	r.on(other, func(h *echoLoop) { h.onWoken = func() { h.onWoken = nil; close(in); <-out } })
	other.Wake()
	<-in
	done := make(chan struct{})
	other.Post(func() { close(done) })
	told := func() (n int) {
		var events [8]unix.EpollEvent
		all, _ := unix.EpollWait(other.set, events[:], 0)
		for _, ev := range events[:all] {
			if int(ev.Fd) == other.told.FD {
				n++
			}
		}
		return n
	}
	if first, again := told(), told(); first != 1 || again != 0 {
		t.Errorf("told %d times, and %d times again", first, again)
	}
	if other.look(other.told.FD, nil) {
		t.Error("a task can be done by others")
	}
	close(out)
	r.called(done)
}

// elsewhere: a connection may be closed on another goroutine while its loop's is in a callback.
func TestFactElsewhere(t *testing.T) {
	r := start(t, 2)
	c, s := r.dialOther()
	in, out := make(chan struct{}), make(chan struct{})
	other := r.Loops()[1]
	r.on(other, func(h *echoLoop) { h.onWoken = func() { h.onWoken = nil; close(in); <-out } })
	other.Wake()
	<-in
	before := open(t)
	s.Close()
	if now := open(t); now != before-1 {
		t.Errorf("%d descriptors, %d before", now, before)
	}
	if err := r.end(); err != nil {
		t.Error(err)
	}
	close(out)
	if n, err := c.Read(make([]byte, 1)); n != 0 || err == nil {
		t.Errorf("%d bytes, %v", n, err)
	}
	d, _ := r.dialOther()
	r.echoed(d, "the loop goes on")
}

// A sleep of the first loop tells whose the things are that it has found, and keeps none of
// them from gnet.
func TestSleepFindsOthers(t *testing.T) {
	r := start(t, 2)
	c, _ := r.dialOther()
	first, other := r.Loops()[0], r.Loops()[1]
	back := r.handOver()
	woken := make(chan struct{}, 1)
	r.on(first, func(h *echoLoop) { h.onWoken = func() { woken <- struct{}{} } })
	done := make(chan struct{})
	r.on(first, func(*echoLoop) {
		sleep := func(want Found) {
			r.Helper()
			got := first.Sleep(patience)
			if of := first.Found(); got != want || got&Others != 0 && (len(of) != 1 || of[0] != other) {
				r.Errorf("it has found %d of %v; want %d", got, of, want)
			}
		}
		if got := first.Sleep(time.Millisecond); got != 0 {
			r.Errorf("nothing is there, and it has found %d", got)
		}
		if _, err := c.Write([]byte("for the other one")); err != nil {
			r.Error(err)
		}
		sleep(Others)
		first.Wake()
		sleep(Own | Others)
		if !other.Look() {
			r.Error("something is left")
		}
		sleep(Own)
		first.Post(func() { close(done) })
		sleep(Own) // its wake-up, and the task that gnet is told of once
	})
	r.called(done)
	r.called(woken)
	if _, err := c.Read(make([]byte, 64)); err != nil {
		t.Error(err)
	}
	other.Post(func() {})
	r.called(back)
}
