package tlsstate

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/netip"
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
	if r := d.verifyChain(cs.PeerCertificates); r != nil {
		return r
	}
	if leaf := cs.PeerCertificates[0]; d.cfg.verifyDomain() && len(sipDomains(leaf)) == 0 {
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
	if r := d.verifyChain(cs.PeerCertificates); r != nil {
		return r
	}
	if leaf := cs.PeerCertificates[0]; d.cfg.verifyDomain() && !names(leaf, host) {
		return &refusal{verdict: VerdictName, detail: fmt.Sprintf("%s was meant, the certificate names %s", host, identities(leaf))}
	}
	return nil
}

// verifyChain checks a chain, leaf first, against the domain's authorities,
// usages and revocation lists.
func (d *domain) verifyChain(chain []*x509.Certificate) *refusal {
	opts := x509.VerifyOptions{
		Roots:         d.roots.pool,
		Intermediates: x509.NewCertPool(),
		CurrentTime:   d.set.time(),
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageAny}, // ours to check
	}
	for _, c := range chain[1:] {
		opts.Intermediates.AddCert(c)
	}
	paths, err := chain[0].Verify(opts)
	if err != nil {
		return refuse(chain, err, opts)
	}
	r := &refusal{verdict: VerdictUsage, detail: "none of accept_eku: " + strings.Join(d.usages.names, ", ")}
	for _, path := range paths {
		if !d.usages.allow(path) {
			continue
		}
		if d.revoked == nil {
			return nil
		}
		if r = d.revoked.check(path, d.cfg.CRLCheckAll, opts.CurrentTime); r == nil {
			return nil
		}
	}
	return r
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
