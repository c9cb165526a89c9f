package load

import (
	"testing"
	"time"
)

// TestShims sends calls plain, through TLS between two shims, to a plain server.
func TestShims(t *testing.T) {
	s, _ := direct(t, "")
	ca, err := NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := ca.ServerConfig("ecdsa", "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	out, err := Unwrap("127.0.0.1:0", s.Addr(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	in, err := Wrap("127.0.0.1:0", out.Addr(), ca.ClientConfig())
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	r, err := Calls{Peer: Peer{Addr: in.Addr()}, URI: s.URI(), Connections: 3, Window: 4, Count: 100, Duration: time.Minute, Timeout: patience}.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if r.Seen(s.Stats()); !r.Clean() {
		t.Errorf("%v", r)
	}
}

func TestShimEndsWithItsPeer(t *testing.T) {
	s, _ := direct(t, "") // speaks no TLS: the handshake fails
	ca, err := NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	in, err := Wrap("127.0.0.1:0", s.Addr(), ca.ClientConfig())
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	c, err := Peer{Addr: in.Addr()}.Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write([]byte(invite)); err != nil {
		t.Fatal(err)
	}
	s.Close()
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Error("the near end stays open though the far end is gone")
	}
}
