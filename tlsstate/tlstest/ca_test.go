package tlstest_test

import (
	"crypto/x509"
	"math/big"
	"os"
	"testing"
	"time"

	"sipreactor/tlsstate/tlstest"
)

func TestLeafVerifies(t *testing.T) {
	root := tlstest.NewCA(t, "root")
	inter := root.Intermediate(t, "intermediate").Intermediate(t, "another")
	leaf := inter.Leaf(t, tlstest.Leaf{CN: "x", DNS: []string{"a.example.com"}, IPs: []string{"192.0.2.1"},
		URIs: []string{"sip:example.com"}, Emails: []string{"a@example.com"}})
	pool := x509.NewCertPool()
	for _, c := range leaf.Chain {
		pool.AddCert(c)
	}
	paths, err := leaf.Cert.Verify(x509.VerifyOptions{Roots: root.Pool(), Intermediates: pool, DNSName: "a.example.com"})
	if err != nil || len(paths[0]) != 4 {
		t.Fatal(paths, err)
	}
	if n := len(leaf.Cert.SerialNumber.Bytes()); n != 20 {
		t.Errorf("a serial number of %d bytes", n)
	}
	if n := len(leaf.TLS(t).Certificate); n != 3 {
		t.Errorf("a chain of %d", n)
	}
}

func TestStrangers(t *testing.T) {
	root := tlstest.NewCA(t, "root")
	day := 24 * time.Hour
	for name, p := range map[string]*tlstest.Pair{
		"self-signed": tlstest.SelfSigned(t, tlstest.Leaf{CN: "x"}),
		"expired":     root.Leaf(t, tlstest.Leaf{CN: "x", NotBefore: time.Now().Add(-2 * day), NotAfter: time.Now().Add(-day)}),
		"namesake":    tlstest.NewCA(t, "root").Leaf(t, tlstest.Leaf{RSA: true}),
	} {
		if _, err := p.Cert.Verify(x509.VerifyOptions{Roots: root.Pool()}); err == nil {
			t.Errorf("%s: verified", name)
		}
	}
}

func TestFiles(t *testing.T) {
	ca := tlstest.NewCA(t, "root")
	cert, key := ca.Leaf(t, tlstest.Leaf{Serial: big.NewInt(7)}).Files(t)
	if info, err := os.Stat(key); err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info, err)
	}
	for _, file := range []string{cert, ca.File(t)} {
		if text, err := os.ReadFile(file); err != nil || len(text) == 0 {
			t.Error(file, err)
		}
	}
}

func TestCRL(t *testing.T) {
	ca := tlstest.NewCA(t, "root")
	leaf := ca.Leaf(t, tlstest.Leaf{CN: "x"})
	list, err := x509.ParseRevocationList(ca.CRL(t, time.Now().Add(time.Hour), leaf))
	if err != nil || list.CheckSignatureFrom(ca.Cert) != nil || len(list.RevokedCertificateEntries) != 1 {
		t.Fatal(list, err)
	}
}
