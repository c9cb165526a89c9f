package tlsstate

import (
	"crypto/x509"
	"net/netip"
	"strings"
)

// sipDomains are the domains that a certificate speaks for (RFC 5922 7.1), in
// lower case: those of its SAN URIs "sip:domain"; only without any, its SAN DNS
// names; only without any SAN, the common name.
func sipDomains(c *x509.Certificate) (list []string) {
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
	if len(list) > 0 || hasSAN(c) || c.Subject.CommonName == "" {
		return list
	}
	return []string{plainName(c.Subject.CommonName)}
}

// names tells whether a certificate speaks for a host: a SIP domain by
// sipDomains, an address by a SAN of its kind, too. A wildcard as the whole
// first label of a DNS name stands for one label (RFC 6125 6.4.3); RFC 5922
// forbids it, but certificates of large carriers have nothing else. In a URI or
// a common name it stands for nothing.
func names(c *x509.Certificate, host string) bool {
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
	for _, n := range sipDomains(c) {
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

func hasSAN(c *x509.Certificate) bool {
	return len(c.DNSNames)+len(c.URIs)+len(c.IPAddresses)+len(c.EmailAddresses) > 0
}

// identities lists what a certificate names, for people.
func identities(c *x509.Certificate) string {
	var list []string
	for _, u := range c.URIs {
		list = append(list, u.String())
	}
	list = append(list, c.DNSNames...)
	for _, ip := range c.IPAddresses {
		list = append(list, ip.String())
	}
	if len(list) == 0 && c.Subject.CommonName != "" {
		list = append(list, c.Subject.CommonName)
	}
	if len(list) == 0 {
		return "nothing"
	}
	return strings.Join(list, ", ")
}
