package visitors

import (
	"net/netip"
	"testing"
)

// The latest visitors are remembered, and not ever more of them.
func TestSet(t *testing.T) {
	var v Set
	at := func(n int) netip.AddrPort {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, byte(n >> 16), byte(n >> 8)}), uint16(n&0xff+1))
	}
	if v.Had(at(0)) {
		t.Error("nobody was there")
	}
	const all = 3 * kept
	for i := range all {
		v.Left(at(i))
		if i >= kept && !v.Had(at(i-kept+1)) {
			t.Fatalf("behind %d visitors the latest are not remembered", i)
		}
	}
	if v.Had(at(0)) || !v.Had(at(all-1)) || !v.Had(at(all-kept)) {
		t.Error("it is not the latest that are remembered")
	}
	if n := len(v.late) + len(v.before); n > 2*kept {
		t.Errorf("%d are remembered", n)
	}
	v.Left(netip.MustParseAddrPort("[::ffff:198.51.100.1]:7"))
	if !v.Had(netip.MustParseAddrPort("198.51.100.1:7")) {
		t.Error("one address is two visitors")
	}
}
