package reactor

import (
	"testing"

	"sipreactor/tlsstate"
)

// testDomains is one server and one client domain with the same certificate,
// which both trust.
func testDomains(t testing.TB, certPEM, keyPEM []byte) tlsstate.Domains {
	t.Helper()
	no := false
	pair := []tlsstate.KeyPair{{CertificatePEM: certPEM, PrivateKeyPEM: keyPEM}}
	return buildDomains(t,
		tlsstate.DomainConfig{Name: "in", Role: tlsstate.Server, Certificates: pair, CAPEM: certPEM, RequireCert: &no},
		tlsstate.DomainConfig{Name: "out", Role: tlsstate.Client, Certificates: pair, CAPEM: certPEM})
}
