package reactor

import (
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/loops"
)

// A peer that restarts without a FIN knows our connection no more: what we
// write next is answered with a reset. The connection ends with a reason, and
// the message after it goes over a new one.
func TestPeerRestartsWithoutFIN(t *testing.T) {
	conns := make(chan net.Conn, 4)
	addr := accepting(t, func(c net.Conn) { conns <- c })
	s := &script{}
	r := start(t, s, nil)
	to := &Target{Proto: TCP, Addr: addr}
	send := func(i int) {
		t.Helper()
		if _, err := r.Send(to, Bytes(request("MESSAGE", "x", i, ""))); err != nil {
			t.Fatal(err)
		}
	}
	send(1)
	first := <-conns
	h := r.only()
	raw, err := first.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var vanish error
	if err := raw.Control(func(fd uintptr) { vanish = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_REPAIR, 1) }); err != nil {
		t.Fatal(err)
	}
	if vanish != nil {
		t.Skipf("a socket cannot be made to vanish here: %v", vanish)
	}
	first.Close() // no FIN, no reset
	if !r.Alive(h) {
		t.Fatal("the peer said something")
	}
	send(2)
	r.eventually("the connection ends", func() bool { return !r.Alive(h) })
	if reason := r.firstClose(); reason != ReadError && reason != WriteError {
		t.Errorf("closed with %v", reason)
	}
	send(3)
	second := <-conns
	buf := make([]byte, 1000)
	if n, err := second.Read(buf); err != nil || string(buf[:n]) != request("MESSAGE", "x", 3, "") {
		t.Errorf("got %q, %v", buf[:n], err)
	}
}

// What a peer said before it went is heard, though a write finds out first that
// it is gone: its last message is handled, and ours comes back.
func TestLastWordsAreHeard(t *testing.T) {
	conns := make(chan net.Conn, 1)
	addr := accepting(t, func(c net.Conn) { conns <- c })
	s := &script{}
	r := start(t, s, nil)
	to := &Target{Proto: TCP, Addr: addr}
	if _, err := r.Send(to, Bytes(request("MESSAGE", "x", 1, ""))); err != nil {
		t.Fatal(err)
	}
	peer := <-conns
	c := r.conns.Table.Get(r.only())
	held, wrote := make(chan struct{}), make(chan struct{})
	c.Loop.(*loops.Loop).Poll.Post(func() {
		close(held)
		<-wrote
		c.Loop.(*loops.Loop).Flush(c)
	})
	<-held
	_, _ = peer.Write([]byte(request("MESSAGE", "last", 1, "")))
	_ = peer.(*net.TCPConn).SetLinger(0)
	peer.Close()
	if _, err := r.Send(to, Bytes(request("MESSAGE", "x", 2, ""))); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(patience); !reset(c.Own.Sock.Fd()) && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	close(wrote)
	r.eventually("the connection ends", func() bool { return !r.alive() })
	r.eventually("the peer's message is handled", func() bool { return len(s.got()) == 1 })
	r.eventually("ours comes back", func() bool { lost, _ := s.lost(); return len(lost) == 1 })
}

// reset tells whether the peer's reset has arrived.
func reset(fd int) bool {
	info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
	return err == nil && info.State == 7 // TCP_CLOSE
}
