package reactor

import (
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// deadPort is an address of UDP at which nobody listens.
func deadPort(t *testing.T) netip.AddrPort {
	t.Helper()
	pc := packets(t)
	at := pc.LocalAddr().(*net.UDPAddr).AddrPort()
	pc.Close()
	return at
}

// bounce is a Handler that keeps what came back.
type bounce struct {
	script
	back chan *Undelivered
}

func (b *bounce) Undelivered(_ *Worker, u *Undelivered) {
	kept := *u
	kept.Data = append([]byte{}, u.Data...)
	b.back <- &kept
}

// What the network quotes of a datagram comes back, in whole lines; a destination of
// which the Handler says that it is true is left alone where there is another.
func TestBouncedDatagram(t *testing.T) {
	h := &bounce{back: make(chan *Undelivered, 10)}
	r := startWith(t, h, &h.script, withUDP)
	var socket *Socket
	for _, s := range r.Sockets() {
		if s.Proto == UDP {
			socket = s
		}
	}
	dead, alive := deadPort(t), packets(t).LocalAddr().(*net.UDPAddr).AddrPort()
	set := &AddrSet{EndPoints: []EndPoint{{Proto: UDP, Addr: dead}, {Proto: UDP, Addr: alive}}}
	text := request("MESSAGE", "x", 1, strings.Repeat("long ", 400))
	send := func(to netip.AddrPort, set *AddrSet) error {
		_, err := r.Send(&Target{Proto: UDP, Addr: to, Socket: socket, Set: set, Class: NewRequest}, Bytes(text))
		return err
	}
	bounced := func() *Undelivered {
		t.Helper()
		select {
		case u := <-h.back:
			return u
		case <-time.After(patience):
			t.Fatal("nothing came back")
			return nil
		}
	}
	if err := send(dead, set); err != nil {
		t.Fatal(err)
	}
	u := bounced()
	head := strings.TrimSuffix(string(u.Data), "\r\n")
	if !u.Quoted || u.Proto != UDP || u.Addr != dead || u.Socket != socket || !errors.Is(u.Err, unix.ECONNREFUSED) ||
		u.Err.Blame != BlamePeer || !strings.HasPrefix(text, head) || !strings.HasSuffix(head, "\r\n") {
		t.Errorf("%+v: %q", u, u.Data)
	}
	if err := send(dead, set); err != nil { // nobody has said that it is true
		t.Error(err)
	}
	bounced()
	r.Unreachable(u)
	var e *Error
	if err := send(dead, set); !errors.As(err, &e) || e.Reason != ConnectFailed {
		t.Errorf("left alone: %v", err)
	}
	if err := send(alive, set); err != nil {
		t.Error(err)
	}
	if err := send(dead, nil); err != nil { // there is no other
		t.Error(err)
	}
	bounced()
	if list := r.Backoff(); len(list) != 1 || list[0].Proto != UDP || list[0].Addr != dead {
		t.Errorf("%+v", list)
	}
	r.eventually("it is tried again", func() bool { return send(dead, set) == nil })
	if n := r.Stats().DatagramsBounced; n < 3 {
		t.Errorf("%d are counted", n)
	}
}
