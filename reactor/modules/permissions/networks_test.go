package permissions

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
)

// plain are networks whose entries are themselves.
func plain(prefixes ...string) *Networks[netip.Prefix] {
	var all []netip.Prefix
	for _, p := range prefixes {
		all = append(all, netip.MustParsePrefix(p))
	}
	return NewNetworks(all, func(p *netip.Prefix) netip.Prefix { return *p })
}

func at(n *Networks[netip.Prefix], a string) string {
	var all []string
	for p := range n.At(netip.MustParseAddr(a)) {
		all = append(all, p.String())
	}
	return fmt.Sprint(all)
}

func TestNetworks(t *testing.T) {
	n := plain("10.0.0.0/8", "10.1.0.0/16", "10.1.2.3/32", "10.1.2.0/24", "192.0.2.128/25", "255.255.255.255/32",
		"2001:db8::/32", "2001:db8:0:1::/64", "::ffff:198.51.100.0/120", "10.1.0.0/16", "ffff::/16")
	for a, want := range map[string]string{
		"10.1.2.3":           "[10.1.2.3/32 10.1.2.0/24 10.1.0.0/16 10.1.0.0/16 10.0.0.0/8]",
		"10.1.2.4":           "[10.1.2.0/24 10.1.0.0/16 10.1.0.0/16 10.0.0.0/8]",
		"10.1.3.0":           "[10.1.0.0/16 10.1.0.0/16 10.0.0.0/8]",
		"10.2.0.0":           "[10.0.0.0/8]",
		"10.255.255.255":     "[10.0.0.0/8]",
		"11.0.0.0":           "[]",
		"9.255.255.255":      "[]",
		"0.0.0.0":            "[]",
		"192.0.2.127":        "[]",
		"192.0.2.128":        "[192.0.2.128/25]",
		"::ffff:192.0.2.200": "[192.0.2.128/25]",
		"255.255.255.255":    "[255.255.255.255/32]",
		"2001:db8:0:1::9":    "[2001:db8:0:1::/64 2001:db8::/32]",
		"2001:db8:0:2::":     "[2001:db8::/32]",
		"2001:db9::":         "[]",
		"::":                 "[]",
		"198.51.100.7":       "[::ffff:198.51.100.0/120]",
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff": "[ffff::/16]",
	} {
		if got := at(n, a); got != want {
			t.Errorf("%s lies in %s, want %s", a, got, want)
		}
	}
	if got := at(plain(), "10.0.0.1"); got != "[]" {
		t.Errorf("nothing holds %s", got)
	}
	if got := at(plain("0.0.0.0/0", "::/0"), "10.0.0.1") + at(plain("0.0.0.0/0", "::/0"), "::1"); got != "[0.0.0.0/0][::/0]" {
		t.Errorf("everything is %s", got)
	}
	for range n.At(netip.Addr{}) {
		t.Error("no address lies somewhere")
	}
}

// TestNetworksAgainstScan compares with looking at each network.
func TestNetworksAgainstScan(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	random := func() netip.Addr {
		if r.IntN(3) == 0 {
			b := netip.MustParseAddr("2001:db8::").As16()
			b[4+r.IntN(12)] = byte(r.UintN(256))
			b[15] = byte(r.UintN(4))
			return netip.AddrFrom16(b)
		}
		return netip.AddrFrom4([4]byte{10, byte(r.UintN(4)), byte(r.UintN(4)), byte(r.UintN(256))})
	}
	for range 30 {
		var all []netip.Prefix
		for range r.IntN(200) {
			a := random()
			all = append(all, netip.PrefixFrom(a, r.IntN(a.BitLen()+1)).Masked())
		}
		n := NewNetworks(all, func(p *netip.Prefix) netip.Prefix { return *p })
		for range 500 {
			a := random()
			var want []netip.Prefix
			for _, p := range all {
				if p.Contains(a) {
					want = append(want, p)
				}
			}
			slices.SortStableFunc(want, func(x, y netip.Prefix) int { return y.Bits() - x.Bits() })
			var got []netip.Prefix
			for p := range n.At(a) {
				got = append(got, *p)
			}
			if !slices.Equal(got, want) {
				t.Fatalf("%v lies in %v, want %v", a, got, want)
			}
		}
	}
}

func BenchmarkNetworks100000(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	var all []netip.Prefix
	for range 100_000 {
		a := netip.AddrFrom4([4]byte{byte(r.UintN(224)), byte(r.UintN(256)), byte(r.UintN(256)), byte(r.UintN(256))})
		all = append(all, netip.PrefixFrom(a, 16+r.IntN(17)).Masked())
	}
	n := NewNetworks(all, func(p *netip.Prefix) netip.Prefix { return *p })
	asked := make([]netip.Addr, 1<<16)
	for i := range asked {
		asked[i] = all[r.IntN(len(all))].Addr()
		if i%2 == 0 {
			asked[i] = netip.AddrFrom4([4]byte{byte(r.UintN(224)), byte(r.UintN(256)), byte(r.UintN(256)), byte(r.UintN(256))})
		}
	}
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		i++
		for range n.At(asked[i&0xffff]) {
			break
		}
	}
}
