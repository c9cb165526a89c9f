package tlsstate

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"sipreactor/tlsstate/regular"
)

// authorities are whom peers' certificates are checked against.
type authorities struct {
	pool *x509.CertPool
	// sums tell them from others: SHA-256 of each, sorted. None for the system's.
	sums [][32]byte
}

// readAuthorities reads ca_list and ca_dir; with neither, they are the system's.
func (d *domain) readAuthorities() (*authorities, error) {
	a := &authorities{pool: x509.NewCertPool()}
	if len(d.cfg.CAPEM) > 0 {
		if err := a.add(d.cfg.CAPEM); err != nil {
			return nil, fmt.Errorf("ca_list: %w", err)
		}
	}
	if err := errors.Join(of("ca_list", 0, a.addFile(d.cfg.CAFile)), of("ca_dir", 0, a.addFolder(d.cfg.CADir))); err != nil {
		return nil, err
	}
	if len(a.sums) > 0 {
		slices.SortFunc(a.sums, func(x, y [32]byte) int { return slices.Compare(x[:], y[:]) })
		a.sums = slices.Compact(a.sums)
		return a, nil
	}
	if len(d.cfg.CAPEM) > 0 {
		return nil, errors.New("ca_list: holds no certificate in PEM")
	}
	return d.systemAuthorities()
}

func (d *domain) systemAuthorities() (*authorities, error) {
	pool, err := x509.SystemCertPool()
	if err != nil {
		return nil, fmt.Errorf("there is no ca_list, and the system's authorities cannot be read: %w", err)
	}
	if d.verify && pool.Equal(x509.NewCertPool()) {
		d.warn("there is no ca_list, and the system has no authorities: no peer can be verified")
	}
	return &authorities{pool: pool}, nil
}

// addFile adds the certificates of a ca_list; "" is none.
func (a *authorities) addFile(file string) error {
	if file == "" {
		return nil
	}
	text, err := regular.Read(file)
	if err != nil {
		return fmt.Errorf("ca_list: %w", err)
	}
	before := len(a.sums)
	if err = a.add(text); err == nil && len(a.sums) == before {
		err = errors.New("holds no certificate in PEM")
	}
	if err != nil {
		return fmt.Errorf("ca_list %s: %w", file, err)
	}
	return nil
}

// addFolder adds the certificates of the files in a ca_dir; "" is none. Files
// without any are passed over: such folders hold lists and notes as well.
func (a *authorities) addFolder(dir string) error {
	if dir == "" {
		return nil
	}
	before := len(a.sums)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("ca_dir: %w", err)
	}
	for _, e := range entries {
		file := filepath.Join(dir, e.Name())
		if info, err := os.Stat(file); err != nil || !info.Mode().IsRegular() {
			continue
		}
		text, err := regular.Read(file)
		if err != nil {
			return fmt.Errorf("ca_dir: %w", err)
		}
		if err := a.add(text); err != nil {
			return fmt.Errorf("ca_dir %s: %w", file, err)
		}
	}
	if len(a.sums) == before {
		return fmt.Errorf("ca_dir %s: holds no certificate in PEM", dir)
	}
	return nil
}

// add adds the certificates of a PEM text.
func (a *authorities) add(text []byte) error {
	for rest, n := text, 1; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return nil
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return fmt.Errorf("certificate %d: %w", n, err)
		}
		a.pool.AddCert(c)
		a.sums = append(a.sums, sha256.Sum256(c.Raw))
		n++
	}
}
