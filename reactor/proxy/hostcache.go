package proxy

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"sipreactor/reactor"
)

// ErrBusy: so many messages wait for names already, in all, for this name or
// from this source, that one more is refused at once.
var ErrBusy = errors.New("proxy: too many wait for names")

const (
	lookupTimeout = 3 * time.Second  // of a question, and of whoever waits for the answer
	freshFor      = 30 * time.Second // net.Resolver does not tell the records' own
	failedFor     = 2 * time.Second
	maxHosts      = 4096
)

// How many messages may wait for answers: in all, which also bounds the
// questions under way, for one name, and from one source (reactor.SourceOf), so
// that a peer that names hosts nobody knows takes a share and not the whole.
const (
	maxWaiting          = 256
	maxWaitingForName   = maxWaiting / 2
	maxWaitingForSource = maxWaiting / 4
)

// hostCache keeps the answers of a Resolver for a while, the failed ones for a
// shorter one, and has each name asked for once at a time. Any goroutine.
type hostCache struct {
	resolver Resolver
	now      func() time.Time
	timeout  time.Duration

	mu      sync.RWMutex
	hosts   map[string]*hostEntry
	waiting int
	asking  int
	sources map[netip.Addr]int // who waits; no entry = nobody
}

// hostEntry is one answer; addrs, err and until are written before done is
// closed. The lock guards waiting.
type hostEntry struct {
	done    chan struct{}
	addrs   []netip.AddrPort
	err     error
	until   time.Time
	waiting int
}

func newHostCache(r Resolver) *hostCache {
	return &hostCache{resolver: r, now: time.Now, timeout: lookupTimeout,
		hosts: make(map[string]*hostEntry), sources: make(map[netip.Addr]int)}
}

// appendKey writes what tells queries apart.
func appendKey(dst []byte, h *hop) []byte {
	dst = append(dst, byte(h.proto), byte(h.port>>8), byte(h.port))
	for _, c := range h.host {
		dst = append(dst, lower(c))
	}
	return dst
}

// cached answers without blocking; ok is false if the answer has to be asked
// for. The slice is shared: it must not be changed.
func (c *hostCache) cached(key []byte) (addrs []netip.AddrPort, err error, ok bool) {
	c.mu.RLock()
	e := c.hosts[string(key)]
	c.mu.RUnlock()
	if e == nil || !c.fresh(e) {
		return nil, nil, false
	}
	return e.addrs, e.err, true
}

// fresh reports whether an entry has an answer that is still good.
func (c *hostCache) fresh(e *hostEntry) bool {
	select {
	case <-e.done:
		return c.now().Before(e.until)
	default:
		return false
	}
}

// pending reports whether an entry has no answer yet.
func (e *hostEntry) pending() bool {
	select {
	case <-e.done:
		return false
	default:
		return true
	}
}

// ticket is a place among those that wait for an answer.
type ticket struct {
	cache *hostCache
	entry *hostEntry
	from  netip.Addr
}

// enter asks for a name, unless somebody does already, and takes a place among
// those that wait for the answer: ErrBusy if there is none. It does not block.
func (c *hostCache) enter(key string, q Query, source netip.Addr) (ticket, error) {
	from := reactor.SourceOf(source)
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.hosts[key]
	if e != nil && !e.pending() && !c.now().Before(e.until) {
		e = nil
	}
	if c.waiting >= maxWaiting || c.sources[from] >= maxWaitingForSource || e != nil && e.waiting >= maxWaitingForName {
		return ticket{}, ErrBusy
	}
	if e == nil {
		if c.asking >= maxWaiting {
			return ticket{}, ErrBusy
		}
		if len(c.hosts) >= maxHosts {
			c.evict()
		}
		e = &hostEntry{done: make(chan struct{}), err: fmt.Errorf("%w for %s: no answer in time", ErrUnresolved, q.Host)}
		c.hosts[key] = e
		c.asking++
		go c.ask(e, q)
	}
	c.waiting++
	c.sources[from]++
	e.waiting++
	return ticket{c, e, from}, nil
}

// leave gives the place back.
func (t ticket) leave() {
	c := t.cache
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waiting--
	t.entry.waiting--
	if c.sources[t.from]--; c.sources[t.from] == 0 {
		delete(c.sources, t.from)
	}
}

// wait blocks for the answer, up to the cache's timeout: who asks has the same
// deadline, but a Resolver may not keep it.
func (t ticket) wait() ([]netip.AddrPort, error) {
	late := time.NewTimer(t.cache.timeout)
	defer late.Stop()
	select {
	case <-t.entry.done:
		return t.entry.addrs, t.entry.err
	case <-late.C:
		return nil, fmt.Errorf("%w: no answer in time", ErrUnresolved)
	}
}

// ask gets the answer. It has a goroutine of its own, so that it comes even if
// nobody waits any more.
func (c *hostCache) ask(e *hostEntry, q Query) {
	ctx, cancel := context.WithTimeout(context.Background(), c.timeout)
	defer cancel()
	addrs, err := c.resolver.Lookup(ctx, q)
	if len(addrs) > maxAddrs {
		addrs = addrs[:maxAddrs]
	}
	c.mu.Lock()
	c.asking--
	c.mu.Unlock()
	switch {
	case len(addrs) > 0:
		e.addrs, e.err, e.until = addrs, nil, c.now().Add(freshFor)
	case err != nil:
		e.err, e.until = fmt.Errorf("%w for %s: %w", ErrUnresolved, q.Host, err), c.now().Add(failedFor)
	default:
		e.err, e.until = fmt.Errorf("%w for %s", ErrUnresolved, q.Host), c.now().Add(failedFor)
	}
	close(e.done)
}

// evict makes room: what is stale goes, and if that is nothing, the failures,
// of which a peer can make any number; then everything that nobody waits for.
// The lock is held.
func (c *hostCache) evict() {
	now, before := c.now(), len(c.hosts)
	for _, goes := range []func(e *hostEntry) bool{
		func(e *hostEntry) bool { return !now.Before(e.until) },
		func(e *hostEntry) bool { return e.err != nil },
		func(*hostEntry) bool { return true },
	} {
		for key, e := range c.hosts {
			if !e.pending() && goes(e) {
				delete(c.hosts, key)
			}
		}
		if len(c.hosts) < before {
			return
		}
	}
}
