package stir_shaken

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"sipreactor/reactor/script"
)

// certificates reads a certificate and those behind it that lead to its issuer, PEM.
func certificates(text []byte) (chain []*x509.Certificate, err error) {
	for {
		block, rest := pem.Decode(text)
		if block == nil {
			break
		}
		text = rest
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("the certificate: %w", err)
		}
		chain = append(chain, c)
	}
	if chain == nil {
		return nil, errors.New("the certificate is none in PEM form")
	}
	return chain, nil
}

// within reports whether a certificate is valid at a time.
func within(c *x509.Certificate, t time.Time) bool {
	return !t.Before(c.NotBefore.Truncate(time.Second)) && !t.After(c.NotAfter)
}

// keyOf reads the private key of a certificate, PEM.
func keyOf(text []byte, c *x509.Certificate) (*ecdsa.PrivateKey, error) {
	for {
		block, rest := pem.Decode(text)
		if block == nil {
			return nil, errors.New("the key is none in PEM form")
		}
		text = rest
		var key *ecdsa.PrivateKey
		switch block.Type {
		case "EC PRIVATE KEY":
			key, _ = x509.ParseECPrivateKey(block.Bytes)
		case "PRIVATE KEY":
			parsed, _ := x509.ParsePKCS8PrivateKey(block.Bytes)
			key, _ = parsed.(*ecdsa.PrivateKey)
		default:
			continue
		}
		switch {
		case key == nil || key.Curve != elliptic.P256():
			return nil, errors.New("the key is none of P-256, which ES256 needs")
		case !key.PublicKey.Equal(c.PublicKey):
			return nil, errors.New("the key is not that of the certificate")
		default:
			return key, nil
		}
	}
}

// trust is who may issue certificates.
type trust struct {
	list, dir, revoked, revokedDir script.Literal // files and folders; no text: none
	roots                          *x509.CertPool
	crls                           []*x509.RevocationList
}

// named reports whether anybody is trusted.
func (t *trust) named() bool { return t.list.Text != "" || t.dir.Text != "" }

// load reads the files.
func (t *trust) load() error {
	t.roots = x509.NewCertPool()
	return script.ErrorAt(script.Pos{}, errors.Join(
		readFile(t.list, t.authorities), readFolder(t.dir, t.authorities),
		readFile(t.revoked, t.lists), readFolder(t.revokedDir, t.lists)))
}

// errNothing is of a file without what it is to have: that is wrong if the configuration names it, and not in a folder.
var errNothing = errors.New("there is no certificate in it, or no list, in PEM form")

func (t *trust) authorities(text []byte) error {
	if !t.roots.AppendCertsFromPEM(text) {
		return errNothing
	}
	return nil
}

func (t *trust) lists(text []byte) error {
	had := len(t.crls)
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		list, err := x509.ParseRevocationList(block.Bytes)
		if err != nil {
			return err
		}
		t.crls = append(t.crls, list)
	}
	if len(t.crls) == had {
		return errNothing
	}
	return nil
}

// readFile reads a file that the configuration names, if it does.
func readFile(name script.Literal, take func(text []byte) error) error {
	if name.Text == "" {
		return nil
	}
	text, err := os.ReadFile(name.Text)
	if err == nil {
		err = take(text)
	}
	if err != nil {
		err = fmt.Errorf("stir_shaken: %s: %w", name.Text, err)
	}
	return script.ErrorAt(name.At, err)
}

// readFolder reads the files of a folder, and those that links lead to.
func readFolder(name script.Literal, take func(text []byte) error) error {
	if name.Text == "" {
		return nil
	}
	entries, err := os.ReadDir(name.Text)
	if err != nil {
		return script.ErrorAt(name.At, fmt.Errorf("stir_shaken: %w", err))
	}
	for _, e := range entries {
		f := script.Literal{At: name.At, Text: filepath.Join(name.Text, e.Name())}
		if i, err := os.Stat(f.Text); err != nil || !i.Mode().IsRegular() {
			continue
		}
		if err := readFile(f, take); err != nil && !errors.Is(err, errNothing) {
			return err
		}
	}
	return nil
}

// tnAuthList is the extension that says for which numbers a certificate is (RFC 8226). Its issuer has seen to that.
var tnAuthList = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 26}

var (
	errRevoked = errors.New("the certificate is revoked")
	errCurve   = errors.New("the key of the certificate is none of P-256")
)

// verify returns the key of a certificate that somebody trusted has issued.
func (t *trust) verify(chain []*x509.Certificate, now time.Time) (*ecdsa.PublicKey, error) {
	o := x509.VerifyOptions{Roots: t.roots, Intermediates: x509.NewCertPool(), CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}
	for i, c := range chain {
		c.UnhandledCriticalExtensions = slices.DeleteFunc(c.UnhandledCriticalExtensions, func(id asn1.ObjectIdentifier) bool { return id.Equal(tnAuthList) })
		if i > 0 {
			o.Intermediates.AddCert(c)
		}
	}
	paths, err := chain[0].Verify(o)
	if err != nil {
		return nil, err
	}
	err = errRevoked
	for _, path := range paths {
		if !t.isRevoked(path) {
			err = nil
		}
	}
	if err != nil {
		return nil, err
	}
	key, ok := chain[0].PublicKey.(*ecdsa.PublicKey)
	if !ok || key.Curve != elliptic.P256() {
		return nil, errCurve
	}
	return key, nil
}

// isRevoked reports whether an issuer of a path has taken back what it issued there.
func (t *trust) isRevoked(path []*x509.Certificate) bool {
	for i, c := range path[:len(path)-1] {
		for _, list := range t.crls {
			if list.CheckSignatureFrom(path[i+1]) != nil {
				continue
			}
			for _, e := range list.RevokedCertificateEntries {
				if e.SerialNumber.Cmp(c.SerialNumber) == 0 {
					return true
				}
			}
		}
	}
	return false
}
