package tlsstate

import (
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// revocations are the certificate revocation lists (RFC 5280 5) of a crl_dir,
// by issuer. They do not change; only whose signature was checked is noted.
type revocations struct {
	byIssuer map[string][]*revocationList // by the issuer's name, DER
}

type revocationList struct {
	file    string
	list    *x509.RevocationList
	serials map[string]time.Time // when revoked, by the serial number's bytes
	signers sync.Map             // public keys, DER, to bool: whether they signed this list
}

// deltaCRL is the extension of a list that only tells what changed
// (RFC 5280 5.2.4).
var deltaCRL = asn1.ObjectIdentifier{2, 5, 29, 27}

// readRevocations reads every file of a crl_dir. One that is no list, or has
// expired, is an error: who asked for revocation shall not silently go without.
func readRevocations(dir string, now time.Time) (*revocations, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("crl_dir: %w", err)
	}
	r := &revocations{byIssuer: make(map[string][]*revocationList)}
	for _, e := range entries {
		file := filepath.Join(dir, e.Name())
		info, err := os.Stat(file)
		if err != nil {
			return nil, fmt.Errorf("crl_dir: %w", err)
		}
		if !info.Mode().IsRegular() {
			continue
		}
		if err := r.readFile(file, now); err != nil {
			return nil, fmt.Errorf("crl_dir %s: %w", file, err)
		}
	}
	if len(r.byIssuer) == 0 {
		return nil, fmt.Errorf("crl_dir %s: holds no revocation list", dir)
	}
	return r, nil
}

// readFile reads the lists of one file, one in DER or several in PEM.
func (r *revocations) readFile(file string, now time.Time) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	block, rest := pem.Decode(data)
	if block == nil {
		return r.add(file, data, now)
	}
	for ; block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "X509 CRL" {
			return fmt.Errorf("holds a %s, not a revocation list", block.Type)
		}
		if err := r.add(file, block.Bytes, now); err != nil {
			return err
		}
	}
	return nil
}

func (r *revocations) add(file string, der []byte, now time.Time) error {
	list, err := x509.ParseRevocationList(der)
	if err != nil {
		return fmt.Errorf("is no revocation list: %w", err)
	}
	for _, ext := range list.Extensions {
		if ext.Id.Equal(deltaCRL) {
			return errors.New("is a delta list, which is not supported")
		}
	}
	l := &revocationList{file: file, list: list, serials: make(map[string]time.Time, len(list.RevokedCertificateEntries))}
	if l.expired(now) {
		return fmt.Errorf("the revocation list of %v expired at %v", list.Issuer, list.NextUpdate)
	}
	for _, e := range list.RevokedCertificateEntries {
		l.serials[string(e.SerialNumber.Bytes())] = e.RevocationTime
	}
	r.byIssuer[string(list.RawIssuer)] = append(r.byIssuer[string(list.RawIssuer)], l)
	return nil
}

// check looks up the leaf of a path, or all of it but the root; nil when
// nothing is revoked.
func (r *revocations) check(path []*x509.Certificate, all bool, now time.Time) *refusal {
	for i := 0; i+1 < len(path); i++ {
		if i > 0 && !all {
			break
		}
		if refused := r.checkOne(path[i], path[i+1], now); refused != nil {
			return refused
		}
	}
	return nil
}

func (r *revocations) checkOne(c, issuer *x509.Certificate, now time.Time) *refusal {
	missing := fmt.Sprintf("crl_dir has no list of %v", issuer.Subject)
	covered := false
	for _, l := range r.byIssuer[string(c.RawIssuer)] {
		switch {
		case !l.signedBy(issuer):
			missing = fmt.Sprintf("%s is not signed by the key of %v", l.file, issuer.Subject)
			continue
		case l.expired(now):
			missing = fmt.Sprintf("%s expired at %v", l.file, l.list.NextUpdate)
			continue
		}
		covered = true
		if at, revoked := l.serials[string(c.SerialNumber.Bytes())]; revoked {
			return &refusal{verdict: VerdictRevoked, detail: fmt.Sprintf("%v, serial %X, at %v", c.Subject, c.SerialNumber, at)}
		}
	}
	if !covered {
		return &refusal{verdict: VerdictNoRevocation, detail: missing}
	}
	return nil
}

// expired tells whether a list is out of date; one without a next update never
// is.
func (l *revocationList) expired(now time.Time) bool {
	return !l.list.NextUpdate.IsZero() && now.After(l.list.NextUpdate)
}

// signedBy checks the list's signature, once for each issuer's key. Keys are
// those of verified issuers, so there are few.
func (l *revocationList) signedBy(issuer *x509.Certificate) bool {
	key := string(issuer.RawSubjectPublicKeyInfo)
	if good, known := l.signers.Load(key); known {
		return good.(bool)
	}
	good := l.list.CheckSignatureFrom(issuer) == nil
	l.signers.Store(key, good)
	return good
}
