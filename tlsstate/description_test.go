package tlsstate

import (
	"crypto/tls"
	"os/exec"
	"strings"
	"testing"
)

func TestDescriptionColumns(t *testing.T) {
	for id, want := range map[uint16]columns{
		tls.TLS_CHACHA20_POLY1305_SHA256:            {"TLSv1.3", "any", "any", "CHACHA20/POLY1305(256)", "AEAD"},
		tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384:   {"TLSv1.2", "ECDH", "RSA", "AESGCM(256)", "AEAD"},
		tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256: {"TLSv1.2", "ECDH", "ECDSA", "AES(128)", "SHA256"},
		tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA:      {"TLSv1", "ECDH", "RSA", "AES(128)", "SHA1"},
		tls.TLS_RSA_WITH_AES_256_CBC_SHA:            {"SSLv3", "RSA", "RSA", "AES(256)", "SHA1"},
	} {
		s := &State{Version: tls.VersionTLS12, Cipher: id}
		if got := describe(id, s.CipherName()); got != want {
			t.Errorf("%s: %+v, want %+v", s.CipherName(), got, want)
		}
	}
	if d := new(State).CipherDescription(); d != "" {
		t.Errorf("nothing is negotiated, and described as %q", d)
	}
}

// Every suite is described as OpenSSL describes it.
func TestDescriptionsAsOpenSSLWritesThem(t *testing.T) {
	out, err := exec.Command("openssl", "ciphers", "-v", "ALL:@SECLEVEL=0").Output()
	if err != nil {
		t.Skip("the openssl program is not installed (apt-get install openssl)")
	}
	theirs := make(map[string]string)
	for line := range strings.Lines(string(out)) {
		name, _, _ := strings.Cut(line, " ")
		theirs[name] = strings.TrimRight(line, " \n")
	}
	ids := []uint16{tls.TLS_AES_128_GCM_SHA256, tls.TLS_AES_256_GCM_SHA384, tls.TLS_CHACHA20_POLY1305_SHA256}
	for i := range suites {
		ids = append(ids, suites[i].id)
	}
	for _, id := range ids {
		s := &State{Version: tls.VersionTLS12, Cipher: id}
		if want := theirs[s.CipherName()]; s.CipherDescription() != want {
			t.Errorf("%q, openssl says\n%q", s.CipherDescription(), want)
		}
	}
}
