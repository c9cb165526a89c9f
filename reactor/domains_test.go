package reactor

import (
	"testing"

	"sipreactor/tlsstate"
)

// testDomains is one server and one client domain with the same certificate,
// which both trust.
func testDomains(t testing.TB, certPEM, keyPEM []byte) *tlsstate.Set {
	t.Helper()
	no := false
	pair := []tlsstate.KeyPair{{CertificatePEM: certPEM, PrivateKeyPEM: keyPEM}}
	set, err := tlsstate.Build(tlsstate.Config{Domains: []tlsstate.DomainConfig{
		{Name: "in", Role: tlsstate.Server, Certificates: pair, CAPEM: certPEM, RequireCert: &no},
		{Name: "out", Role: tlsstate.Client, Certificates: pair, CAPEM: certPEM},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return set
}
