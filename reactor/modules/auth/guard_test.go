package auth

import (
	"net/netip"
	"testing"
)

func TestGuard(t *testing.T) {
	var (
		home   = netip.MustParseAddr("192.0.2.1")
		away   = netip.MustParseAddr("192.0.2.2")
		first  = netip.MustParseAddr("2001:db8::1")
		second = netip.MustParseAddr("2001:db8::2")
		alice  = []byte("alice")
		bob    = []byte("bob")
	)
	g := newGuard(3, 5, 60)
	for range 3 {
		if g.refuses(home, alice, 100) {
			t.Fatal("refused too early")
		}
		g.failed(home, alice, 100)
	}
	for _, c := range []struct {
		name string
		from netip.Addr
		user []byte
		now  int64
		want bool
	}{
		{"who guessed", home, alice, 159, true},
		{"the user elsewhere", away, alice, 159, false},
		{"another user there", home, bob, 159, false},
		{"later", home, alice, 160, false},
	} {
		if got := g.refuses(c.from, c.user, c.now); got != c.want {
			t.Errorf("%s: refused %v", c.name, got)
		}
	}
	for i := range 5 {
		g.failed(first, []byte{byte('a' + i)}, 200)
	}
	if !g.refuses(second, []byte("new"), 200) {
		t.Error("a network of IPv6 is one source")
	}
	if g.refused.Load() != 2 {
		t.Errorf("%d refused", g.refused.Load())
	}
	g.sweep(1000)
	for i := range g.shards {
		if len(g.shards[i].keys) != 0 {
			t.Error("not forgotten")
		}
	}
	for i := range 2 * guardShards * guardBound {
		g.failed(home, []byte{byte(i), byte(i >> 8), byte(i >> 16)}, 2000)
	}
	n := 0
	for i := range g.shards {
		n += len(g.shards[i].keys)
	}
	if n > guardShards*guardBound {
		t.Errorf("%d keys", n)
	}
	if off := newGuard(0, 0, 60); off.refuses(home, alice, 1) {
		t.Error("refused without a limit")
	}
}
