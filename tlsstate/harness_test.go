package tlsstate_test

import (
	"testing"

	"sipreactor/tlsstate"
	"sipreactor/tlsstate/conformance"
	"sipreactor/tlsstate/tlstest"
)

func TestConformance(t *testing.T) { conformance.Run(t, tlstest.GoLibrary) }

func build(t testing.TB, domains ...tlsstate.DomainConfig) *tlsstate.Set {
	t.Helper()
	return buildConfig(t, tlsstate.Config{Domains: domains})
}

func buildConfig(t testing.TB, cfg tlsstate.Config) *tlsstate.Set {
	t.Helper()
	set, err := tlsstate.Build(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// setOf has a world's server domain and its client domain, both changed by f.
func setOf(t testing.TB, w *tlstest.World, f tlstest.Change) *tlsstate.Set {
	t.Helper()
	s, c := w.ServerDomain(), w.ClientDomain()
	if f != nil {
		f(&s, &c)
	}
	return build(t, s, c)
}

// anonymous is a client without a certificate that need not have one.
func anonymous(server, client *tlsstate.DomainConfig) {
	server.RequireCert = tlstest.No()
	client.Certificates = nil
}

// pair is a server and a client machine of a set, connected to each other.
func pair(t testing.TB, set *tlsstate.Set, host string, cut tlstest.Cutter) (server, client *tlstest.End) {
	t.Helper()
	return tlstest.Join(set, set).Meet(t, host, cut)
}

// connected is a pair that must get through its handshake.
func connected(t testing.TB, set *tlsstate.Set, host string, cut tlstest.Cutter) (server, client *tlstest.End) {
	t.Helper()
	return tlstest.Join(set, set).Connect(t, host, cut)
}
