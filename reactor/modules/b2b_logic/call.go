package b2b_logic

import (
	"crypto/rand"
	"slices"
	"sync"
	"time"

	b2b "sipreactor/reactor/modules/b2b_entities"
	"sipreactor/reactor/proxy"
	"sipreactor/reactor/script"
)

// maxCalls bounds the calls, maxLegs the legs of one, and maxValues its values.
const (
	maxCalls  = 50000
	maxLegs   = 8
	maxValues = 64
)

// call is two parties that speak by way of us.
type call struct {
	m                  *Module
	key, scenario      string
	onRequest, onReply *script.Routine // nil: all is passed on
	since              time.Time

	mu       sync.Mutex // of all below, and of the legs' fields
	legs     []*leg     // the bridged one in front
	values   map[string]string
	until    time.Time
	answered bool
	over     bool
	bridge   *bridge // that is under way; nil is none
}

// leg is a party with our session to it: b2b_entities.Owner.
type leg struct {
	call    *call
	id      string
	client  bool
	headers string // header lines of each request to it
	session *b2b.Session
	peer    *leg // with whom it speaks; nil: nobody
}

// calls are all of the program, by their keys. Any goroutine.
type calls struct {
	mu    sync.Mutex
	byKey map[string]*call
}

func (t *calls) add(c *call) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.byKey) >= maxCalls {
		return false
	}
	t.byKey[c.key] = c
	return true
}

func (t *calls) get(key string) *call {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.byKey[key]
}

func (t *calls) remove(c *call) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.byKey, c.key)
}

func (t *calls) all() []*call {
	t.mu.Lock()
	defer t.mu.Unlock()
	list := make([]*call, 0, len(t.byKey))
	for _, c := range t.byKey {
		list = append(list, c)
	}
	slices.SortFunc(list, func(a, b *call) int { return a.since.Compare(b.since) })
	return list
}

func (t *calls) len() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return uint64(len(t.byKey))
}

// newCall makes a call without legs.
func (m *Module) newCall(scenario string, setup time.Duration) *call {
	now := time.Now()
	return &call{m: m, key: "b2bl." + rand.Text(), scenario: scenario, since: now, until: now.Add(setup)}
}

// of finds a leg by its id, under the lock.
func (c *call) of(id string) *leg {
	for _, l := range c.legs {
		if l.id == id {
			return l
		}
	}
	return nil
}

// join has two legs speak with each other, under the lock: the first one in front.
func (c *call) join(a, b *leg) {
	a.peer, b.peer = b, a
	rest := slices.DeleteFunc(c.legs, func(l *leg) bool { return l == a || l == b })
	c.legs = append([]*leg{a, b}, rest...)
}

// drop takes a leg off, under the lock. Who is left without a peer is told by the result.
func (c *call) drop(l *leg) (peer *leg) {
	c.legs = slices.DeleteFunc(c.legs, func(o *leg) bool { return o == l })
	if peer = l.peer; peer != nil && peer.peer == l {
		peer.peer = nil
	}
	l.peer = nil
	return peer
}

// end ends a call and all of its legs; by is the Context of the goroutine, nil where it has none.
func (c *call) end(by *proxy.Context) {
	c.mu.Lock()
	first := !c.over
	c.over = true
	legs := slices.Clone(c.legs)
	c.mu.Unlock()
	if !first {
		return
	}
	c.m.calls.remove(c)
	for _, l := range legs {
		if l.session != nil {
			c.m.entities.End(by, l.session)
		}
	}
}

// settled notes that the parties speak: from now on the call lasts as long as it may.
func (c *call) settled() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.answered {
		c.answered = true
		c.until = time.Now().Add(c.m.lasts)
	}
}

// sweep ends the calls whose time is over.
func (m *Module) sweep(now time.Time) {
	for _, c := range m.calls.all() {
		c.mu.Lock()
		over := now.After(c.until)
		c.mu.Unlock()
		if over {
			c.end(nil)
		}
	}
}
