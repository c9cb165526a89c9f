package reactor

import (
	"bufio"
	"net"
	"strings"
	"testing"
	"time"

	"sipreactor/tlsstate"
)

// TestKeepFor keeps one of two idle connections.
func TestKeepFor(t *testing.T) {
	t.Parallel()
	r := start(t, &script{message: echo}, func(c *Config) { c.Lifetime = 5 * time.Second }) // time enough for a busy machine to keep one
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
	time.Sleep(5 * time.Second) // as long again as the other one had
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
	if r.KeepFor(h+1<<40, time.Minute) || !r.KeepFor(h, time.Minute) {
		t.Error("kept is one that is not there, or nobody")
	}
	if err := send("127.0.0.1"); err != nil {
		t.Error(err)
	}
	if got, err := readMessage(bufio.NewReader(c)); err != nil || got == "" {
		t.Error(got, err)
	}
}

// TestKnowWithoutClientDomain reaches a user that is known by its connection where there is no client domain to open one by,
// as a server for phones has none, and nobody else.
func TestKnowWithoutClientDomain(t *testing.T) {
	t.Parallel()
	pair, err := identity()
	if err != nil {
		t.Fatal(err)
	}
	r := start(t, &script{}, func(c *Config) {
		no := false
		c.Domains = buildDomains(t, tlsstate.DomainConfig{Name: "in", Role: tlsstate.Server, CAPEM: pair[0], RequireCert: &no,
			Certificates: []tlsstate.KeyPair{{CertificatePEM: pair[0], PrivateKeyPEM: pair[1]}}})
	})
	c := r.dial(TLS)
	h := r.only()
	send := func() error {
		_, err := r.Send(&Target{Proto: TLS, Addr: c.LocalAddr().(*net.TCPAddr).AddrPort(), Name: "127.0.0.1"}, Bytes(request("MESSAGE", "x", 1, "")))
		return err
	}
	if err := send(); err == nil || !strings.Contains(err.Error(), "no client domain") {
		t.Fatalf("to somebody who is not known: %v", err)
	}
	if !r.Engine.Know(h, time.Minute) {
		t.Fatal("not known")
	}
	if err := send(); err != nil {
		t.Error(err)
	}
	if got, err := readMessage(bufio.NewReader(c)); err != nil || got == "" {
		t.Error(got, err)
	}
}
