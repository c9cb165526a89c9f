package tlstest

import (
	"errors"
	"testing"

	"sipreactor/tlsstate"
)

// GoLibrary is crypto/tls, which every program has.
var GoLibrary = tlsstate.Libraries()[0]

// Build makes domains of a library.
func Build(t testing.TB, l tlsstate.Library, domains ...tlsstate.DomainConfig) tlsstate.Domains {
	t.Helper()
	return BuildConfig(t, l, tlsstate.Config{Domains: domains})
}

// BuildConfig makes domains of a library.
func BuildConfig(t testing.TB, l tlsstate.Library, cfg tlsstate.Config) tlsstate.Domains {
	t.Helper()
	d, err := l.Build(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Pairing is which library answers and which calls.
type Pairing struct{ Server, Client tlsstate.Library }

// Link builds a world's server domain and its client domain, changed by f if
// there is one.
func (p Pairing) Link(t testing.TB, w *World, f Change) Link {
	t.Helper()
	s, c := w.ServerDomain(), w.ClientDomain()
	if f != nil {
		f(&s, &c)
	}
	return Link{Server: Build(t, p.Server, s), Client: Build(t, p.Client, c)}
}

// Link is the domains at both ends of connections.
type Link struct{ Server, Client tlsstate.Domains }

// Join makes a link of two ends.
func Join(server, client tlsstate.Domains) Link { return Link{Server: server, Client: client} }

// NewServer makes a server's end that is stopped when the test is over.
func NewServer(t testing.TB, d tlsstate.Domains) *End {
	t.Helper()
	m, err := d.NewServer(Listener, Caller)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Stop)
	return &End{Machine: m}
}

// NewClient makes a client's end that is stopped when the test is over.
func NewClient(t testing.TB, d tlsstate.Domains, host string) *End {
	t.Helper()
	m, err := d.NewClient(Query(host))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Stop)
	return &End{Machine: m}
}

// Meet lets a server and a client machine talk to each other until they have
// nothing more to say.
func (l Link) Meet(t testing.TB, host string, cut Cutter) (server, client *End) {
	t.Helper()
	server, client = NewServer(t, l.Server), NewClient(t, l.Client, host)
	Wire(client, server, cut)
	return server, client
}

// Connect is a meeting that must get through its handshake.
func (l Link) Connect(t testing.TB, host string, cut Cutter) (server, client *End) {
	t.Helper()
	server, client = l.Meet(t, host, cut)
	if server.Phase() != tlsstate.Established || client.Phase() != tlsstate.Established {
		t.Fatalf("server %v (%v), client %v (%v)", server.Phase(), server.Err, client.Phase(), client.Err)
	}
	return server, client
}

// WantError checks that an error is an *Error with that blame and reason.
func WantError(t testing.TB, err error, blame tlsstate.Blame, reason string) *tlsstate.Error {
	t.Helper()
	var e *tlsstate.Error
	if !errors.As(err, &e) {
		t.Fatalf("%v (%T) is no *Error; want %q", err, err, reason)
	}
	if e.Blame != blame || e.Reason != reason {
		t.Fatalf("%v: %v; want %v: %q", e.Blame, e, blame, reason)
	}
	return e
}
