package destination

import (
	"context"
	"net/netip"
	"testing"

	"sipreactor/reactor"
)

// A look-up that panics is one host that does not resolve; the others do.
func TestResolveAllOutlivesAPanic(t *testing.T) {
	lookup := func(_ context.Context, _ reactor.Proto, host string, port uint16) ([]netip.AddrPort, error) {
		if host == "bad.example" {
			panic("a strange answer")
		}
		return []netip.AddrPort{netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), port)}, nil
	}
	var all []*Address
	for _, uri := range []string{"sip:good.example", "sip:bad.example"} {
		a, err := ParseAddress(uri)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, &a)
	}
	errs := ResolveAll(t.Context(), lookup, all)
	if errs[0] != nil || len(all[0].Addrs) != 1 || errs[1] == nil {
		t.Errorf("%v, and %v", errs, all[0].Addrs)
	}
}
