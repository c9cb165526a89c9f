package tlsstate

import (
	"crypto/tls"
	"fmt"
	"testing"
)

func TestSessionCache(t *testing.T) {
	c := newSessionCache(3)
	state := func() *tls.ClientSessionState { return new(tls.ClientSessionState) }
	for i := range 3 {
		c.slot(fmt.Sprint(i)).Put("", state())
	}
	first := c.slot("0")
	if _, ok := first.Get(""); !ok {
		t.Fatal("forgotten")
	}
	c.slot("3").Put("", state()) // 1 is the least recently used
	for key, want := range map[string]bool{"0": true, "1": false, "2": true, "3": true} {
		if _, ok := c.get(key); ok != want {
			t.Errorf("%s: %v", key, ok)
		}
	}
	again := state()
	first.Put("", again)
	if got, _ := first.Get(""); got != again {
		t.Error("not replaced")
	}
	first.forget()
	first.forget()
	if _, ok := first.Get(""); ok || c.order.Len() != len(c.byKey) || len(c.byKey) != 2 {
		t.Error("not forgotten")
	}
	var none *sessionSlot
	none.forget()
}
