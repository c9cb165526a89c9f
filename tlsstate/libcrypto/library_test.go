//go:build openssl

package libcrypto_test

import (
	"crypto"
	"errors"
	"strings"
	"testing"

	"sipreactor/tlsstate"
	"sipreactor/tlsstate/libcrypto"
)

// A handshake each of both versions with both kinds of key, by the library's name.
func TestLibrary(t *testing.T) {
	lib, ok := tlsstate.LookupLibrary(libcrypto.LibraryName)
	if !ok || !strings.Contains(lib.Version, "OpenSSL 3") {
		t.Fatalf("%+v", lib)
	}
	for _, useRSA := range []bool{true, false} {
		for _, version := range []string{"TLSv1_2", "TLSv1_3"} {
			server, client := serverAndClient(t, lib, useRSA, version)
			serve(t, server, client)
			if d := server.Domains(); len(d) != 1 || d[0].Library != libcrypto.LibraryName {
				t.Errorf("%+v", d)
			}
		}
	}
}

// The hook gets every key that is read, and its error is the configuration's.
func TestConfigSigner(t *testing.T) {
	cert, key, err := tlsstate.Ephemeral([]string{"localhost"}, true)
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	cfg := tlsstate.Config{Domains: []tlsstate.DomainConfig{{Name: "in", Role: tlsstate.Server,
		Certificates: []tlsstate.KeyPair{{CertificatePEM: cert, PrivateKeyPEM: key}}}}}
	cfg.Signer = func(k crypto.Signer) (crypto.Signer, error) {
		asked++
		return libcrypto.Signer(k)
	}
	if _, err := tlsstate.Build(cfg); err != nil || asked != 1 {
		t.Errorf("%v, asked %d times", err, asked)
	}
	cfg.Signer = func(crypto.Signer) (crypto.Signer, error) { return nil, errors.New("no token in the slot") }
	if _, err := tlsstate.Build(cfg); err == nil || !strings.Contains(err.Error(), "server domain in: private_key: no token in the slot") {
		t.Error(err)
	}
}
