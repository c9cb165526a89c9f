package destination

import (
	"net/netip"
	"testing"

	"sipreactor/reactor"
)

// TestBackoff: a destination is down while all its addresses are left alone, or its name is.
func TestBackoff(t *testing.T) {
	refused := &reactor.Error{Reason: reactor.ConnectFailed}
	leave := func(p reactor.Proto, at, name string) reactor.BackoffInfo {
		return reactor.BackoffInfo{Proto: p, Addr: netip.MustParseAddrPort(at), Name: name, Reason: refused}
	}
	one, err := ParseAddress("sip:10.0.0.1:5061;transport=tls")
	if err != nil {
		t.Fatal(err)
	}
	two := Address{Host: "gw.example", Proto: reactor.TCP, Addrs: []netip.AddrPort{netip.MustParseAddrPort("10.0.0.2:5060"), netip.MustParseAddrPort("10.0.0.3:5060")}}
	for _, c := range []struct {
		name       string
		list       []reactor.BackoffInfo
		first, sec bool // down
	}{
		{"nobody", nil, false, false},
		{"the first", []reactor.BackoffInfo{leave(reactor.TLS, "10.0.0.1:5061", "")}, true, false},
		{"another transport", []reactor.BackoffInfo{leave(reactor.TCP, "10.0.0.1:5061", "")}, false, false},
		{"one of two addresses", []reactor.BackoffInfo{leave(reactor.TCP, "10.0.0.2:5060", "")}, false, false},
		{"both", []reactor.BackoffInfo{leave(reactor.TCP, "10.0.0.2:5060", ""), leave(reactor.TCP, "10.0.0.3:5060", "")}, false, true},
		{"its name at one of two", []reactor.BackoffInfo{leave(reactor.TCP, "10.0.0.2:5060", "gw.example")}, false, false},
		{"its name at both", []reactor.BackoffInfo{leave(reactor.TCP, "10.0.0.2:5060", "gw.example"), leave(reactor.TCP, "10.0.0.3:5060", "gw.example")}, false, true},
		{"one for its name, one for all", []reactor.BackoffInfo{leave(reactor.TCP, "10.0.0.2:5060", "gw.example"), leave(reactor.TCP, "10.0.0.3:5060", "")}, false, true},
		{"its name at another port", []reactor.BackoffInfo{leave(reactor.TLS, "10.0.0.1:5071", "10.0.0.1"), leave(reactor.TCP, "10.0.0.2:5070", "gw.example"), leave(reactor.TCP, "10.0.0.3:5070", "gw.example")}, false, false},
		{"its address as a name", []reactor.BackoffInfo{leave(reactor.TLS, "10.0.0.1:5061", "10.0.0.1")}, true, false},
		{"another's name", []reactor.BackoffInfo{leave(reactor.TLS, "10.0.0.1:5061", "other.example")}, false, false},
	} {
		a, b := New(Active, "", noon), New(Active, "", noon)
		a.SetDown("before")
		applyBackoff(c.list, func(yield func(*Address, *Health)) {
			yield(&one, a)
			yield(&two, b)
		})
		if (a.Down() != "") != c.first || (b.Down() != "") != c.sec {
			t.Errorf("%s: %q and %q", c.name, a.Down(), b.Down())
		}
	}
}
