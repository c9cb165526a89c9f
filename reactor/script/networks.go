package script

import (
	"net/netip"
	"strings"
)

// networks reads a comma list of addresses and networks; nil and what is
// none of them otherwise.
func networks(s string) (nets []netip.Prefix, bad string) {
	for _, p := range splitComma(s) {
		n, err := netip.ParsePrefix(p)
		if a, single := netip.ParseAddr(p); single == nil {
			n, err = netip.PrefixFrom(a, a.BitLen()), nil
		}
		if err != nil {
			return nil, p
		}
		nets = append(nets, n.Masked())
	}
	return nets, ""
}

func splitComma(s string) []string {
	parts := strings.Split(s, ",")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return parts
}
