package tlsstate

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"sync"
	"time"
)

// revocationList is one list (RFC 5280 5). It does not change; only whose
// signature was checked is noted.
type revocationList struct {
	file    string
	list    *x509.RevocationList
	serials map[string]time.Time // when revoked, by the serial number's bytes
	signers sync.Map             // public keys, DER, to bool: whether they signed this list
	key     []byte               // key identifier of the signer, nil when it is not told
	scope   listScope
	// unusable is why the list says nothing of any certificate; "" for one that
	// counts. It is kept to tell that to whoever misses it.
	unusable string
}

// listScope is what a list is about: its issuingDistributionPoint (RFC 5280
// 5.2.5). The zero value is everything that the issuer has issued.
type listScope struct {
	usersOnly, authoritiesOnly bool
	points                     [][]byte // names of its distribution point, DER; nil = no matter which
}

// The extensions of lists and certificates that a check looks at (RFC 5280 4.2.1,
// 5.2, 5.3).
var (
	extKeyIdentifier     = asn1.ObjectIdentifier{2, 5, 29, 35}
	extDeltaList         = asn1.ObjectIdentifier{2, 5, 29, 27}
	extIssuingPoint      = asn1.ObjectIdentifier{2, 5, 29, 28}
	extDistribution      = asn1.ObjectIdentifier{2, 5, 29, 31}
	reasonRemoveFromList = 8
)

// distributionPoint is one of the cRLDistributionPoints of a certificate
// (RFC 5280 4.2.1.13).
type distributionPoint struct {
	Name    distributionPointName `asn1:"optional,tag:0"`
	Reasons asn1.BitString        `asn1:"optional,tag:1"`
	Issuer  asn1.RawValue         `asn1:"optional,tag:2"`
}

type distributionPointName struct {
	Full     []asn1.RawValue `asn1:"optional,tag:0"`
	Relative asn1.RawValue   `asn1:"optional,tag:1"`
}

// der lists the names as they are compared.
func (n *distributionPointName) der() (list [][]byte) {
	for i := range n.Full {
		list = append(list, n.Full[i].FullBytes)
	}
	if len(n.Relative.FullBytes) > 0 {
		list = append(list, n.Relative.FullBytes)
	}
	return list
}

type issuingDistributionPoint struct {
	Name           distributionPointName `asn1:"optional,tag:0"`
	Users          bool                  `asn1:"optional,tag:1"`
	Authorities    bool                  `asn1:"optional,tag:2"`
	SomeReasons    asn1.BitString        `asn1:"optional,tag:3"`
	Indirect       bool                  `asn1:"optional,tag:4"`
	AttributesOnly bool                  `asn1:"optional,tag:5"`
}

// newRevocationList reads a list. One that is none, or has expired, is an error;
// one that must not be used to tell of any certificate is kept as unusable.
func newRevocationList(file string, der []byte, now time.Time) (*revocationList, error) {
	list, err := x509.ParseRevocationList(der)
	if err != nil {
		return nil, fmt.Errorf("is no revocation list: %w", err)
	}
	l := &revocationList{file: file, list: list, serials: make(map[string]time.Time, len(list.RevokedCertificateEntries))}
	if l.expired(now) {
		return nil, fmt.Errorf("the revocation list of %v expired at %v", list.Issuer, list.NextUpdate)
	}
	if l.unusable = l.readExtensions(); l.unusable == "" {
		l.unusable = l.readEntries()
	}
	return l, nil
}

// readExtensions reads those of the list. It gives why the list must not be used,
// "" for one that may (RFC 5280 5.2, 6.3.3).
func (l *revocationList) readExtensions() string {
	for _, ext := range l.list.Extensions {
		switch {
		case ext.Id.Equal(extDeltaList):
			return "is a delta list: it tells only what changed"
		case ext.Id.Equal(extIssuingPoint):
			if why := l.readScope(ext.Value); why != "" {
				return why
			}
		case ext.Id.Equal(extKeyIdentifier):
			l.key = l.list.AuthorityKeyId
		case ext.Critical:
			return fmt.Sprintf("has the critical extension %v, which is not known", ext.Id)
		}
	}
	return ""
}

func (l *revocationList) readScope(der []byte) string {
	var p issuingDistributionPoint
	if rest, err := asn1.Unmarshal(der, &p); err != nil || len(rest) > 0 {
		return "has an issuingDistributionPoint that cannot be read"
	}
	switch {
	case p.AttributesOnly:
		return "is about attribute certificates (onlyContainsAttributeCerts)"
	case p.Indirect:
		return "is an indirect list (indirectCRL): its entries are other issuers'"
	case p.SomeReasons.BitLength > 0:
		return "tells of some reasons for a revocation only (onlySomeReasons)"
	case p.Users && p.Authorities:
		return "is about nothing: onlyContainsUserCerts and onlyContainsCACerts"
	}
	l.scope = listScope{usersOnly: p.Users, authoritiesOnly: p.Authorities, points: p.Name.der()}
	return ""
}

// readEntries notes who is revoked. It gives why the list must not be used.
func (l *revocationList) readEntries() string {
	for i := range l.list.RevokedCertificateEntries {
		e := &l.list.RevokedCertificateEntries[i]
		for _, ext := range e.Extensions {
			if ext.Critical {
				return fmt.Sprintf("has an entry with the critical extension %v, which is not known", ext.Id)
			}
		}
		if e.ReasonCode == reasonRemoveFromList {
			return "has an entry with the reason removeFromCRL, which is for delta lists"
		}
		l.serials[string(e.SerialNumber.Bytes())] = e.RevocationTime
	}
	return ""
}

// why gives what keeps the list from telling of a certificate; "" for nothing.
func (l *revocationList) why(c, issuer *x509.Certificate, now time.Time) string {
	switch {
	case l.unusable != "":
		return l.unusable
	case !l.signedBy(issuer):
		return fmt.Sprintf("is not signed by the key of %v", issuer.Subject)
	case l.early(now):
		return fmt.Sprintf("is not in force before %v", l.list.ThisUpdate)
	case l.expired(now):
		return fmt.Sprintf("expired at %v", l.list.NextUpdate)
	case l.scope.usersOnly && c.IsCA:
		return "is not about authorities (onlyContainsUserCerts)"
	case l.scope.authoritiesOnly && !c.IsCA:
		return "is about authorities (onlyContainsCACerts)"
	case l.scope.points != nil && !pointsTo(c, l.scope.points):
		return "is of a distribution point that the certificate does not name"
	}
	return ""
}

// pointsTo reports whether a certificate names one of a list's distribution
// points, for all reasons and of its own issuer.
func pointsTo(c *x509.Certificate, names [][]byte) bool {
	for _, ext := range c.Extensions {
		if !ext.Id.Equal(extDistribution) {
			continue
		}
		var points []distributionPoint
		if _, err := asn1.Unmarshal(ext.Value, &points); err != nil {
			return false
		}
		for i := range points {
			p := &points[i]
			if p.Reasons.BitLength > 0 || len(p.Issuer.FullBytes) > 0 {
				continue
			}
			for _, mine := range p.Name.der() {
				for _, theirs := range names {
					if bytes.Equal(mine, theirs) {
						return true
					}
				}
			}
		}
	}
	return false
}

// early reports whether a list is from the future.
func (l *revocationList) early(now time.Time) bool { return now.Before(l.list.ThisUpdate) }

// expired reports whether a list is out of date; one without a next update never
// is.
func (l *revocationList) expired(now time.Time) bool {
	return !l.list.NextUpdate.IsZero() && now.After(l.list.NextUpdate)
}

// signedBy checks the list's signature, once for each issuer's key. Keys are
// those of verified issuers, so there are few.
func (l *revocationList) signedBy(issuer *x509.Certificate) bool {
	if len(l.key) > 0 && len(issuer.SubjectKeyId) > 0 && !bytes.Equal(l.key, issuer.SubjectKeyId) {
		return false
	}
	key := string(issuer.RawSubjectPublicKeyInfo)
	if good, known := l.signers.Load(key); known {
		return good.(bool)
	}
	good := l.list.CheckSignatureFrom(issuer) == nil
	l.signers.Store(key, good)
	return good
}
