// Package table has every connection by its handle. Look-ups take no lock; any
// goroutine may call anything.
package table

import (
	"sync"
	"sync/atomic"
)

const (
	pageBits = 10
	pageSize = 1 << pageBits
	maxPages = 1 << 12 // four million connections
)

// Entry is what a table holds: a pointer to T that keeps its handle.
type Entry[T any, H ~uint64] interface {
	*T
	Handle() H
	SetHandle(h H)
}

// Table holds every entry from its first moment to its last. A handle of type H
// names the slot and its generation, as generation<<32 | slot+1: one that is kept
// past its entry's end reaches no other, and 0 names none. Adding and removing take
// a lock. The zero value is empty.
type Table[T any, P Entry[T, H], H ~uint64] struct {
	pages [maxPages]atomic.Pointer[page[T]]
	live  atomic.Int64

	mu   sync.Mutex
	free []uint32 // slots to use again, oldest first would fragment: a stack
	gens []uint32 // generation that a slot gets next
}

type page[T any] [pageSize]atomic.Pointer[T]

// Len returns how many entries there are.
func (t *Table[T, P, H]) Len() int { return int(t.live.Load()) }

// Add gives an entry its handle and makes it findable. It returns 0 when the table
// is full.
func (t *Table[T, P, H]) Add(c P) H {
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
			t.pages[slot>>pageBits].Store(new(page[T]))
		}
	}
	h := H(t.gens[slot])<<32 | H(slot+1)
	c.SetHandle(h)
	t.pages[slot>>pageBits].Load()[slot&(pageSize-1)].Store(c)
	t.live.Add(1)
	return h
}

// Get returns the entry of a handle; nil when it is gone.
func (t *Table[T, P, H]) Get(h H) P {
	slot := uint32(h) - 1
	if h == 0 || slot >= maxPages*pageSize {
		return nil
	}
	p := t.pages[slot>>pageBits].Load()
	if p == nil {
		return nil
	}
	c := P(p[slot&(pageSize-1)].Load())
	if c == nil || c.Handle() != h {
		return nil
	}
	return c
}

// Remove ends a handle. It reports whether that was alive.
func (t *Table[T, P, H]) Remove(h H) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.Get(h)
	if c == nil {
		return false
	}
	slot := uint32(h) - 1
	t.pages[slot>>pageBits].Load()[slot&(pageSize-1)].Store(nil)
	t.gens[slot]++
	t.free = append(t.free, slot)
	t.live.Add(-1)
	return true
}

// Each calls f for every entry there is. Those that come or go meanwhile may be
// seen or not.
func (t *Table[T, P, H]) Each(f func(P)) {
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
