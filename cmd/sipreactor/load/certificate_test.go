package load

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"testing"
)

func TestIssue(t *testing.T) {
	ca, err := NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"ecdsa", "rsa"} {
		certPEM, keyPEM, err := ca.Issue(kind, "127.0.0.1", "edge.example.com")
		if err != nil {
			t.Fatal(err)
		}
		pair, err := tls.X509KeyPair(certPEM, keyPEM)
		if err != nil {
			t.Fatal(err)
		}
		switch pair.PrivateKey.(type) {
		case *ecdsa.PrivateKey:
			if kind != "ecdsa" {
				t.Errorf("%s: an ECDSA key", kind)
			}
		case *rsa.PrivateKey:
			if kind != "rsa" {
				t.Errorf("%s: an RSA key", kind)
			}
		}
		for _, host := range []string{"127.0.0.1", "edge.example.com"} {
			if _, err := pair.Leaf.Verify(x509.VerifyOptions{Roots: ca.ClientConfig().RootCAs, DNSName: host}); err != nil {
				t.Errorf("%s: %s: %v", kind, host, err)
			}
		}
		if _, err := pair.Leaf.Verify(x509.VerifyOptions{Roots: ca.ClientConfig().RootCAs, DNSName: "other.example.com"}); err == nil {
			t.Errorf("%s: verified for another name", kind)
		}
	}
	if _, _, err := ca.Issue("dsa", "x"); err == nil {
		t.Error("a kind of key that there is not")
	}
}

func TestWriteFiles(t *testing.T) {
	ca, err := NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := ca.Write(dir, "edge", "ecdsa", "127.0.0.1"); err != nil {
		t.Fatal(err)
	}
	for _, files := range [][2]string{{"edge.pem", "edge.key"}, {"edge.both.pem", "edge.both.pem"}} {
		if _, err := tls.LoadX509KeyPair(filepath.Join(dir, files[0]), filepath.Join(dir, files[1])); err != nil {
			t.Errorf("%v: %v", files, err)
		}
	}
	pem, err := os.ReadFile(filepath.Join(dir, "ca.pem"))
	if err != nil || !x509.NewCertPool().AppendCertsFromPEM(pem) {
		t.Errorf("ca.pem: %v", err)
	}
	if info, err := os.Stat(filepath.Join(dir, "edge.key")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("edge.key: %v, %v", info.Mode(), err)
	}
	if err := ca.Write(filepath.Join(dir, "missing"), "edge", "ecdsa", "127.0.0.1"); err == nil {
		t.Error("written into a directory that there is not")
	}
}
