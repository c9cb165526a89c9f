package names

import (
	"context"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sipreactor/reactor"
)

// patience is for what must come.
const patience = 30 * time.Second

// keep is how long the answers of asked may be kept.
const keep = 30 * time.Second

func target(n byte) Target {
	return Target{EndPoint: reactor.EndPoint{Proto: reactor.TLS, Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, n}), 5061)}}
}

// asked counts look-ups and answers each with another address, or as fails says.
type asked struct {
	n    atomic.Int64
	hold chan struct{}
	mu   sync.Mutex
	ans  *Answer
	err  error
}

func (a *asked) fails(ans *Answer, err error) {
	a.mu.Lock()
	a.ans, a.err = ans, err
	a.mu.Unlock()
}

func (a *asked) Lookup(context.Context, Query) (Answer, error) {
	n := a.n.Add(1)
	if a.hold != nil {
		<-a.hold
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ans != nil {
		return *a.ans, a.err
	}
	return Answer{Targets: []Target{target(byte(n))}, TTL: keep}, nil
}

// timed is a cache with a clock that a test moves.
type timed struct {
	*Cache
	asked
	mu   sync.Mutex
	time time.Time
}

func newTimed() *timed {
	c := &timed{time: time.Unix(1000, 0)}
	c.Cache = NewCache(&c.asked, 0)
	c.now = func() time.Time {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.time
	}
	return c
}

func (c *timed) pass(d time.Duration) {
	c.mu.Lock()
	c.time = c.time.Add(d)
	c.mu.Unlock()
}

// lookup asks and waits, as a message of a source of its own.
func (c *Cache) lookup(q Query) (*Answer, error) { return c.lookupFor(q, netip.Addr{}) }

func (c *Cache) lookupFor(q Query, from netip.Addr) (*Answer, error) {
	t, err := c.Enter(&q, from)
	if err != nil {
		return nil, err
	}
	defer t.Leave()
	return t.Wait()
}

// settled waits until nobody asks for a name any more.
func (c *timed) settled(t *testing.T, q *Query) {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		c.Cache.mu.Lock()
		e := c.hosts[*q]
		asking := e != nil && (e.pending() || e.renewing)
		c.Cache.mu.Unlock()
		if !asking {
			return
		}
		if time.Now().After(end) {
			t.Fatal("somebody asks for ever")
		}
	}
}
