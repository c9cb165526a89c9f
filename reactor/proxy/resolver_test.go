package proxy

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

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

func keyFor(host string) string {
	return string(appendKey(nil, &hop{proto: reactor.TLS, host: []byte(host)}))
}

func TestHostCacheKeepsAnswers(t *testing.T) {
	now := time.Unix(1000, 0)
	r := &asked{}
	c := newHostCache(r)
	c.now = func() time.Time { return now }
	key := keyFor("A.example.com")
	if key != keyFor("a.EXAMPLE.com") {
		t.Error("names differ by case")
	}
	if _, _, ok := c.cached([]byte(key)); ok {
		t.Error("an empty cache has an answer")
	}
	first, err := c.lookup(key, Query{Host: "a.example.com"})
	if err != nil || len(first) != 1 {
		t.Fatal(first, err)
	}
	now = now.Add(freshFor - 1)
	if a, err, ok := c.cached([]byte(key)); !ok || err != nil || a[0] != first[0] {
		t.Error("not kept", a, err, ok)
	}
	now = now.Add(1)
	if _, _, ok := c.cached([]byte(key)); ok {
		t.Error("kept too long")
	}
	second, _ := c.lookup(key, Query{})
	if second[0] == first[0] || r.n.Load() != 2 {
		t.Error("not asked again")
	}
}

func TestHostCacheKeepsFailuresShorter(t *testing.T) {
	now := time.Unix(1000, 0)
	r := &asked{fail: true}
	c := newHostCache(r)
	c.now = func() time.Time { return now }
	key := keyFor("a.example.com")
	for range 3 {
		if _, err := c.lookup(key, Query{Host: "a.example.com"}); !errors.Is(err, ErrUnresolved) {
			t.Error(err)
		}
	}
	if _, err, ok := c.cached([]byte(key)); !ok || !errors.Is(err, ErrUnresolved) {
		t.Error("failure not kept")
	}
	if r.n.Load() != 1 {
		t.Errorf("asked %d times", r.n.Load())
	}
	now = now.Add(failedFor)
	_, _ = c.lookup(key, Query{})
	if r.n.Load() != 2 {
		t.Error("failure kept too long")
	}
}

// A name that everybody waits for is asked for once.
func TestHostCacheAsksOnce(t *testing.T) {
	r := &asked{hold: make(chan struct{})}
	c := newHostCache(r)
	key := keyFor("a.example.com")
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if a, err := c.lookup(key, Query{}); err != nil || len(a) != 1 {
				t.Error(a, err)
			}
		})
	}
	for r.n.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	if _, _, ok := c.cached([]byte(key)); ok {
		t.Error("answered before there is an answer")
	}
	close(r.hold)
	wg.Wait()
	if r.n.Load() != 1 {
		t.Errorf("asked %d times", r.n.Load())
	}
}

func TestHostCacheIsBounded(t *testing.T) {
	c := newHostCache(&asked{})
	for i := range maxHosts + 500 {
		if _, err := c.lookup(keyFor(fmt.Sprintf("h%d", i)), Query{}); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(c.hosts); n > maxHosts {
		t.Errorf("%d hosts kept", n)
	}
}

type panics struct{}

func (panics) Lookup(context.Context, Query) ([]netip.AddrPort, error) { panic("resolver") }

// A Resolver that panics leaves nobody waiting.
func TestHostCachePanic(t *testing.T) {
	c := newHostCache(panics{})
	func() {
		defer func() { _ = recover() }()
		_, _ = c.lookup("k", Query{})
	}()
	c.resolver = &asked{}
	if a, err := c.lookup("k", Query{}); err != nil || len(a) != 1 {
		t.Error(a, err)
	}
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
