package reactor

import (
	"errors"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sipreactor/reactor/ports"
)

// unusedAddress is one at which nobody listens, nor is given it.
func unusedAddress(t *testing.T) netip.AddrPort {
	t.Helper()
	at, err := ports.Address()
	if err != nil {
		t.Fatal(err)
	}
	return netip.MustParseAddrPort(at)
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
	dead, alive := unusedAddress(t), packets(t).LocalAddr().(*net.UDPAddr).AddrPort()
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

// What the network quotes while the shard of its message has no room is dropped, and counted.
func TestQuoteWithoutRoom(t *testing.T) {
	began, release := make(chan bool), make(chan bool)
	r := start(t, &script{message: func(*Worker, *Frame) {
		began <- true
		<-release
	}}, func(c *Config) {
		withUDP(c)
		c.Workers, c.QueueFrames = 1, 1
	})
	peer := packets(t)
	to := net.UDPAddrFromAddrPort(r.addr(UDP))
	for i := range 2 { // one is in hand, one fills the queue
		if _, err := peer.WriteTo([]byte(request("MESSAGE", strconv.Itoa(i), 1, "")), to); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			<-began
		}
	}
	r.eventually("the queue is full", func() bool { return r.dispatcher.Shards[0].Busy() == 2 })
	const n = 3
	before := r.Stats()
	for range n {
		if _, err := r.Send(&Target{Proto: UDP, Addr: unusedAddress(t)}, Bytes(request("MESSAGE", "x", 1, ""))); err != nil {
			t.Fatal(err)
		}
	}
	r.eventually("all are counted", func() bool {
		s := r.Stats()
		return s.DatagramsBounced-before.DatagramsBounced == n && s.Dropped-before.Dropped == n
	})
	release <- true
	<-began
	release <- true
	if back, _ := r.script.lost(); len(back) != 0 {
		t.Errorf("%q came back", back)
	}
}
