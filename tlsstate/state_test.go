package tlsstate_test

import (
	"crypto/tls"
	"strings"
	"testing"

	"sipreactor/tlsstate"
)

func TestVersionNames(t *testing.T) {
	for version, name := range map[uint16]string{
		0: "", tls.VersionTLS10: "TLSv1", tls.VersionTLS11: "TLSv1.1", tls.VersionTLS12: "TLSv1.2", tls.VersionTLS13: "TLSv1.3",
	} {
		if got := (&tlsstate.State{Version: version}).VersionName(); got != name {
			t.Errorf("%x is %q, want %q", version, got, name)
		}
	}
	s := &tlsstate.State{Version: tls.VersionTLS13, Cipher: tls.TLS_AES_128_GCM_SHA256}
	if s.CipherName() != "TLS_AES_128_GCM_SHA256" || s.CipherBits() != 128 {
		t.Error(s.CipherName(), s.CipherBits())
	}
	s = &tlsstate.State{Version: tls.VersionTLS12, Cipher: tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256}
	if s.CipherName() != "ECDHE-RSA-CHACHA20-POLY1305" || s.CipherBits() != 256 {
		t.Error(s.CipherName(), s.CipherBits())
	}
	if !strings.Contains(tlsstate.VerdictExpired.String(), "expired") {
		t.Error(tlsstate.VerdictExpired)
	}
}

// A list of thousands of connections asks for the names of each.
func TestNamesAllocateNothing(t *testing.T) {
	for _, c := range tls.CipherSuites() {
		s := &tlsstate.State{Version: tls.VersionTLS13, Cipher: c.ID}
		if n := testing.AllocsPerRun(10, func() { _, _, _ = s.VersionName(), s.CipherName(), s.CipherBits() }); n != 0 {
			t.Errorf("%s: %v allocations", c.Name, n)
		}
	}
	if name := (&tlsstate.State{Version: tls.VersionTLS12, Cipher: 0xfefe}).CipherName(); name != "0xFEFE" {
		t.Error("a suite that nobody knows:", name)
	}
}
