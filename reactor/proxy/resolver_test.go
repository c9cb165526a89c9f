package proxy

import (
	"context"
	"errors"
	"net/netip"
	"sync/atomic"
	"testing"

	"sipreactor/reactor"
)

// noNames is a Resolver that knows none.
type noNames struct{}

func (noNames) Lookup(context.Context, Query) ([]netip.AddrPort, error) { return nil, nil }

// fixed is a Resolver of a table.
type fixed map[string][]string

func (f fixed) Lookup(_ context.Context, q Query) (list []netip.AddrPort, err error) {
	for _, s := range f[q.Host] {
		list = append(list, netip.MustParseAddrPort(s))
	}
	return list, nil
}

// asked counts lookups and answers each with another address.
type asked struct {
	n    atomic.Int64
	hold chan struct{}
	fail bool
}

func (a *asked) Lookup(context.Context, Query) ([]netip.AddrPort, error) {
	n := a.n.Add(1)
	if a.hold != nil {
		<-a.hold
	}
	if a.fail {
		return nil, errors.New("no such host")
	}
	return []netip.AddrPort{netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(n)}), 5061)}, nil
}

func TestQueryOfNextHop(t *testing.T) {
	for _, tc := range []struct {
		dest string
		want Query
	}{
		{"sips:Example.com", Query{Host: "example.com", Proto: reactor.TLS, DefaultPort: 5061}},
		{"sip:example.com:5070;transport=tcp", Query{Host: "example.com", Proto: reactor.TCP, Port: 5070, DefaultPort: 5060}},
		{"tls:example.com", Query{Host: "example.com", Proto: reactor.TLS, DefaultPort: 5061}},
		{"sip:x@example.org;maddr=real.example.com", Query{Host: "real.example.com", Proto: reactor.UDP, DefaultPort: 5060}},
	} {
		var got Query
		b := newBed(t, funcs{request: func(c *Context) { _ = c.Forward([]byte(tc.dest)) }},
			func(c *Config) { c.Resolver = spy{&got} })
		b.pass(invite(), overTLS)
		if got != tc.want {
			t.Errorf("%s: asked %+v, want %+v", tc.dest, got, tc.want)
		}
	}
}

type spy struct{ q *Query }

func (s spy) Lookup(_ context.Context, q Query) ([]netip.AddrPort, error) {
	*s.q = q
	return nil, nil
}

// localhost resolves on any machine without a name server.
func TestSystemResolver(t *testing.T) {
	list, err := NewResolver(nil).Lookup(t.Context(), Query{Host: "localhost", Proto: reactor.TLS, Port: 5063})
	if err != nil || len(list) == 0 {
		t.Skip("no localhost here:", err)
	}
	for _, a := range list {
		if !a.Addr().IsLoopback() || a.Port() != 5063 {
			t.Errorf("localhost is %v", a)
		}
	}
}
