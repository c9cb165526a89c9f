//go:build openssl

package openssl_test

import (
	"strings"
	"testing"

	"sipreactor/tlsstate"
	"sipreactor/tlsstate/conformance"
	"sipreactor/tlsstate/openssl"
	"sipreactor/tlsstate/tlstest"
)

// libssl is this package as a program has it.
var (
	libssl    = registered()
	libraries = []tlsstate.Library{tlstest.GoLibrary, libssl}
)

func registered() tlsstate.Library {
	l, ok := tlsstate.LookupLibrary(openssl.LibraryName)
	if !ok {
		panic("the package does not register itself")
	}
	return l
}

func TestConformance(t *testing.T) { conformance.Run(t, libraries...) }

func TestVersion(t *testing.T) {
	if !strings.HasPrefix(libssl.Version, "OpenSSL 3.") {
		t.Error(libssl.Version)
	}
}

// What libssl cannot do is said when the domain is built.
func TestCannot(t *testing.T) {
	w := tlstest.NewWorld(t)
	for _, c := range []struct {
		change func(*tlsstate.DomainConfig)
		says   string
	}{
		{func(d *tlsstate.DomainConfig) { d.Curves = "X25519MLKEM768" }, "libssl has none"},
		{func(d *tlsstate.DomainConfig) {
			d.Certificates = []tlsstate.KeyPair{{CertificatePEM: w.Server.CertPEM(), Signer: w.Server.Key}}
		}, "Signer"},
	} {
		d := w.ServerDomain()
		c.change(&d)
		built, err := libssl.Build(tlsstate.Config{Domains: []tlsstate.DomainConfig{d}})
		if err == nil || built != nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "domain "+d.Name) {
			t.Errorf("%v; want it to say %q and the domain", err, c.says)
		}
	}
}

// The curve of a peer's ECDSA certificate has to be among ec_curve in TLS 1.2,
// where crypto/tls does not mind.
func TestECDSANeedsItsCurve(t *testing.T) {
	w := tlstest.NewWorld(t)
	p := tlstest.Pairing{Server: libssl, Client: tlstest.GoLibrary}
	only := func(version string) tlstest.Change {
		return func(s, c *tlsstate.DomainConfig) { s.Method, s.Curves = version, "X25519" }
	}
	p.Link(t, w, only("TLSv1_3")).Connect(t, "sip.example.com", tlstest.Whole)
	server, _ := p.Link(t, w, only("TLSv1_2")).Meet(t, "sip.example.com", tlstest.Whole)
	tlstest.WantError(t, server.Err, tlsstate.BlamePeer, tlsstate.ReasonGroup)
}
