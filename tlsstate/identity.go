package tlsstate

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"net/netip"
	"slices"
	"strings"
)

// sipDomains are the domains that a certificate speaks for (RFC 5922 7.1), in
// lower case: those of its SAN URIs "sip:domain"; only without any, its SAN DNS
// names; only without any SAN, and where it may, the common name.
func sipDomains(c *x509.Certificate, commonName bool) (list []string) {
	for _, u := range c.URIs {
		// One with a user part names a person, not a domain. sips is not a
		// domain's identity either.
		if strings.EqualFold(u.Scheme, "sip") && u.Opaque != "" && !strings.Contains(u.Opaque, "@") {
			host, _, _ := strings.Cut(u.Opaque, ";")
			list = append(list, plainName(host))
		}
	}
	if len(list) > 0 {
		return list
	}
	for _, n := range c.DNSNames {
		list = append(list, plainName(n))
	}
	if len(list) > 0 || hasSAN(c) || c.Subject.CommonName == "" || !commonName {
		return list
	}
	return []string{plainName(c.Subject.CommonName)}
}

// names tells whether a certificate speaks for a host: a SIP domain by
// sipDomains, an address by a SAN of its kind, too. A wildcard as the whole
// first label of a DNS name stands for one label (RFC 6125 6.4.3); RFC 5922
// forbids it, but certificates of large carriers have nothing else. In a URI or
// a common name it stands for nothing.
func names(c *x509.Certificate, host string, commonName bool) bool {
	host = plainName(strings.Trim(host, "[]"))
	if host == "" {
		return false
	}
	addr, isAddr := parseHost(host)
	if isAddr {
		for _, ip := range c.IPAddresses {
			if a, ok := netip.AddrFromSlice(ip); ok && a.Unmap() == addr {
				return true
			}
		}
	}
	wild := len(c.DNSNames) > 0 && !isAddr
	for _, n := range sipDomains(c, commonName) {
		if n == host || wild && covers(n, host) {
			return true
		}
		if a, ok := parseHost(n); ok && isAddr && a == addr {
			return true
		}
	}
	return false
}

// covers tells whether "*.parent" stands for a host.
func covers(pattern, host string) bool {
	rest, wild := strings.CutPrefix(pattern, "*.")
	label, parent, found := strings.Cut(host, ".")
	return wild && found && label != "" && parent == rest
}

// hasSAN reports whether a certificate has the extension, whatever is in it:
// that ends the use of the common name.
func hasSAN(c *x509.Certificate) bool {
	return slices.ContainsFunc(c.Extensions, func(e pkix.Extension) bool { return e.Id.Equal(subjectAltName) })
}

// constrained reports whether an authority of a path, leaf first, may vouch for
// some hosts only (RFC 5280 4.2.1.10). Such constraints hold for a SAN; the
// common name would escape them, so it stands for nothing there.
func constrained(path []*x509.Certificate) bool {
	_, isAddr := parseHost(path[0].Subject.CommonName)
	return slices.ContainsFunc(path[1:], func(c *x509.Certificate) bool {
		return len(c.PermittedDNSDomains)+len(c.ExcludedDNSDomains)+len(c.PermittedURIDomains)+len(c.ExcludedURIDomains) > 0 ||
			isAddr && len(c.PermittedIPRanges)+len(c.ExcludedIPRanges) > 0
	})
}

// identities lists what a certificate names, for people.
func identities(c *x509.Certificate, commonName bool) string {
	var list []string
	for _, u := range c.URIs {
		list = append(list, u.String())
	}
	list = append(list, c.DNSNames...)
	for _, ip := range c.IPAddresses {
		list = append(list, ip.String())
	}
	switch {
	case len(list) > 0 || hasSAN(c) || c.Subject.CommonName == "":
	case commonName:
		list = append(list, c.Subject.CommonName)
	default:
		return "nothing but the common name " + c.Subject.CommonName + ", under an authority with name constraints"
	}
	if len(list) == 0 {
		return "nothing"
	}
	return strings.Join(list, ", ")
}
