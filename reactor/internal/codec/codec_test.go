package codec

import (
	"errors"
	"strings"
	"testing"

	"sipreactor/reactor/internal/websocket"
	"sipreactor/tlsstate"
)

func TestPlain(t *testing.T) {
	var c Plain
	c.Feed([]byte("abcd"))
	b := make([]byte, 3)
	for _, want := range []string{"abc", "d"} {
		if n, err := c.Read(b); err != nil || string(b[:n]) != want {
			t.Errorf("read %q, %v", b[:n], err)
		}
	}
	if n, err := c.Read(b); n != 0 || !errors.Is(err, tlsstate.ErrWantRead) || c.in != nil {
		t.Errorf("behind all of it: %d, %v; %q is kept", n, err, c.in)
	}
	for _, s := range []string{"one", "two"} {
		if _, err := c.Write([]byte(s)); err != nil {
			t.Fatal(err)
		}
	}
	c.Sent(4)
	if got := string(c.Output()); got != "wo" {
		t.Errorf("%q is left to be written", got)
	}
	if c.Sent(2); c.out != nil || len(c.Output()) != 0 {
		t.Error("memory is held when all is written")
	}
	if c.CloseNotify() != nil || c.Unfinished() || Machine(&c) != nil {
		t.Error("it is TLS")
	}
}

// pair carries what either side says to the other, n bytes at a time, until both are done.
func pair(t *testing.T, a, b *Upgrade, n int) {
	t.Helper()
	sides := [2]*Upgrade{a, b}
	var done [2]bool
	for range 1000 {
		for i, u := range sides {
			if !done[i] {
				switch err := u.Handshake(); {
				case err == nil:
					done[i] = true
				case !errors.Is(err, tlsstate.ErrWantRead):
					t.Fatalf("side %d: %v", i, err)
				}
			}
			if out := u.Output(); len(out) > 0 {
				k := min(n, len(out))
				in := append([]byte(nil), out[:k]...)
				u.Sent(k)
				sides[1-i].Feed(in)
			}
		}
		if done[0] && done[1] {
			return
		}
	}
	t.Fatal("the handshake does not end")
}

func TestUpgrade(t *testing.T) {
	for _, n := range []int{1, 7, 1 << 20} {
		client := NewUpgrade(&Plain{}, websocket.Dial("example.com", "/", "http://example.com"))
		server := NewUpgrade(&Plain{}, websocket.Accept(&websocket.Policy{}))
		pair(t, client, server, n)
		request, answer := server.Talk()
		if !strings.HasPrefix(request, "GET / HTTP/1.1") || !strings.HasPrefix(answer, "HTTP/1.1 101") {
			t.Errorf("%d bytes at a time: %q, %q", n, request, answer)
		}
		if _, ok := server.Below().(*Plain); !ok || Machine(server) != nil {
			t.Error("what is below is no Plain")
		}
		if rest := server.Rest(); len(rest) != 0 {
			t.Errorf("%q is left", rest)
		}
	}
}

// What comes with the last bytes of the handshake is the connection's first message.
func TestUpgradeKeepsWhatIsBehindIt(t *testing.T) {
	client := NewUpgrade(&Plain{}, websocket.Dial("example.com", "/", "http://example.com"))
	if err := client.Handshake(); !errors.Is(err, tlsstate.ErrWantRead) {
		t.Fatal(err)
	}
	server := NewUpgrade(&Plain{}, websocket.Accept(&websocket.Policy{}))
	server.Feed(append(append([]byte(nil), client.Output()...), "\x82\x80"...))
	if err := server.Handshake(); err != nil {
		t.Fatal(err)
	}
	if got := string(server.Rest()); got != "\x82\x80" {
		t.Errorf("%q is left", got)
	}
}

// A request that is no WebSocket's is refused, and the refusal is there to be written.
func TestUpgradeRefuses(t *testing.T) {
	u := NewUpgrade(&Plain{}, websocket.Accept(&websocket.Policy{}))
	u.Feed([]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"))
	if err := u.Handshake(); err == nil || errors.Is(err, tlsstate.ErrWantRead) {
		t.Errorf("%v", err)
	}
	if out := string(u.Output()); !strings.HasPrefix(out, "HTTP/1.1 4") {
		t.Errorf("it says %q", out)
	}
}
