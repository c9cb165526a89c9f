package hep

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"testing"
)

// issue makes a certificate for a subject, by an issuer that is named.
func issue(t *testing.T, subject, issuer pkix.Name) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: subject}
	parent := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: issuer}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func certificate(t *testing.T, name string) *x509.Certificate {
	t.Helper()
	return issue(t, pkix.Name{CommonName: name}, pkix.Name{CommonName: "issuer of " + name})
}

func TestOneLine(t *testing.T) {
	attribute := func(value string, oid ...int) pkix.AttributeTypeAndValue {
		return pkix.AttributeTypeAndValue{Type: asn1.ObjectIdentifier(oid), Value: value}
	}
	for _, c := range []struct {
		names []pkix.AttributeTypeAndValue
		want  string
	}{
		{nil, ""},
		{[]pkix.AttributeTypeAndValue{attribute("a", 2, 5, 4, 3)}, "/CN=a"},
		{[]pkix.AttributeTypeAndValue{
			attribute("CH", 2, 5, 4, 6), attribute("Zürich", 2, 5, 4, 7), attribute("One / Two", 2, 5, 4, 10),
			attribute("u1", 2, 5, 4, 11), attribute("u2", 2, 5, 4, 11), attribute("a", 2, 5, 4, 3),
			attribute("a@b", 1, 2, 840, 113549, 1, 9, 1),
		}, "/C=CH/L=Zürich/O=One / Two/OU=u1/OU=u2/CN=a/emailAddress=a@b"},
		{[]pkix.AttributeTypeAndValue{attribute("x", 1, 2, 3, 4), attribute("a", 2, 5, 4, 3)}, "/1.2.3.4=x/CN=a"},
	} {
		made := issue(t, pkix.Name{ExtraNames: c.names}, pkix.Name{CommonName: "ca"})
		if got := oneLine(made.Subject); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
		if got := oneLine(made.Issuer); got != "/CN=ca" {
			t.Errorf("issuer %q", got)
		}
	}
}
