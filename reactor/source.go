package reactor

import "net/netip"

// SourceOf returns what counts as one source where bounds are by source: an
// IPv4 address, or the /64 of an IPv6 one, of which any host may have all. The
// zero value stands for no address.
func SourceOf(a netip.Addr) netip.Addr {
	a = a.Unmap().WithZone("")
	if !a.Is6() {
		return a
	}
	p, _ := a.Prefix(64) // 64 is a length that IPv6 has
	return p.Addr()
}
