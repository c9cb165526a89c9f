package reactor

import (
	"sync"
	"sync/atomic"
)

const (
	pageBits = 10
	pageSize = 1 << pageBits
	maxPages = 1 << 12 // four million connections
)

// table holds every connection from its first moment to its last. A handle is
// generation<<32 | slot+1. Look-ups take no lock; adding and removing do.
type table struct {
	pages [maxPages]atomic.Pointer[page]
	live  atomic.Int64

	mu   sync.Mutex
	free []uint32 // slots to use again, oldest first would fragment: a stack
	gens []uint32 // generation that a slot gets next
}

type page [pageSize]atomic.Pointer[conn]

// add gives the connection a handle and makes it findable. It answers 0 when
// the table is full.
func (t *table) add(c *conn) Handle {
	t.mu.Lock()
	defer t.mu.Unlock()
	var slot uint32
	if n := len(t.free); n > 0 {
		slot = t.free[n-1]
		t.free = t.free[:n-1]
	} else {
		slot = uint32(len(t.gens))
		if slot >= maxPages*pageSize {
			return 0
		}
		t.gens = append(t.gens, 1)
		if t.pages[slot>>pageBits].Load() == nil {
			t.pages[slot>>pageBits].Store(new(page))
		}
	}
	h := Handle(t.gens[slot])<<32 | Handle(slot+1)
	c.id, c.src.Conn = h, h
	t.pages[slot>>pageBits].Load()[slot&(pageSize-1)].Store(c)
	t.live.Add(1)
	return h
}

// get finds the connection of a handle; nil if it is gone. Any goroutine.
func (t *table) get(h Handle) *conn {
	slot := uint32(h) - 1
	if h == 0 || slot >= maxPages*pageSize {
		return nil
	}
	p := t.pages[slot>>pageBits].Load()
	if p == nil {
		return nil
	}
	c := p[slot&(pageSize-1)].Load()
	if c == nil || c.id != h {
		return nil
	}
	return c
}

// remove ends the handle. It tells whether it was alive.
func (t *table) remove(h Handle) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.get(h)
	if c == nil {
		return false
	}
	slot := uint32(h) - 1
	t.pages[slot>>pageBits].Load()[slot&(pageSize-1)].Store(nil)
	t.gens[slot]++
	if t.gens[slot] == 0 {
		t.gens[slot] = 1
	}
	t.free = append(t.free, slot)
	t.live.Add(-1)
	return true
}

// each calls f for every connection there is. Those that come or go meanwhile
// may be seen or not. Any goroutine.
func (t *table) each(f func(*conn)) {
	for i := range t.pages {
		p := t.pages[i].Load()
		if p == nil {
			return
		}
		for j := range p {
			if c := p[j].Load(); c != nil {
				f(c)
			}
		}
	}
}
