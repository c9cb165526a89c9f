package kernel

import (
	"net/netip"
	"testing"
)

// However an address is written, it is one.
func TestUnmap(t *testing.T) {
	for from, want := range map[string]string{
		"[::ffff:192.0.2.1]:5060": "192.0.2.1:5060", "[fe80::1%eth0]:5061": "[fe80::1]:5061", "192.0.2.1:1": "192.0.2.1:1",
	} {
		if got := Unmap(netip.MustParseAddrPort(from)); got != netip.MustParseAddrPort(want) {
			t.Errorf("%s: %v", from, got)
		}
	}
}
