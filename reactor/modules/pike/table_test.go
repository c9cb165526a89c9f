package pike

import (
	"fmt"
	"net/netip"
	"testing"
	"time"
)

// TestFlood blocks an address past its limit and frees it after a quiet unit.
func TestFlood(t *testing.T) {
	tb := newTable(2*time.Second, 30, 120*time.Second)
	a, other := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")
	now := time.Unix(1000, 0)
	for i := range 30 {
		if v := tb.check(a, now); v != passes {
			t.Fatalf("request %d: %d", i+1, v)
		}
	}
	if v := tb.check(a, now); v != begins {
		t.Errorf("the 31st: %d", v)
	}
	if v := tb.check(a, now); v != blocked {
		t.Errorf("the 32nd: %d", v)
	}
	if v := tb.check(netip.MustParseAddr("::ffff:192.0.2.1"), now); v != blocked {
		t.Errorf("the same address otherwise written: %d", v)
	}
	if v := tb.check(other, now); v != passes {
		t.Errorf("another address: %d", v)
	}
	if v := tb.check(a, now.Add(2*time.Second)); v != blocked {
		t.Errorf("in the next unit: %d", v)
	}
	if v := tb.check(a, now.Add(4*time.Second)); v != passes {
		t.Errorf("after a quiet unit: %d", v)
	}
	if list := tb.list(10); len(list) != 2 || list[0].Blocked {
		t.Errorf("list: %+v", list)
	}
}

// TestClean frees and forgets without requests.
func TestClean(t *testing.T) {
	tb := newTable(time.Second, 1, 5*time.Second)
	a := netip.MustParseAddr("192.0.2.1")
	now := time.Unix(1000, 0)
	for range 3 {
		tb.check(a, now)
	}
	if free := tb.clean(now.Add(time.Second)); len(free) != 0 {
		t.Errorf("free at once: %v", free)
	}
	if free := tb.clean(now.Add(2 * time.Second)); len(free) != 1 || free[0] != a {
		t.Errorf("not free: %v", free)
	}
	if tb.clean(now.Add(6 * time.Second)); len(tb.list(10)) != 0 {
		t.Error("not forgotten")
	}
	tb.check(a, now)
	if !tb.remove(a) || tb.remove(a) {
		t.Error("remove")
	}
}

// TestBound keeps no more addresses than it may, and those that are blocked longest.
func TestBound(t *testing.T) {
	tb := newTable(time.Second, 1, time.Minute)
	tb.max = 4
	now := time.Unix(1000, 0)
	bad := netip.MustParseAddr("192.0.2.1")
	for range 3 {
		tb.check(bad, now)
	}
	for i := range 10000 {
		tb.check(netip.MustParseAddr(fmt.Sprintf("10.0.%d.%d", i/256, i%256)), now)
	}
	n := 0
	for i := range tb.parts {
		n += len(tb.parts[i].nodes)
	}
	if n > 4*parts || tb.check(bad, now) != blocked {
		t.Errorf("%d addresses", n)
	}
}
