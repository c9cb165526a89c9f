package tlsstate_test

import (
	"bytes"
	"crypto/x509"
	"os"
	"path/filepath"
	"testing"
	"time"

	"sipreactor/tlsstate"
	"sipreactor/tlsstate/tlstest"
)

var serverAuth = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}

func crlDir(t *testing.T, lists ...[]byte) string {
	t.Helper()
	dir := t.TempDir()
	for i, der := range lists {
		tlstest.Write(t, filepath.Join(dir, string(rune('a'+i))+".crl"), der, 0o644)
	}
	return dir
}

func TestRevocationFilesAreChecked(t *testing.T) {
	w := tlstest.NewWorld(t)
	pemOf := func(p *tlstest.Pair) []byte { return p.CertPEM() }
	for name, files := range map[string][][]byte{
		"empty folder":  nil,
		"rubbish":       {[]byte("rubbish")},
		"a certificate": {pemOf(w.Server)},
		"expired":       {w.CA.CRL(t, time.Now().Add(-time.Hour))},
		"one of two":    {w.CA.CRL(t, time.Now().Add(time.Hour)), bytes.Repeat([]byte{0x30}, 50)},
	} {
		d := w.ServerDomain()
		d.CRLDir = crlDir(t, files...)
		if _, err := tlsstate.Build(tlsstate.Config{Domains: []tlsstate.DomainConfig{d}}); err == nil {
			t.Errorf("%s: no error", name)
		} else {
			t.Logf("%s: %v", name, err)
		}
	}
	d := w.ServerDomain()
	d.CRLDir = filepath.Join(t.TempDir(), "missing")
	if _, err := tlsstate.Build(tlsstate.Config{Domains: []tlsstate.DomainConfig{d}}); err == nil || !os.IsNotExist(unwrapAll(err)) {
		t.Error(err)
	}
}

func unwrapAll(err error) error {
	for {
		u, ok := err.(interface{ Unwrap() error })
		if !ok {
			return err
		}
		if _, ok := err.(*os.PathError); ok {
			return err
		}
		err = u.Unwrap()
	}
}
