package datagrams

import (
	"errors"
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/waittest"
)

// An Out outlives the socket that it was made of, until it is closed.
func TestOut(t *testing.T) {
	peer, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	_ = peer.SetReadDeadline(time.Now().Add(30 * time.Second))
	conn, err := net.DialUDP("udp", nil, peer.LocalAddr().(*net.UDPAddr))
	if err != nil {
		t.Fatal(err)
	}
	o, err := NewOut(conn)
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	if _, err = NewOut(conn); err == nil {
		t.Error("a closed socket has one")
	}
	if err = o.Send([]byte("x")); err != nil || o.Fd() < 0 {
		t.Errorf("%v, descriptor %d", err, o.Fd())
	}
	if n, err := peer.Read(make([]byte, 8)); n != 1 || err != nil {
		t.Errorf("%d bytes, %v", n, err)
	}
	peer.Close()
	other := errors.New("other")
	_ = o.Send([]byte("to nobody"))
	waittest.For(t, "what ICMP says", func() bool { return errors.Is(o.Cause(other), unix.ECONNREFUSED) })
	if err := o.Cause(other); err != other {
		t.Errorf("told twice: %v", err)
	}
	if err := o.Cause(nil); err != nil {
		t.Errorf("nothing is wrong, and it says %v", err)
	}
	o.Close()
	o.Close()
	if err := o.Send([]byte("x")); err != net.ErrClosed || o.Fd() != -1 || o.Cause(other) != other {
		t.Errorf("closed: %v, descriptor %d", err, o.Fd())
	}
}
