package reactor

import (
	"testing"

	"sipreactor/tlsstate"
)

// The engine's tests run on crypto/tls, and on libssl with the build tag
// openssl: nothing in them, as nothing in the engine, knows which it is.
var (
	tlsLibrary   = tlsstate.GoLibrary
	liveMachines = tlsstate.LiveMachines
)

// buildDomains makes domains with the machines that the tests run on.
func buildDomains(t testing.TB, domains ...tlsstate.DomainConfig) tlsstate.Domains {
	t.Helper()
	l, ok := tlsstate.LookupLibrary(tlsLibrary)
	if !ok {
		t.Fatalf("these tests were built without %s", tlsLibrary)
	}
	d, err := l.Build(tlsstate.Config{Domains: domains})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// The domains of the tests are those of the library that was asked for.
func TestLibraryOfTheTests(t *testing.T) {
	r := start(t, &script{}, nil)
	for _, d := range r.dialer.TLS().Domains() {
		if d.Library != tlsLibrary {
			t.Errorf("the domain %s has machines of %s, not of %s", d.Config.Name, d.Library, tlsLibrary)
		}
	}
}
