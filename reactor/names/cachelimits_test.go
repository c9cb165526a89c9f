package names

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"time"
)

func TestCacheIsBounded(t *testing.T) {
	c := NewCache(&asked{}, 0)
	for i := range maxHosts + 500 {
		if _, err := c.lookup(Query{Host: fmt.Sprint("h", i)}); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(c.hosts); n > maxHosts {
		t.Errorf("%d hosts kept", n)
	}
}

// Names that do not exist do not drive out those that do.
func TestCacheFailuresGoFirst(t *testing.T) {
	r := &asked{}
	c := NewCache(r, 0)
	good := Query{Host: "good"}
	if _, err := c.lookup(good); err != nil {
		t.Fatal(err)
	}
	r.fails(&Answer{TTL: time.Minute}, errors.New("no such host"))
	for i := range 2 * maxHosts {
		_, _ = c.lookup(Query{Host: fmt.Sprint("bad", i)})
	}
	if _, err, ok := c.Cached(&good); !ok || err != nil {
		t.Error(err, ok)
	}
}

// silent is a Resolver that answers nothing before its context ends, or hold is
// closed.
type silent struct{ hold chan struct{} }

func (s silent) Lookup(ctx context.Context, _ Query) (Answer, error) {
	select {
	case <-ctx.Done():
		return Answer{}, ctx.Err()
	case <-s.hold:
		return Answer{}, ErrUnresolved
	}
}

// Whoever finds no room among those that wait is told at once: by source, by
// name, and in all. When the wait is over there is room again.
func TestCacheBoundsThoseWhoWait(t *testing.T) {
	source := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{198, 51, 100, byte(i)}) }
	numbered := func(i int) Query { return Query{Host: fmt.Sprint("h", i)} }
	for _, tc := range []struct {
		name string
		q    func(i int) Query
		from func(i int) netip.Addr
		room int
	}{
		{"of a source", numbered, func(int) netip.Addr { return source(1) }, MaxWaitingForSource},
		{"of a /64", numbered, func(i int) netip.Addr {
			return netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 15: byte(i)})
		}, MaxWaitingForSource},
		{"for a name", func(int) Query { return Query{Host: "h"} }, func(i int) netip.Addr { return source(i % 200) }, MaxWaitingForName},
		{"in all", numbered, func(i int) netip.Addr { return source(i % 200) }, MaxWaiting},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := silent{make(chan struct{})}
			c := NewCache(r, patience)
			var tickets []Ticket
			for i := range tc.room {
				q := tc.q(i)
				k, err := c.Enter(&q, tc.from(i))
				if err != nil {
					t.Fatalf("number %d: %v", i, err)
				}
				tickets = append(tickets, k)
			}
			q := tc.q(tc.room)
			if _, err := c.Enter(&q, tc.from(tc.room)); !errors.Is(err, ErrBusy) {
				t.Errorf("one more: %v", err)
			}
			close(r.hold)
			for _, k := range tickets {
				if _, err := k.Wait(); !errors.Is(err, ErrUnresolved) {
					t.Error(err)
				}
				k.Leave()
			}
			if c.waiting != 0 || len(c.sources) != 0 || c.asking != 0 {
				t.Errorf("%d wait, %d sources, %d questions", c.waiting, len(c.sources), c.asking)
			}
			if _, err := c.lookupFor(Query{Host: "free"}, tc.from(0)); !errors.Is(err, ErrUnresolved) {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}

// A Resolver that does not keep its deadline holds nobody for longer.
func TestCacheWaitHasADeadline(t *testing.T) {
	r := &asked{hold: make(chan struct{})}
	defer close(r.hold)
	c := NewCache(r, time.Millisecond)
	for range 2 {
		if _, err := c.lookup(Query{}); !errors.Is(err, ErrUnresolved) {
			t.Error(err)
		}
	}
	if r.n.Load() > 1 {
		t.Errorf("asked %d times", r.n.Load())
	}
}

// What is known is found without memory.
func TestCachedAllocatesNothing(t *testing.T) {
	c := NewCache(&asked{}, 0)
	q := Query{Host: "a.example.com"}
	a, _ := c.lookup(q)
	var at int
	if n := testing.AllocsPerRun(100, func() {
		a, _, _ = c.Cached(&q)
		o := a.Order(7)
		at += o.At(0)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
