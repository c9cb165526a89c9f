package tlsstate

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"sipreactor/tlsstate/regular"
)

// revocations are the certificate revocation lists (RFC 5280 5) of a crl_dir,
// by issuer. They do not change.
type revocations struct {
	all      []*revocationList
	byIssuer map[string][]*revocationList // by the issuer's name, DER
}

// readRevocations reads every file of a crl_dir. One that is no list, or has
// expired, is an error: who asked for revocation shall not silently go without.
// One that must not be used is passed over, so that peers whose issuer has no
// other are refused.
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
	data, err := regular.Read(file)
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
	l, err := newRevocationList(file, der, now)
	if err != nil {
		return err
	}
	r.all = append(r.all, l)
	r.byIssuer[string(l.list.RawIssuer)] = append(r.byIssuer[string(l.list.RawIssuer)], l)
	return nil
}

// warnings tell of lists that say nothing now.
func (r *revocations) warnings(now time.Time) (lines []string) {
	for _, l := range r.all {
		switch {
		case l.unusable != "":
			lines = append(lines, fmt.Sprintf("crl_dir %s: %s; it is not used", l.file, l.unusable))
		case l.early(now):
			lines = append(lines, fmt.Sprintf("crl_dir %s: is not in force before %v", l.file, l.list.ThisUpdate))
		}
	}
	return lines
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

// checkOne asks the newest list that tells of a certificate.
func (r *revocations) checkOne(c, issuer *x509.Certificate, now time.Time) *refusal {
	missing := fmt.Sprintf("crl_dir has no list of %v", issuer.Subject)
	var newest *revocationList
	for _, l := range r.byIssuer[string(c.RawIssuer)] {
		if why := l.why(c, issuer, now); why != "" {
			missing = l.file + " " + why
		} else if newest == nil || l.list.ThisUpdate.After(newest.list.ThisUpdate) {
			newest = l
		}
	}
	if newest == nil {
		return &refusal{verdict: VerdictNoRevocation, detail: missing}
	}
	if at, revoked := newest.serials[string(c.SerialNumber.Bytes())]; revoked {
		return &refusal{verdict: VerdictRevoked, detail: fmt.Sprintf("%v, serial %X, at %v", c.Subject, c.SerialNumber, at)}
	}
	return nil
}
