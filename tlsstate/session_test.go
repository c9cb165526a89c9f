package tlsstate

import (
	"crypto/tls"
	"testing"
)

func TestSessionSlot(t *testing.T) {
	c := newSessionCache()
	a, b := c.slot("a"), c.slot("b")
	state := new(tls.ClientSessionState)
	a.Put("what crypto/tls calls it", state)
	if got, ok := c.slot("a").Get("something else"); !ok || got != state {
		t.Error("not remembered")
	}
	if got, ok := b.Get("what crypto/tls calls it"); ok || got != nil {
		t.Error("the session of another")
	}
	a.Put("", nil)
	if _, ok := a.Get(""); ok {
		t.Error("not forgotten")
	}
	a.Put("", state)
	a.forget()
	a.forget()
	if _, ok := a.Get(""); ok {
		t.Error("not forgotten")
	}
	var none *sessionSlot
	none.forget()
}

// A handshake that fails forgets the session of its peer, whatever was wrong: the next
// one is a full one.
func TestFailedHandshakeForgetsItsSession(t *testing.T) {
	set := idleSet(t)
	for what, garbage := range map[string]string{"no TLS": "HTTP/1.1 400 Bad Request\r\n\r\n", "an alert": "\x15\x03\x03\x00\x02\x02\x28"} {
		s, c := newPair(t, set)
		defer s.Stop()
		if c.cache == nil {
			t.Fatal("it remembers no sessions")
		}
		if err := c.Handshake(); err != ErrWantRead {
			t.Fatal(err)
		}
		c.cache.Put("", new(tls.ClientSessionState)) // as if it had offered one
		c.Feed([]byte(garbage))
		if err := c.Handshake(); err == nil || err == ErrWantRead {
			t.Fatalf("%s: %v", what, err)
		}
		cache := c.cache
		if _, ok := cache.Get(""); ok {
			t.Errorf("%s: the session stays", what)
		}
		c.Stop()
	}
}
