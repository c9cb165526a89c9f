package destination

import (
	"net/netip"
	"strings"
)

// ParseIP reads an IP address as the script has it, IPv6 with or without brackets.
// IPv4, which nearly all are, costs no memory.
func ParseIP(b []byte) (netip.Addr, bool) {
	if a, ok := parseIPv4(b); ok {
		return a, true
	}
	a, err := netip.ParseAddr(strings.Trim(string(b), "[]"))
	return a.Unmap(), err == nil
}

// parseIPv4 reads four numbers from 0 to 255, without zeros before them.
func parseIPv4(b []byte) (netip.Addr, bool) {
	var a [4]byte
	part, digits, n := 0, 0, 0
	for i := 0; ; i++ {
		switch {
		case i == len(b) || b[i] == '.':
			if digits == 0 || i == len(b) && part != 3 || part > 3 {
				return netip.Addr{}, false
			}
			a[part] = byte(n)
			if i == len(b) {
				return netip.AddrFrom4(a), true
			}
			if part++; part > 3 {
				return netip.Addr{}, false
			}
			digits, n = 0, 0
		case b[i] < '0' || b[i] > '9' || digits > 0 && n == 0:
			return netip.Addr{}, false
		default:
			if n = n*10 + int(b[i]-'0'); n > 255 {
				return netip.Addr{}, false
			}
			digits++
		}
	}
}
