//go:build openssl

package openssl

import (
	"net/netip"
	"strings"

	"sipreactor/tlsstate"
)

// noSNI is what match_sip_domain calls a client that names no server.
const noSNI = "none"

// chooser finds the server domain for an address and a name, by the rules of
// tlsstate. They are the same for both roles there, and client domains can be
// asked for by address and name without a handshake: so the server domains are
// entered as client domains that hold nothing but their filters.
type chooser struct {
	byName *tlsstate.Set
	any    *tlsstate.Set // with every name allowed: whether an address is served
}

func newChooser(domains []tlsstate.DomainConfig) (*chooser, error) {
	var named, free []tlsstate.DomainConfig
	no := false
	for i := range domains {
		d := &domains[i]
		if d.Role != tlsstate.Server {
			continue
		}
		filter := tlsstate.DomainConfig{Name: d.Name, Role: tlsstate.Client,
			MatchAddresses: d.MatchAddresses, MatchSIPDomains: d.MatchSIPDomains,
			VerifyCert: &no, SessionTickets: &no}
		named = append(named, filter)
		filter.MatchSIPDomains = nil
		free = append(free, filter)
	}
	byName, err := tlsstate.Build(tlsstate.Config{Domains: named})
	if err != nil {
		return nil, err
	}
	any, err := tlsstate.Build(tlsstate.Config{Domains: free})
	if err != nil {
		return nil, err
	}
	return &chooser{byName, any}, nil
}

// find gives the name of the domain; false when there is none.
func (c *chooser) find(local netip.AddrPort, sni string) (string, bool) {
	if sni == "" {
		sni = noSNI
	}
	name, _, err := c.byName.ClientIdentity(tlsstate.ClientQuery{SIPDomain: sni, Addr: local})
	return name, err == nil
}

// serves tells whether any name can match at an address.
func (c *chooser) serves(local netip.AddrPort) bool {
	_, _, err := c.any.ClientIdentity(tlsstate.ClientQuery{Addr: local})
	return err == nil
}

// serverName is the SNI for a host: none for an address (RFC 6066 3).
func serverName(host string) string {
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return ""
	}
	return strings.TrimSuffix(host, ".")
}
