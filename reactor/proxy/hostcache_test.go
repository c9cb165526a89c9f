package proxy

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"sipreactor/reactor"
)

func keyFor(host string) string {
	return string(appendKey(nil, &hop{proto: reactor.TLS, host: []byte(host)}))
}

// lookup asks and waits, as a message of a source of its own.
func (c *hostCache) lookup(key string, q Query) ([]netip.AddrPort, error) {
	return c.lookupFor(key, q, netip.Addr{})
}

func (c *hostCache) lookupFor(key string, q Query, from netip.Addr) ([]netip.AddrPort, error) {
	t, err := c.enter(key, q, from)
	if err != nil {
		return nil, err
	}
	defer t.leave()
	return t.wait()
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

// silent is a Resolver that answers nothing before its context ends, or hold is
// closed.
type silent struct{ hold chan struct{} }

func (s silent) Lookup(ctx context.Context, _ Query) ([]netip.AddrPort, error) {
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-s.hold:
		return nil, errors.New("no such host")
	}
}

// Whoever finds no room among those that wait is told at once: by source, by
// name, and in all. When the wait is over there is room again.
func TestHostCacheBoundsThoseWhoWait(t *testing.T) {
	source := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{198, 51, 100, byte(i)}) }
	for _, tc := range []struct {
		name string
		key  func(i int) string
		from func(i int) netip.Addr
		room int
	}{
		{"of a source", func(i int) string { return fmt.Sprint("h", i) }, func(int) netip.Addr { return source(1) }, maxWaitingForSource},
		{"of a /64", func(i int) string { return fmt.Sprint("h", i) }, func(i int) netip.Addr {
			return netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 15: byte(i)})
		}, maxWaitingForSource},
		{"for a name", func(int) string { return "h" }, func(i int) netip.Addr { return source(i % 200) }, maxWaitingForName},
		{"in all", func(i int) string { return fmt.Sprint("h", i) }, func(i int) netip.Addr { return source(i % 200) }, maxWaiting},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := silent{make(chan struct{})}
			c := newHostCache(r)
			c.timeout = patience
			var tickets []ticket
			for i := range tc.room {
				k, err := c.enter(tc.key(i), Query{}, tc.from(i))
				if err != nil {
					t.Fatalf("number %d: %v", i, err)
				}
				tickets = append(tickets, k)
			}
			if _, err := c.enter(tc.key(tc.room), Query{}, tc.from(tc.room)); !errors.Is(err, ErrBusy) {
				t.Errorf("one more: %v", err)
			}
			close(r.hold)
			for _, k := range tickets {
				if _, err := k.wait(); !errors.Is(err, ErrUnresolved) {
					t.Error(err)
				}
				k.leave()
			}
			if c.waiting != 0 || len(c.sources) != 0 || c.asking != 0 {
				t.Errorf("%d wait, %d sources, %d questions", c.waiting, len(c.sources), c.asking)
			}
			if _, err := c.lookupFor("free", Query{}, tc.from(0)); !errors.Is(err, ErrUnresolved) {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}

// A Resolver that does not keep its deadline holds nobody for longer.
func TestHostCacheWaitHasADeadline(t *testing.T) {
	r := &asked{hold: make(chan struct{})}
	defer close(r.hold)
	c := newHostCache(r)
	c.timeout = time.Millisecond
	for range 2 {
		if _, err := c.lookup("k", Query{}); !errors.Is(err, ErrUnresolved) {
			t.Error(err)
		}
	}
	if r.n.Load() != 1 {
		t.Errorf("asked %d times", r.n.Load())
	}
}

// Names that do not exist do not drive out those that do.
func TestHostCacheFailuresGoFirst(t *testing.T) {
	c := newHostCache(&asked{})
	if _, err := c.lookup("good", Query{}); err != nil {
		t.Fatal(err)
	}
	c.resolver = &asked{fail: true}
	for i := range 2 * maxHosts {
		_, _ = c.lookup(fmt.Sprint("bad", i), Query{})
	}
	if _, err, ok := c.cached([]byte("good")); !ok || err != nil {
		t.Error(err, ok)
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
