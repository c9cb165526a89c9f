package names

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/rescue"
)

// ErrBusy: so many messages wait for names already, in all, for this name or
// from this source, that one more is refused at once.
var ErrBusy = errors.New("names: too many wait for names")

// How many messages may wait for answers: in all, which also bounds the
// look-ups under way, for one name, and from one source (reactor.SourceOf), so
// that a peer that names hosts nobody knows takes a share and not the whole.
const (
	MaxWaiting          = 256
	MaxWaitingForName   = MaxWaiting / 2
	MaxWaitingForSource = MaxWaiting / 4
)

const (
	maxHosts = 4096
	// staleFor is how long an answer may serve that cannot be renewed because no
	// server answers.
	staleFor = time.Hour
)

// Cache keeps the answers of a Resolver, and has each question asked once at a
// time. Any goroutine.
type Cache struct {
	resolver Resolver
	now      func() time.Time
	timeout  time.Duration

	mu      sync.RWMutex
	hosts   map[Query]*entry
	waiting int
	asking  int
	sources map[netip.Addr]int // who waits; no entry = nobody
}

// entry is one answer; last is written before anybody sees it, answer, err, failing
// and the times before done is closed. The lock guards waiting and renewing.
type entry struct {
	done   chan struct{}
	answer *Answer
	err    error
	until  time.Time // it is good
	renew  time.Time // it is asked for again from then on
	stale  time.Time // it serves until then where no server answers

	// failing: no server answered when it was to be renewed; it serves all the same,
	// and is asked for beside that.
	failing bool
	// last is what was known before, for who waits in vain; nil: nothing that may serve.
	last *Answer

	waiting  int
	renewing bool
}

// NewCache makes a Cache. timeout is for a look-up, and for whoever waits for its
// answer; 0 is DefaultTimeout.
func NewCache(r Resolver, timeout time.Duration) *Cache {
	if timeout == 0 {
		timeout = DefaultTimeout
	}
	return &Cache{resolver: r, now: time.Now, timeout: timeout,
		hosts: make(map[Query]*entry), sources: make(map[netip.Addr]int)}
}

// Cached answers without blocking; ok is false if the answer has to be asked for
// with Enter. The answer is shared: it must not be changed.
func (c *Cache) Cached(q *Query) (a *Answer, err error, ok bool) {
	c.mu.RLock()
	e := c.hosts[*q]
	c.mu.RUnlock()
	if e == nil || e.pending() {
		return nil, nil, false
	}
	now := c.now()
	if !now.Before(e.until) && !(e.failing && now.Before(e.stale)) {
		return nil, nil, false
	}
	if e.err == nil && !now.Before(e.renew) {
		c.renew(q, e)
	}
	return e.answer, e.err, true
}

// renew asks for an answer again that is about to end, unless somebody does.
func (c *Cache) renew(q *Query, old *entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if old.renewing || c.asking >= MaxWaiting {
		return
	}
	old.renewing = true
	c.asking++
	go c.ask(&entry{done: make(chan struct{})}, old, *q)
}

// pending reports whether an entry has no answer yet.
func (e *entry) pending() bool {
	select {
	case <-e.done:
		return false
	default:
		return true
	}
}

// Ticket is a place among those that wait for an answer.
type Ticket struct {
	cache *Cache
	entry *entry
	from  netip.Addr
}

// Enter asks a question, unless somebody does already, and takes a place among
// those that wait for the answer, which Leave gives back: ErrBusy if there is none.
// It does not block. source is where the message came from that waits.
func (c *Cache) Enter(q *Query, source netip.Addr) (Ticket, error) {
	from := reactor.SourceOf(source)
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.hosts[*q]
	var old *entry
	if e != nil && !e.pending() && !c.now().Before(e.until) {
		e, old = nil, e
	}
	if c.waiting >= MaxWaiting || c.sources[from] >= MaxWaitingForSource || e != nil && e.waiting >= MaxWaitingForName {
		return Ticket{}, ErrBusy
	}
	if e == nil {
		if c.asking >= MaxWaiting {
			return Ticket{}, ErrBusy
		}
		if len(c.hosts) >= maxHosts {
			c.evict()
		}
		e = &entry{done: make(chan struct{}), err: fmt.Errorf("%w for %s: no answer in time", ErrUnresolved, q.Host)}
		if old != nil && old.err == nil && c.now().Before(old.stale) {
			e.last = old.answer
		}
		c.hosts[*q] = e
		c.asking++
		go c.ask(e, old, *q)
	}
	c.waiting++
	c.sources[from]++
	e.waiting++
	return Ticket{c, e, from}, nil
}

// Leave gives the place back.
func (t Ticket) Leave() {
	c := t.cache
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waiting--
	t.entry.waiting--
	if c.sources[t.from]--; c.sources[t.from] == 0 {
		delete(c.sources, t.from)
	}
}

// Wait blocks for the answer, up to the cache's timeout: who asks has the same
// deadline, but a Resolver may not keep it. What was known before serves then.
func (t Ticket) Wait() (*Answer, error) {
	late := time.NewTimer(t.cache.timeout)
	defer late.Stop()
	select {
	case <-t.entry.done:
		return t.entry.answer, t.entry.err
	case <-late.C:
		if last := t.entry.last; last != nil {
			return last, nil
		}
		return nil, fmt.Errorf("%w: no answer in time", ErrUnresolved)
	}
}

// ask gets an answer for e, in place of old if that is not nil. It has a goroutine
// of its own, so that it comes even if nobody waits any more.
func (c *Cache) ask(e, old *entry, q Query) {
	ctx, cancel := context.WithTimeout(context.Background(), c.timeout)
	defer cancel()
	a, err := c.look(ctx, q)
	a.settle()
	ttl := max(a.TTL, time.Second)
	c.mu.Lock()
	now := c.now()
	c.asking--
	switch {
	case len(a.Targets) > 0:
		e.answer, e.err = &a, nil
		if old != nil && old.err == nil && slices.Equal(old.answer.Targets, a.Targets) {
			e.answer = old.answer // who keeps something by it finds it again
		}
		e.until, e.renew, e.stale = now.Add(ttl), now.Add(ttl-ttl/10), now.Add(ttl+staleFor)
	case a.TTL == 0:
		ttl = failedFor
		if old != nil && old.err == nil && now.Before(old.stale) {
			e.answer, e.err, e.stale, e.failing = old.answer, nil, old.stale, true
			e.until = now.Add(ttl)
			e.renew = e.until
			break
		}
		fallthrough
	default:
		e.until = now.Add(ttl)
		e.err = fmt.Errorf("%w for %s", ErrUnresolved, q.Host)
		if err != nil {
			e.err = err
			if !errors.Is(err, ErrUnresolved) {
				e.err = fmt.Errorf("%w for %s: %w", ErrUnresolved, q.Host, err)
			}
		}
	}
	close(e.done)
	if old != nil && old.renewing && c.hosts[q] == old {
		c.hosts[q] = e
	}
	c.mu.Unlock()
}

// look asks the resolver. Its panic, over whatever a server has sent, is the end of one
// question.
func (c *Cache) look(ctx context.Context, q Query) (a Answer, err error) {
	if failed := rescue.Run(nil, "a look-up", func() { a, err = c.resolver.Lookup(ctx, q) }); failed != nil {
		return Answer{}, failed
	}
	return a, err
}

// evict makes room: what is stale goes, and if that is nothing, the failures,
// of which a peer can make any number; then everything that nobody waits for.
// The lock is held.
func (c *Cache) evict() {
	now, before := c.now(), len(c.hosts)
	for _, goes := range []func(e *entry) bool{
		func(e *entry) bool { return !now.Before(e.until) },
		func(e *entry) bool { return e.err != nil },
		func(*entry) bool { return true },
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
