package tlsstate

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// We verify chains ourselves, in VerifyConnection: crypto/tls insists on the
// clientAuth usage in a client's certificate, which public authorities no
// longer issue, and VerifyConnection is called for resumed sessions as well, so
// that no ticket outlives an authority, a certificate or a revocation.

// Verdict is what the check of a peer's chain comes to.
type Verdict uint8

// The verdicts.
const (
	VerdictNone         Verdict = iota // there was no certificate, or nothing to check it by
	VerdictOK                          // good
	VerdictExpired                     // a certificate of the chain has expired
	VerdictNotYetValid                 // a certificate of the chain is not valid yet
	VerdictSelfSigned                  // self-signed and not among the authorities
	VerdictAuthority                   // the chain ends at none of the authorities
	VerdictRevoked                     // named in its issuer's CRL
	VerdictNoRevocation                // an issuer's CRL is missing or has expired
	VerdictName                        // names another SIP domain than the one that was meant
	VerdictUsage                       // carries none of the accepted extended key usages
	VerdictInvalid                     // anything else
)

// reason gives the reason of an Error for a verdict.
func (v Verdict) reason() string {
	switch v {
	case VerdictExpired:
		return ReasonExpired
	case VerdictNotYetValid:
		return ReasonNotYetValid
	case VerdictSelfSigned:
		return ReasonSelfSigned
	case VerdictAuthority:
		return ReasonAuthority
	case VerdictRevoked:
		return ReasonRevoked
	case VerdictNoRevocation:
		return ReasonNoRevocation
	case VerdictName:
		return ReasonName
	case VerdictUsage:
		return ReasonUsage
	case VerdictNone, VerdictOK, VerdictInvalid:
		return ReasonCertificate
	default:
		return ReasonCertificate
	}
}

// String gives the verdict in words; "ok" when there is nothing to say.
func (v Verdict) String() string {
	switch v {
	case VerdictNone:
		return "no certificate"
	case VerdictOK:
		return "ok"
	default:
		return v.reason()
	}
}

// refusal is a verdict that is not good, with what is wrong.
type refusal struct {
	verdict Verdict
	detail  string
	err     error
}

// orNil gives the refusal as an error for crypto/tls; nil for none.
func (r *refusal) orNil() error {
	if r == nil {
		return nil
	}
	e := &Error{Blame: BlamePeer, Reason: r.verdict.reason(), Detail: r.detail, Err: r.err}
	if r.verdict == VerdictNoRevocation {
		e.Blame = BlameConfig
	}
	return e
}

// verifyClient checks the certificate of a client, if it sent one; that it must
// send one is crypto/tls's to see.
func (d *domain) verifyClient(cs tls.ConnectionState) *refusal {
	if !d.verify || len(cs.PeerCertificates) == 0 {
		return nil
	}
	path, r := d.verifyChain(cs.PeerCertificates)
	if r != nil {
		return r
	}
	if d.cfg.verifyDomain() && len(sipDomains(path[0], !constrained(path))) == 0 {
		return &refusal{verdict: VerdictName, detail: "it speaks for no SIP domain"}
	}
	return nil
}

// verifyServer checks the certificate of a server against the SIP domain or
// address that we meant to reach.
func (d *domain) verifyServer(cs tls.ConnectionState, host string) *refusal {
	if !d.verify {
		return nil
	}
	if len(cs.PeerCertificates) == 0 {
		return &refusal{verdict: VerdictInvalid, detail: "none was sent"}
	}
	path, r := d.verifyChain(cs.PeerCertificates)
	if r != nil {
		return r
	}
	if d.cfg.verifyDomain() && !names(path[0], host, !constrained(path)) {
		return &refusal{verdict: VerdictName, detail: fmt.Sprintf("%s was meant, the certificate names %s", host, identities(path[0], !constrained(path)))}
	}
	return nil
}

// verifyChain checks a chain, leaf first, against the domain's authorities,
// usages and revocation lists. It gives the path to an authority that passed.
func (d *domain) verifyChain(chain []*x509.Certificate) (path []*x509.Certificate, r *refusal) {
	opts := x509.VerifyOptions{
		Roots:         d.roots.pool,
		Intermediates: x509.NewCertPool(),
		CurrentTime:   d.set.time(),
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageAny}, // ours to check
	}
	for _, c := range chain[1:] {
		opts.Intermediates.AddCert(c)
	}
	leaf, hostless := withoutHostless(chain[0])
	paths, err := leaf.Verify(opts)
	if err != nil {
		return nil, refuse(chain, err, opts)
	}
	r = &refusal{verdict: VerdictUsage, detail: "none of accept_eku: " + strings.Join(d.usages.names, ", ")}
	for _, path := range paths {
		path[0] = chain[0]
		if !d.usages.allow(path) {
			continue
		}
		if hostless && slices.ContainsFunc(path[1:], constrainsURIs) {
			r = &refusal{verdict: VerdictInvalid, detail: "an authority may vouch for URIs of some hosts only, and the certificate has one without a host"}
			continue
		}
		if d.revoked == nil {
			return path, nil
		}
		if r = d.revoked.check(path, d.cfg.CRLCheckAll, opts.CurrentTime); r == nil {
			return path, nil
		}
	}
	return nil, r
}

// withoutHostless gives a certificate for crypto/x509 to check, without the URIs
// that have no host, and whether there were any. "sip:example.com" is one by the
// syntax of URIs, and crypto/x509 refuses them under constraints of whatever
// kind; RFC 5280 4.2.1.10 does under those for URIs.
func withoutHostless(c *x509.Certificate) (*x509.Certificate, bool) {
	has := func(u *url.URL) bool { return u.Host == "" }
	if !slices.ContainsFunc(c.URIs, has) {
		return c, false
	}
	plain := *c
	plain.URIs = slices.DeleteFunc(slices.Clone(c.URIs), has)
	return &plain, true
}

func constrainsURIs(c *x509.Certificate) bool {
	return len(c.PermittedURIDomains)+len(c.ExcludedURIDomains) > 0
}

// refuse turns what crypto/x509 says of a chain into a verdict.
func refuse(chain []*x509.Certificate, err error, opts x509.VerifyOptions) *refusal {
	r := &refusal{verdict: VerdictInvalid, detail: strings.TrimPrefix(err.Error(), "x509: "), err: err}
	var (
		invalid x509.CertificateInvalidError
		unknown x509.UnknownAuthorityError
	)
	switch {
	case errors.As(err, &invalid):
		if invalid.Reason == x509.Expired {
			r.verdict = VerdictExpired
			if opts.CurrentTime.Before(invalid.Cert.NotBefore) {
				r.verdict = VerdictNotYetValid
			}
		}
	case errors.As(err, &unknown):
		r.verdict = VerdictAuthority
		if bytes.Equal(chain[0].RawIssuer, chain[0].RawSubject) {
			r.verdict = VerdictSelfSigned
		}
	}
	return r
}

// parseHost gives the address that a host is; false for a name.
func parseHost(host string) (netip.Addr, bool) {
	a, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return a.Unmap(), err == nil
}
