package transaction

import (
	"sync"
	"sync/atomic"
)

// A handle names a try of a branch: the slot that its Exchange has in the table, the generation of that slot, the branch
// and how often that was tried. One that is kept past the end of its Exchange never reaches another one.
//
//	generation (20 bits) | try (8) | branch (4) | slot + 1 (32)
const (
	slotBits   = 32
	branchBits = 4
	tryBits    = 8
	genBits    = 20

	branchShift = slotBits
	tryShift    = branchShift + branchBits
	genShift    = tryShift + tryBits

	exchangeMask = (1<<genBits-1)<<genShift | (1<<slotBits - 1)
)

// branchOf returns the branch that a handle names.
func branchOf(h uint64) int { return int(h >> branchShift & (1<<branchBits - 1)) }

// tryOf returns which try of its branch a handle names.
func tryOf(h uint64) uint8 { return uint8(h >> tryShift & (1<<tryBits - 1)) }

const (
	pageBits = 10
	pageSize = 1 << pageBits
	maxPages = 1 << 13 // eight million
)

// table holds every Exchange from its first moment to its last. Look-ups take no lock. It has a part for each shard, which
// a handle's slot tells: a transaction is of one and the same shard from its beginning to its end.
type table struct {
	pages [maxPages]atomic.Pointer[page]
	live  atomic.Int64
	parts []tablePart
}

// tablePart gives the slots of a shard: of all slots each n-th one, of n shards.
type tablePart struct {
	mu   sync.Mutex
	free []uint32 // by their order in the part
	gens []uint32 // generation that a slot gets next, by the same
	_    [64]byte
}

// partOf returns which part a handle's slot is of.
func (t *table) partOf(h uint64) int { return int((uint32(h) - 1) % uint32(len(t.parts))) }

// place has who has a handle: an Exchange, or what is left of one.
type place struct {
	x    atomic.Pointer[Exchange]
	left atomic.Pointer[remnant]
}

type page [pageSize]place

// add makes x findable and returns its handle, that of its first try of branch 0, in a part; 0 when there is no room.
func (t *table) add(x *Exchange, part int) uint64 {
	p := &t.parts[part]
	p.mu.Lock()
	defer p.mu.Unlock()
	var at uint32
	if n := len(p.free); n > 0 {
		at, p.free = p.free[n-1], p.free[:n-1]
	} else {
		if at = uint32(len(p.gens)); int(at) >= maxPages*pageSize/len(t.parts) {
			return 0
		}
		p.gens = append(p.gens, 1)
	}
	slot := at*uint32(len(t.parts)) + uint32(part)
	if q := &t.pages[slot>>pageBits]; q.Load() == nil {
		q.CompareAndSwap(nil, new(page))
	}
	t.pages[slot>>pageBits].Load()[slot&(pageSize-1)].x.Store(x)
	t.live.Add(1)
	return uint64(p.gens[at])<<genShift | uint64(slot+1)
}

// get finds who has, or had, a handle's slot: whether it is that one, its holder has to look. nil: nobody.
func (t *table) get(h uint64) *Exchange {
	if p := t.place(h); p != nil {
		return p.x.Load()
	}
	return nil
}

// left finds what is left of who has, or had, a handle's slot. nil: nothing.
func (t *table) left(h uint64) *remnant {
	if p := t.place(h); p != nil {
		return p.left.Load()
	}
	return nil
}

func (t *table) place(h uint64) *place {
	slot := uint32(h) - 1
	if uint32(h) == 0 || slot >= maxPages*pageSize {
		return nil
	}
	p := t.pages[slot>>pageBits].Load()
	if p == nil {
		return nil
	}
	return &p[slot&(pageSize-1)]
}

// fold leaves r in the place of an Exchange.
func (t *table) fold(h uint64, r *remnant) {
	p := t.place(h)
	p.left.Store(r)
	p.x.Store(nil)
}

// each goes through who is there until f reports false. Who comes or goes meanwhile may be left out.
func (t *table) each(f func(x *Exchange) bool) {
	for at := range t.pages {
		p := t.pages[at].Load()
		if p == nil {
			continue
		}
		for i := range p {
			if x := p[i].x.Load(); x != nil && !f(x) {
				return
			}
		}
	}
}

// remove ends a handle.
func (t *table) remove(h uint64) {
	q := t.place(h)
	q.x.Store(nil)
	q.left.Store(nil)
	p, at := &t.parts[t.partOf(h)], (uint32(h)-1)/uint32(len(t.parts))
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gens[at] = (p.gens[at] + 1) & (1<<genBits - 1); p.gens[at] == 0 {
		p.gens[at] = 1
	}
	p.free = append(p.free, at)
	t.live.Add(-1)
}

// index finds a transaction's handle by a keyed hash of its request. Keys are no secret of ours to guess, so a plain map
// will do; it has no pointers, so that the collector passes it by.
type index struct {
	live  atomic.Int64
	parts [indexParts]struct {
		mu sync.Mutex
		m  map[uint64]uint64
		_  [40]byte
	}
}

const indexParts = 64

// add enters a handle and returns 0, or returns that which has the key already.
func (i *index) add(key, handle uint64) uint64 {
	p := &i.parts[key%indexParts]
	p.mu.Lock()
	defer p.mu.Unlock()
	if other := p.m[key]; other != 0 {
		return other
	}
	if p.m == nil {
		p.m = make(map[uint64]uint64)
	}
	p.m[key] = handle
	i.live.Add(1)
	return 0
}

// any reports whether there is one at all.
func (i *index) any() bool { return i.live.Load() > 0 }

// find returns the handle that was entered with a key; 0: none.
func (i *index) find(key uint64) uint64 {
	p := &i.parts[key%indexParts]
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.m[key]
}

// remove takes a handle out, if the key is its.
func (i *index) remove(key, handle uint64) {
	p := &i.parts[key%indexParts]
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.m[key] == handle {
		delete(p.m, key)
		i.live.Add(-1)
	}
}
