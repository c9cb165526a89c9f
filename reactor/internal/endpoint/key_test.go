package endpoint

import (
	"net/netip"
	"testing"
)

func TestOf(t *testing.T) {
	at := netip.MustParseAddrPort
	if Of(uint8(1), at("192.0.2.1:5060")) != Of(uint8(1), at("[::ffff:192.0.2.1]:5060")) {
		t.Error("one address has two keys")
	}
	seen := make(map[Key]bool)
	for _, a := range []string{"192.0.2.1:5060", "192.0.2.1:5061", "192.0.2.2:5060", "[2001:db8::1]:5060"} {
		for proto := range uint8(2) {
			seen[Of(proto, at(a))] = true
		}
	}
	if len(seen) != 8 {
		t.Errorf("%d keys of 8 end points", len(seen))
	}
}

// Neighbours and ports in a row are spread over a few buckets evenly.
func TestHash(t *testing.T) {
	var buckets [16]int
	const n = 16 * 256
	for i := range n {
		a := netip.AddrFrom4([4]byte{192, 0, byte(i >> 6), byte(i & 63)})
		buckets[Of(uint8(2), netip.AddrPortFrom(a, 5060+uint16(i%3))).Hash()%16]++
	}
	even := func(what string) {
		for i, got := range buckets {
			if got < n/16/2 || got > n/16*2 {
				t.Errorf("%s: bucket %d has %d of %d", what, i, got, n)
			}
		}
	}
	even("neighbours")
	buckets = [16]int{}
	for i := range n {
		buckets[Of(uint8(2), netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, 1}), 1024+uint16(i))).Hash()%16]++
	}
	even("ports of one address")
}
