package tlsstate

import (
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"slices"
	"strings"
)

// usages are the extended key usages that a domain accepts in its peers'
// chains, whatever the peer's role.
type usages struct {
	names   []string
	known   []x509.ExtKeyUsage
	unknown []asn1.ObjectIdentifier // those that crypto/x509 has no name for
}

// sipDomainUsage is id-kp-sipDomain (RFC 5924 4).
var sipDomainUsage = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 20}

// parseUsages reads accept_eku.
func parseUsages(list []string) (u usages, err error) {
	if len(list) == 0 {
		list = []string{"serverAuth", "clientAuth", "any"}
	}
	for _, name := range list {
		switch name = strings.TrimSpace(name); strings.ToLower(name) {
		case "serverauth":
			u.known = append(u.known, x509.ExtKeyUsageServerAuth)
		case "clientauth":
			u.known = append(u.known, x509.ExtKeyUsageClientAuth)
		case "any":
			u.known = append(u.known, x509.ExtKeyUsageAny)
		case "sipdomain":
			u.unknown = append(u.unknown, sipDomainUsage)
		default:
			return u, fmt.Errorf("accept_eku %q is none of serverAuth, clientAuth, any, sipDomain", name)
		}
		u.names = append(u.names, name)
	}
	return u, nil
}

// allow tells whether one of the usages runs through a whole path, leaf first.
// The root's own does not count (RFC 5280 6.1: a trust anchor is a name and a
// key).
func (u *usages) allow(path []*x509.Certificate) bool {
	if len(path) > 1 {
		path = path[:len(path)-1]
	}
	for _, k := range u.known {
		if through(path, func(c *x509.Certificate) bool { return slices.Contains(c.ExtKeyUsage, k) }) {
			return true
		}
	}
	for _, k := range u.unknown {
		if through(path, func(c *x509.Certificate) bool { return slices.ContainsFunc(c.UnknownExtKeyUsage, k.Equal) }) {
			return true
		}
	}
	return false
}

// through tells whether each certificate has a usage, or none at all, or, above
// the leaf, any.
func through(path []*x509.Certificate, has func(*x509.Certificate) bool) bool {
	for i, c := range path {
		free := len(c.ExtKeyUsage) == 0 && len(c.UnknownExtKeyUsage) == 0
		if !free && !has(c) && (i == 0 || !slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageAny)) {
			return false
		}
	}
	return true
}
