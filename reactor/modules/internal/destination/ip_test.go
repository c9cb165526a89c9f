package destination

import (
	"net/netip"
	"strings"
	"testing"
)

func TestParseIP(t *testing.T) {
	for _, text := range []string{"10.0.0.1", "255.255.255.255", "0.0.0.0", "2001:db8::1", "[2001:db8::1]", "::ffff:10.0.0.1",
		"", ".", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "1.2.3.4.", "1..2.3", "a.b.c.d", "1.2.3.4x", "gw.example", "1.2.3.-4", "00.0.0.0"} {
		a, ok := ParseIP([]byte(text))
		want, err := netip.ParseAddr(strings.Trim(text, "[]"))
		if ok != (err == nil) || ok && a != want.Unmap() {
			t.Errorf("%q is %v, %v", text, a, ok)
		}
	}
	if n := testing.AllocsPerRun(100, func() { ParseIP([]byte("192.168.100.200")) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
