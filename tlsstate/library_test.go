package tlsstate_test

import (
	"strings"
	"testing"

	"sipreactor/tlsstate"
)

// Every program has crypto/tls, and what it builds says so.
func TestGoLibrary(t *testing.T) {
	l, ok := tlsstate.LookupLibrary(tlsstate.GoLibrary)
	if !ok || !strings.HasPrefix(l.Version, "crypto/tls of go") {
		t.Fatal(l, ok)
	}
	if all := tlsstate.Libraries(); len(all) == 0 || all[0].Name != tlsstate.GoLibrary {
		t.Error(all)
	}
	domains, err := l.Build(tlsstate.Config{Domains: []tlsstate.DomainConfig{{Name: "out", Role: tlsstate.Client}}})
	if err != nil {
		t.Fatal(err)
	}
	if info := domains.Domains(); len(info) != 1 || info[0].Library != tlsstate.GoLibrary {
		t.Error(info)
	}
	// A failure gives no domains at all, not a nil set that calls for a panic.
	domains, err = l.Build(tlsstate.Config{Domains: []tlsstate.DomainConfig{{Name: "in", Role: tlsstate.Server}}})
	if err == nil || domains != nil {
		t.Error(domains, err)
	}
}

func TestUnknownLibrary(t *testing.T) {
	if l, ok := tlsstate.LookupLibrary("none such"); ok {
		t.Error(l)
	}
}

// A name is given once.
func TestRegisterLibraryTwice(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a second library took the name of the first")
		}
	}()
	tlsstate.RegisterLibrary(tlsstate.Library{Name: tlsstate.GoLibrary})
}
