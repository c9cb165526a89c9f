package proxy

import (
	"cmp"
	"context"
	"errors"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/names"
)

// noNames is a Resolver that knows none.
type noNames struct{}

func (noNames) Lookup(context.Context, names.Query) (names.Answer, error) { return names.Answer{}, nil }

// targets is the answer of a host with these addresses.
func targets(q names.Query, addrs ...netip.AddrPort) names.Answer {
	a := names.Answer{TTL: time.Minute}
	for _, at := range addrs {
		a.Targets = append(a.Targets, names.Target{EndPoint: reactor.EndPoint{Proto: cmp.Or(q.Proto, q.Fallback), Addr: at}})
	}
	return a
}

// fixed is a Resolver of a table.
type fixed map[string][]string

func (f fixed) Lookup(_ context.Context, q names.Query) (names.Answer, error) {
	return targets(q, addresses(f[q.Host]...)...), nil
}

func TestQueryOfNextHop(t *testing.T) {
	for _, tc := range []struct {
		dest string
		want names.Query
	}{
		{"sips:Example.com", names.Query{Host: "example.com", Secure: true, Fallback: reactor.TLS}},
		{"sips:example.com;transport=tcp", names.Query{Host: "example.com", Proto: reactor.TLS, Secure: true, Fallback: reactor.TLS}},
		{"sip:example.com:5070;transport=tcp", names.Query{Host: "example.com", Proto: reactor.TCP, Port: 5070, Fallback: reactor.TCP}},
		{"tls:example.com", names.Query{Host: "example.com", Proto: reactor.TLS, Fallback: reactor.TLS}},
		{"sip:x@example.org;maddr=real.example.com", names.Query{Host: "real.example.com", Fallback: reactor.UDP}},
		{"example.org:5080", names.Query{Host: "example.org", Port: 5080, Fallback: reactor.UDP}},
	} {
		var got names.Query
		b := newBed(t, funcs{request: func(c *Context) { _ = c.Forward([]byte(tc.dest)) }},
			func(c *Config) { c.Resolver = spy{&got} })
		b.pass(invite(), overTLS)
		tc.want.Reach = names.ReachOf(reactor.UDP, false) | names.ReachOf(reactor.TCP, false) | names.ReachOf(reactor.TLS, false) | names.ReachOf(reactor.TLS, true)
		if got != tc.want {
			t.Errorf("%s: asked %+v, want %+v", tc.dest, got, tc.want)
		}
	}
}

type spy struct{ q *names.Query }

func (s spy) Lookup(_ context.Context, q names.Query) (names.Answer, error) {
	*s.q = q
	return names.Answer{}, nil
}

// silent is a Resolver that answers nothing before its context ends, or hold is
// closed.
type silent struct{ hold chan struct{} }

func (s silent) Lookup(ctx context.Context, _ names.Query) (names.Answer, error) {
	select {
	case <-ctx.Done():
		return names.Answer{}, ctx.Err()
	case <-s.hold:
		return names.Answer{}, errors.New("no such host")
	}
}

// A request that may not wait for its next hop's name is answered 503 at once,
// with when to come again.
func TestBusyLookupIsAnswered(t *testing.T) {
	r := silent{make(chan struct{})}
	defer close(r.hold)
	b := newBed(t, funcs{request: func(c *Context) { _ = c.Forward([]byte("sip:silent.example.com;transport=tls")) }},
		func(c *Config) { c.Resolver = r })
	b.full = true
	s := b.one(invite(), overTLS).text
	if n, err := strconv.Atoi(header(t, s, "Retry-After")); !strings.HasPrefix(s, "SIP/2.0 503 ") || err != nil || n < retryAfter || n >= retryAfter+retrySpread {
		t.Errorf("answered %s", s)
	}
	if n := b.proxy.Count(LookupsRefused); n != 1 {
		t.Errorf("%d refused", n)
	}
}
