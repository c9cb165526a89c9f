package sourcelimit

import (
	"fmt"
	"net/netip"
	"testing"
)

func TestOf(t *testing.T) {
	for from, want := range map[string]string{
		"192.0.2.7": "192.0.2.7", "::ffff:192.0.2.7": "192.0.2.7",
		"2001:db8:1:2:3:4:5:6": "2001:db8:1:2::", "fe80::1%eth0": "fe80::",
	} {
		if got := Of(netip.MustParseAddr(from)); got.String() != want {
			t.Errorf("%s: %v, want %s", from, got, want)
		}
	}
	if Of(netip.Addr{}).IsValid() {
		t.Error("no address is a source")
	}
}

// Each bound holds, for one source alone, and what leaves makes room.
func TestBounds(t *testing.T) {
	for name, c := range map[string]struct {
		limits Limits
		want   Verdict
	}{
		"connections": {Limits{Connections: 3}, Connections},
		"handshakes":  {Limits{Handshakes: 3}, Handshakes},
		"rate":        {Limits{HandshakeRate: 3}, HandshakeRate},
	} {
		c.limits.Allow = []netip.Prefix{netip.MustParsePrefix("127.0.0.9/32")}
		var table Table
		var places [5]Place
		enter := func(i int, host string) Verdict {
			return table.Enter(&places[i], &c.limits, netip.MustParseAddr(host), true, 7)
		}
		for i := range 3 {
			if got := enter(i, "192.0.2.1"); got != Admitted {
				t.Fatalf("%s: number %d: %v", name, i, got)
			}
		}
		if got := enter(3, "192.0.2.1"); got != c.want || places[3] != (Place{}) {
			t.Errorf("%s: one more: %v", name, got)
		}
		for range 10 {
			if got := enter(4, "127.0.0.9"); got != Admitted || places[4] != (Place{}) {
				t.Errorf("%s: a source without bounds: %v", name, got)
			}
		}
		if got := enter(3, "192.0.2.2"); got != Admitted {
			t.Errorf("%s: another source: %v", name, got)
		}
		places[0].Leave()
		places[0].Leave() // once more does nothing
		got := enter(0, "192.0.2.1")
		if c.want == HandshakeRate {
			if got != HandshakeRate {
				t.Errorf("%s: one that left still counts for its second: %v", name, got)
			}
		} else if got != Admitted {
			t.Errorf("%s: there is room again: %v", name, got)
		}
		for i := range places {
			places[i].Leave()
		}
		if _, connections, handshakes, unfinished := table.Totals(); connections+handshakes+unfinished != 0 {
			t.Errorf("%s: %d connections and %d handshakes are left", name, connections, handshakes)
		}
	}
}

// A handshake that has ended makes room, its connection need not.
func TestHandshakeEnded(t *testing.T) {
	var table Table
	limits := &Limits{Handshakes: 1}
	from := netip.MustParseAddr("192.0.2.1")
	var places [5]Place
	for i := range places {
		if got := table.Enter(&places[i], limits, from, true, 1); got != Admitted {
			t.Fatalf("number %d: %v", i, got)
		}
		places[i].HandshakeEnded()
		places[i].HandshakeEnded()
	}
	if _, connections, handshakes, _ := table.Totals(); connections != 5 || handshakes != 0 {
		t.Errorf("%d connections, %d handshakes", connections, handshakes)
	}
}

// The rate is that of a second and a /64, and a table of sources that came once
// does not grow.
func TestRate(t *testing.T) {
	var table Table
	limits := &Limits{HandshakeRate: 2}
	enter := func(host string, now int64) Verdict {
		var p Place
		defer p.Leave()
		return table.Enter(&p, limits, netip.MustParseAddr(host), true, now)
	}
	for i, want := range []Verdict{Admitted, Admitted, HandshakeRate, HandshakeRate} {
		if got := enter(fmt.Sprintf("2001:db8::%d", i), 7); got != want {
			t.Errorf("number %d: %v", i, got)
		}
	}
	if got := enter("2001:db8:0:1::", 7); got != Admitted {
		t.Errorf("another /64: %v", got)
	}
	if got := enter("2001:db8::9", 7); got != HandshakeRate {
		t.Errorf("behind another source: %v", got)
	}
	if got := enter("2001:db8::1", 8); got != Admitted {
		t.Errorf("a second later: %v", got)
	}
	for i := range 10000 {
		enter(fmt.Sprintf("10.0.%d.%d", i/250, i%250), int64(10+i))
	}
	if n, _, _, _ := table.Totals(); n > 10 {
		t.Errorf("%d sources are kept", n)
	}
}

func TestUnfinished(t *testing.T) {
	var table Table
	limits := &Limits{Unfinished: 2}
	var places [3]Place
	for i := range places {
		table.Enter(&places[i], limits, netip.MustParseAddr("192.0.2.1"), false, 1)
	}
	for i, want := range []bool{true, true, false} {
		if got := places[i].Unfinished(true); got != want {
			t.Errorf("number %d: %v", i, got)
		}
	}
	places[0].Unfinished(false)
	places[2].Unfinished(false)
	if !places[2].Unfinished(true) || !places[2].Unfinished(true) {
		t.Error("there was room, and the same counts once")
	}
	free := new(Place)
	table.Enter(free, &Limits{}, netip.MustParseAddr("192.0.2.2"), false, 1)
	if !free.Unfinished(true) {
		t.Error("no bound is a bound")
	}
	if !new(Place).Unfinished(true) {
		t.Error("what has no source has no bound")
	}
}
