package tlsstate

import (
	"errors"
	"fmt"
	"net/netip"
	"path"
	"slices"
	"strings"
)

// noSNI is what match_sip_domain calls a client that names no server.
const noSNI = "none"

// matcher finds the domain of a role for an address and a name. Names weigh
// more than addresses: a name itself before a pattern, a longer pattern before
// a shorter one, all before "*". At equal rank ip:port wins over ip, and that
// over "*", so that an exact address does not hide what "*" has to offer. Then
// the domain that was declared first wins.
type matcher struct {
	byPort map[netip.AddrPort]*nameTable
	byIP   map[netip.Addr]*nameTable
	always nameTable
}

// nameTable are the domains for one address filter, by the three ranks of names.
type nameTable struct {
	exact    map[string]*domain
	patterns []pattern // longest first
	rest     *domain   // "*"
}

type pattern struct {
	text   string
	domain *domain
}

// add enters a domain under all of its filters.
func (m *matcher) add(d *domain) error {
	addresses := d.cfg.MatchAddresses
	if len(addresses) == 0 {
		addresses = []string{"*"}
	}
	for _, a := range addresses {
		n, err := m.filter(strings.TrimSpace(a))
		if err != nil {
			return err
		}
		if err := n.add(d); err != nil {
			return err
		}
	}
	return nil
}

// filter gives the names for one entry of match_ip_address.
func (m *matcher) filter(s string) (*nameTable, error) {
	if s == "*" {
		return &m.always, nil
	}
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return entry(&m.byPort, plainAddr(ap)), nil
	}
	ip, err := netip.ParseAddr(strings.Trim(s, "[]"))
	if err != nil {
		return nil, of("match_ip_address", 0, fmt.Errorf("match_ip_address %q is not ip:port, ip or *", s))
	}
	return entry(&m.byIP, ip.Unmap().WithZone("")), nil
}

func entry[K comparable](m *map[K]*nameTable, key K) *nameTable {
	if *m == nil {
		*m = make(map[K]*nameTable)
	}
	n := (*m)[key]
	if n == nil {
		n = new(nameTable)
		(*m)[key] = n
	}
	return n
}

func plainAddr(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap().WithZone(""), a.Port())
}

// add enters a domain under each of its match_sip_domain.
func (n *nameTable) add(d *domain) error {
	filters := d.cfg.MatchSIPDomains
	if len(filters) == 0 {
		filters = []string{"*"}
	}
	for _, f := range filters {
		f = plainName(strings.TrimSpace(f))
		switch {
		case f == "":
			return of("match_sip_domain", 0, errors.New("match_sip_domain has an empty entry"))
		case f == "*":
			if n.rest == nil {
				n.rest = d
			}
		case strings.ContainsAny(f, `*?[\`):
			if _, err := path.Match(f, ""); err != nil {
				return of("match_sip_domain", 0, fmt.Errorf("match_sip_domain %q is not a pattern", f))
			}
			n.patterns = append(n.patterns, pattern{f, d})
			slices.SortStableFunc(n.patterns, func(a, b pattern) int { return len(b.text) - len(a.text) })
		default:
			if n.exact == nil {
				n.exact = make(map[string]*domain)
			}
			if n.exact[f] == nil {
				n.exact[f] = d
			}
		}
	}
	return nil
}

// find gives the domain for an address and a name; nil when there is none.
func (m *matcher) find(addr netip.AddrPort, name string) *domain {
	addr, name = plainAddr(addr), plainName(name)
	filters := [3]*nameTable{m.byPort[addr], m.byIP[addr.Addr()], &m.always}
	for _, n := range filters {
		if n != nil && n.exact[name] != nil {
			return n.exact[name]
		}
	}
	var best pattern
	for _, n := range filters {
		if n == nil {
			continue
		}
		if p := n.match(name); len(p.text) > len(best.text) {
			best = p
		}
	}
	if best.domain != nil {
		return best.domain
	}
	for _, n := range filters {
		if n != nil && n.rest != nil {
			return n.rest
		}
	}
	return nil
}

// serves tells whether any name can match at an address.
func (m *matcher) serves(addr netip.AddrPort) bool {
	addr = plainAddr(addr)
	return m.byPort[addr] != nil || m.byIP[addr.Addr()] != nil || !m.always.empty()
}

func (n *nameTable) empty() bool { return n.exact == nil && n.patterns == nil && n.rest == nil }

// match gives the longest pattern that a name matches.
func (n *nameTable) match(name string) pattern {
	for _, p := range n.patterns {
		if ok, err := path.Match(p.text, name); ok && err == nil {
			return p
		}
	}
	return pattern{}
}

// plainName is a name as names are compared: without case, without the dot of
// the root.
func plainName(s string) string { return strings.ToLower(strings.TrimSuffix(s, ".")) }
