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
