package reactor

import (
	"bufio"
	"net"
	"testing"
	"time"
)

// TestKeepFor keeps one of two idle connections.
func TestKeepFor(t *testing.T) {
	t.Parallel()
	r := start(t, &script{message: echo}, func(c *Config) { c.Lifetime = 2 * time.Second })
	kept := r.dial(TCP)
	r.dial(TCP)
	var handle Handle
	r.eventually("both are up", func() bool { return r.Engine.Connections() == 2 })
	for _, e := range r.seen.of(ConnEstablished) {
		if e.Src.Remote.String() == kept.LocalAddr().String() {
			handle = e.Src.Conn
		}
	}
	if !r.Engine.KeepFor(handle, time.Minute) || r.Engine.KeepFor(handle+1<<40, time.Minute) {
		t.Fatal("kept none, or one that is not there")
	}
	r.eventually("the other one ends", func() bool { return len(r.seen.closes()) == 1 })
	time.Sleep(2 * time.Second) // as long again as the other one had
	if n := len(r.seen.closes()); n != 1 || !r.Engine.Alive(handle) {
		t.Errorf("%d have ended", n)
	}
}

// TestKnow sends to a peer that showed no certificate by the connection it came by, once its user is known, and only by
// the address it comes from.
func TestKnow(t *testing.T) {
	t.Parallel()
	r := start(t, &script{}, nil) // its client domain verifies
	c := r.dial(TLS)
	h := r.only()
	at := c.LocalAddr().(*net.TCPAddr).AddrPort()
	send := func(name string) error {
		_, err := r.Send(&Target{Proto: TLS, Addr: at, Name: name, NoNew: true}, Bytes(request("MESSAGE", "x", 1, "")))
		return err
	}
	if send("127.0.0.1") == nil {
		t.Fatal("sent to somebody who is not known")
	}
	if r.Engine.Know(h+1<<40, time.Minute) || !r.Engine.Know(h, time.Minute) {
		t.Fatal("known is one that is not there, or nobody")
	}
	if send("example.com") == nil {
		t.Error("sent to a name that nobody has proved")
	}
	if err := send("127.0.0.1"); err != nil {
		t.Error(err)
	}
	if got, err := readMessage(bufio.NewReader(c)); err != nil || got == "" {
		t.Error(got, err)
	}
}
