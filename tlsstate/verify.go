package tlsstate

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// We verify chains ourselves, in VerifyConnection: crypto/tls insists on the
// clientAuth usage in a client's certificate, which public authorities no
// longer issue, and VerifyConnection is called for resumed sessions as well, so
// that no ticket outlives a policy.

// verifyClient checks the certificate of a client, if it sent one; that it must
// send one is crypto/tls's to see.
func (d *domain) verifyClient(cs tls.ConnectionState) error {
	if len(cs.PeerCertificates) == 0 {
		return nil
	}
	return d.verifyChain(cs.PeerCertificates)
}

// verifyServer checks the certificate of a server against the SIP domain that
// we meant to reach.
func (d *domain) verifyServer(cs tls.ConnectionState, sipDomain string) error {
	if len(cs.PeerCertificates) == 0 {
		return &Error{Blame: BlamePeer, Reason: ReasonNoCert}
	}
	if err := d.verifyChain(cs.PeerCertificates); err != nil {
		return err
	}
	if d.cfg.verifyDomain() && sipDomain != "" && !names(cs.PeerCertificates[0], sipDomain) {
		return &Error{Blame: BlamePeer, Reason: ReasonCertificate,
			Detail: fmt.Sprintf("it does not name %s but %s", sipDomain, identities(cs.PeerCertificates[0]))}
	}
	return nil
}

// verifyChain checks a chain against the domain's authorities.
func (d *domain) verifyChain(chain []*x509.Certificate) error {
	opts := x509.VerifyOptions{Roots: d.roots, Intermediates: x509.NewCertPool(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}
	for _, c := range chain[1:] {
		opts.Intermediates.AddCert(c)
	}
	if _, err := chain[0].Verify(opts); err != nil {
		return &Error{Blame: BlamePeer, Reason: ReasonCertificate, Detail: err.Error(), Err: err}
	}
	if !d.usageAccepted(chain[0]) {
		return &Error{Blame: BlamePeer, Reason: ReasonCertificate, Detail: "its extended key usage is not among accept_eku"}
	}
	return nil
}

// usageAccepted tells whether a certificate carries no extended key usage at
// all, or one that we accept.
func (d *domain) usageAccepted(c *x509.Certificate) bool {
	if len(c.ExtKeyUsage) == 0 && len(c.UnknownExtKeyUsage) == 0 {
		return true
	}
	for _, have := range c.ExtKeyUsage {
		for _, want := range d.usages {
			if have == want {
				return true
			}
		}
	}
	return false
}

// keyUsages reads accept_eku.
func keyUsages(names []string) ([]x509.ExtKeyUsage, error) {
	known := map[string]x509.ExtKeyUsage{
		"serverauth": x509.ExtKeyUsageServerAuth,
		"clientauth": x509.ExtKeyUsageClientAuth,
		"any":        x509.ExtKeyUsageAny,
	}
	if len(names) == 0 {
		names = []string{"serverAuth", "clientAuth", "any"}
	}
	var list []x509.ExtKeyUsage
	for _, n := range names {
		u, ok := known[strings.ToLower(strings.TrimSpace(n))]
		if !ok {
			return nil, fmt.Errorf("accept_eku %q is none of serverAuth, clientAuth, any", n)
		}
		list = append(list, u)
	}
	return list, nil
}

// names tells whether a certificate speaks for a SIP domain (RFC 5922 7.1, 7.2):
// by a SAN URI "sip:domain" first; only without one by a SAN DNS name; only
// without any SAN by the common name. An address is named by a SAN of its kind.
func names(c *x509.Certificate, sipDomain string) bool {
	host := strings.ToLower(strings.TrimSuffix(strings.Trim(sipDomain, "[]"), "."))
	if addr, err := netip.ParseAddr(host); err == nil {
		for _, ip := range c.IPAddresses {
			if a, ok := netip.AddrFromSlice(ip); ok && a.Unmap() == addr.Unmap() {
				return true
			}
		}
	}
	uris := sipURIs(c)
	for _, u := range uris {
		if u == host {
			return true
		}
	}
	if len(uris) > 0 {
		return false
	}
	for _, n := range c.DNSNames {
		if dnsMatches(strings.ToLower(n), host) {
			return true
		}
	}
	if len(c.DNSNames)+len(c.URIs)+len(c.IPAddresses)+len(c.EmailAddresses) > 0 {
		return false
	}
	return strings.EqualFold(c.Subject.CommonName, host)
}

// sipURIs gives the domains of a certificate's SIP URIs. One with a user part
// names a person, not a domain.
func sipURIs(c *x509.Certificate) (hosts []string) {
	for _, u := range c.URIs {
		if strings.EqualFold(u.Scheme, "sip") {
			if h := u.Opaque; h != "" && !strings.Contains(h, "@") {
				hosts = append(hosts, strings.ToLower(h))
			}
		}
	}
	return hosts
}

// dnsMatches compares a SAN DNS name, whose first label may be "*", with a host
// (RFC 6125 6.4.3). RFC 5922 forbids the wildcard; carriers' certificates have
// it all the same.
func dnsMatches(pattern, host string) bool {
	if rest, ok := strings.CutPrefix(pattern, "*."); ok {
		_, parent, found := strings.Cut(host, ".")
		return found && parent == rest
	}
	return pattern == host
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
	if len(list) == 0 {
		list = append(list, c.Subject.CommonName)
	}
	return strings.Join(list, ", ")
}

// signerPair makes a pair of a chain and a key that lives elsewhere.
func signerPair(chain []byte, k *KeyPair) (pair tls.Certificate, err error) {
	for rest := chain; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type == "CERTIFICATE" {
			pair.Certificate = append(pair.Certificate, block.Bytes)
		}
	}
	if len(pair.Certificate) == 0 {
		return pair, errors.New("no certificate found")
	}
	if pair.Leaf, err = x509.ParseCertificate(pair.Certificate[0]); err != nil {
		return pair, err
	}
	same := false
	switch pub := pair.Leaf.PublicKey.(type) {
	case *rsa.PublicKey:
		same = pub.Equal(k.Signer.Public())
	case *ecdsa.PublicKey:
		same = pub.Equal(k.Signer.Public())
	case ed25519.PublicKey:
		same = pub.Equal(k.Signer.Public())
	}
	if !same {
		return pair, errors.New("the key is not the certificate's")
	}
	pair.PrivateKey = k.Signer
	return pair, nil
}
