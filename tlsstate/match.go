package tlsstate

import (
	"fmt"
	"net/netip"
	"path"
	"strings"
)

// addressFilter is one entry of match_ip_address.
type addressFilter struct {
	any  bool
	addr netip.Addr
	port uint16 // 0 = any
}

// parseAddressFilter reads "ip:port", "ip" or "*".
func parseAddressFilter(s string) (f addressFilter, err error) {
	s = strings.TrimSpace(s)
	if s == "*" {
		return addressFilter{any: true}, nil
	}
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return addressFilter{addr: ap.Addr().Unmap(), port: ap.Port()}, nil
	}
	a, err := netip.ParseAddr(strings.Trim(s, "[]"))
	if err != nil {
		return f, fmt.Errorf("match_ip_address %q is not ip:port, ip or *", s)
	}
	return addressFilter{addr: a.Unmap()}, nil
}

// rank tells how exactly the filter names an address: 0 not at all, then any
// address, this ip, this ip and port.
func (f addressFilter) rank(a netip.AddrPort) int {
	switch {
	case f.any:
		return 1
	case f.addr != a.Addr().Unmap():
		return 0
	case f.port == 0:
		return 2
	case f.port == a.Port():
		return 3
	default:
		return 0
	}
}

// noSNI is what a filter calls a client that names no server.
const noSNI = "none"

// sipRank tells how exactly a filter names a SIP domain: 0 not at all, 1 "*",
// then patterns by length, and above all of them the name itself. Both are in
// lower case.
func sipRank(filter, name string) int {
	const exact = 1 << 20
	switch {
	case filter == "*":
		return 1
	case filter == name:
		return exact
	}
	if ok, err := path.Match(filter, name); err != nil || !ok {
		return 0
	}
	return 1 + len(filter)
}

// rank tells how well a domain matches: by the SIP domain first, at equal rank
// by the address. 0 is not at all.
func (d *domain) rank(addr netip.AddrPort, sip string) int {
	byAddr, bySIP := 0, 0
	for _, f := range d.addresses {
		byAddr = max(byAddr, f.rank(addr))
	}
	for _, f := range d.sipDomains {
		bySIP = max(bySIP, sipRank(f, sip))
	}
	if byAddr == 0 || bySIP == 0 {
		return 0
	}
	return bySIP<<2 | byAddr
}

// best gives the domain that matches best; the first one declared wins a tie.
// nil when none matches.
func best(domains []*domain, addr netip.AddrPort, sip string) (found *domain) {
	sip = strings.ToLower(strings.TrimSuffix(sip, "."))
	top := 0
	for _, d := range domains {
		if r := d.rank(addr, sip); r > top {
			top, found = r, d
		}
	}
	return found
}
