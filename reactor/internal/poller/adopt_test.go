package poller

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/kernel"
	"sipreactor/reactor/internal/listener"
)

// A few connections are on as many loops, however the kernel hashes them.
func TestFewConnectionsAreSpread(t *testing.T) {
	r := start(t, 4)
	var conns []net.Conn
	for i := range 40 {
		c := r.dial()
		r.echoed(c, "hello")
		conns = append(conns, c)
		most, least := 0, 1<<30
		for _, l := range r.Loops() {
			most, least = max(most, l.Sockets()), min(least, l.Sockets())
		}
		if most-least > 1+most/uneven {
			t.Fatalf("of %d connections one loop has %d, one %d", i+1, most, least)
		}
	}
	if r.Moved.Load() == 0 {
		t.Error("none was moved: the kernel cannot be so even")
	}
	for _, c := range conns {
		r.echoed(c, "still here")
	}
	r.eventually("nothing is on its way", func() bool { return r.handing.Load() == 0 })
	total := 0
	for _, l := range r.Loops() {
		total += l.Sockets()
		if !l.MaySleep() {
			t.Error("a loop may not sleep any more")
		}
	}
	if total != 40 {
		t.Errorf("%d sockets are counted", total)
	}
}

// What a peer says before its connection is moved is not lost, nor that it goes.
func TestMovedConnectionKeepsWhatCame(t *testing.T) {
	r := start(t, 3)
	for range 50 {
		c := r.dial()
		if _, err := c.Write([]byte("early")); err != nil {
			t.Fatal(err)
		}
		if err := c.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(c); err != nil || string(got) != "early" {
			t.Fatalf("%q, %v", got, err)
		}
		if err := r.end(); err != ErrEnd {
			t.Errorf("closed with %v", err)
		}
	}
	for i, l := range r.Loops() {
		r.eventually("its socket is counted off", func() bool { return l.Sockets() == 0 })
		_ = i
	}
}

// Peers that come and go at once while the Poller stops leave nothing.
func TestStopWhilePeersCome(t *testing.T) {
	before := open(t)
	for range 5 {
		r := start(t, 3)
		at := r.Addr(0).String()
		over := make(chan struct{})
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			for {
				select {
				case <-over:
					return
				default:
				}
				if c, err := net.DialTimeout("tcp", at, time.Second); err == nil {
					_ = c.(*net.TCPConn).SetLinger(0)
					c.Close()
				}
			}
		}()
		time.Sleep(20 * time.Millisecond)
		if err := r.Stop(); err != nil {
			t.Error(err)
		}
		close(over)
		<-ended
	}
	if n := open(t); n > before {
		t.Errorf("%d descriptors are open, %d before", n, before)
	}
}

// A connection that is reset before the hand-over is an error: gnet would have
// duplicated the descriptor and lost it.
func TestHandoverOfADeadSocket(t *testing.T) {
	before := open(t)
	for range 200 {
		fd, peer := connected(t)
		_ = peer.SetLinger(0)
		peer.Close()
		if nc, err := kernel.Connected(fd); err == nil {
			nc.Close()
			t.Fatal("a connection that is reset was handed over")
		} else if !errors.Is(err, unix.ECONNRESET) && !errors.Is(err, unix.ENOTCONN) {
			t.Fatalf("got %v, want what the socket says", err)
		}
	}
	if after := open(t); after > before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
}

// The hand-over leaves the keep-alive as it was.
func TestHandoverKeepsKeepalive(t *testing.T) {
	fd, _ := connected(t)
	k := kernel.Keepalive{Enabled: true, Idle: 5000 * time.Second, Interval: 44 * time.Second, Count: 3}
	k.Set(fd)
	want := kernel.KeepaliveOf(fd)
	nc, err := kernel.Connected(fd)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	raw, err := nc.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if err := raw.Control(func(fd uintptr) {
		if got := kernel.KeepaliveOf(int(fd)); got != want {
			t.Errorf("%v, want %v", got, want)
		}
	}); err != nil {
		t.Fatal(err)
	}
}

// A detached socket lives on, and can be written to until it is closed.
func TestDetach(t *testing.T) {
	r := start(t, 1)
	c := r.dial()
	r.echoed(c, "x")
	var s *Socket
	r.each(func(h *echoLoop) { h.detach = true; s = h.sockets[0] })
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if err := r.end(); err != ErrEnd {
		t.Fatal(err)
	}
	r.each(func(*echoLoop) {
		if !s.Detached() {
			t.Error("not detached")
		}
		if _, err := s.Write([]byte("goodbye")); err != nil {
			t.Error(err)
		}
		s.Close()
	})
	if got, err := io.ReadAll(c); err != nil || string(got) != "goodbye" {
		t.Errorf("%q, %v", got, err)
	}
}

// What is inherited is accepted from and spread over the loops.
func TestInheritedListenerIsSpread(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	f, err := ln.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := start(t, 3, listener.Config{Addr: ln.Addr().(*net.TCPAddr).AddrPort(), Inherited: f})
	for range 9 {
		r.echoed(r.dial(), "x")
	}
	for i, l := range r.Loops() {
		if n := l.Sockets(); n < 2 || n > 4 {
			t.Errorf("loop %d has %d of 9", i, n)
		}
	}
	if got, want := r.Addr(0), netip.MustParseAddrPort(ln.Addr().String()); got != want {
		t.Errorf("%v, want %v", got, want)
	}
}
