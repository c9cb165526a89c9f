package location

import (
	"crypto/rand"
	"encoding/binary"
	"sync"
)

// NewID returns an ID that no contact of the table has had.
func (t *Table) NewID() uint64 { return t.lastID.Add(1) }

// raiseID has IDs go on behind one.
func (t *Table) raiseID(id uint64) {
	for last := t.lastID.Load(); last < id && !t.lastID.CompareAndSwap(last, id); last = t.lastID.Load() {
	}
}

// IndexIDs has ByID find contacts from now on. IDs go on behind a random number then, so that one of another life of the
// program means nothing in this one, unless its contact was restored. It may be called again, and does nothing.
func (t *Table) IndexIDs() {
	ids := new(identities)
	for i := range ids {
		ids[i].nodes = make(map[uint64]*node)
	}
	if !t.ids.CompareAndSwap(nil, ids) {
		return
	}
	var random [8]byte
	rand.Read(random[:]) // never fails
	t.raiseID(binary.BigEndian.Uint64(random[:]) >> 2)
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		for _, r := range s.records {
			for c := r.first; c != nil; c = c.next {
				ids.add(c)
			}
		}
		s.mu.Unlock()
	}
}

// ByID calls visit for the contact that has an ID, if it is alive. It reports whether it is.
func (t *Table) ByID(id uint64, now int64, visit func(*Contact)) (found bool) {
	aor, ok := t.ids.Load().aor(id)
	if !ok {
		return false
	}
	s := t.shardOf(aor)
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.records[aor]
	if r == nil {
		return false
	}
	for c := r.first; c != nil; c = c.next {
		if c.ID == id && c.Alive(now) {
			visit(&c.Contact)
			return true
		}
	}
	return false
}

// SetLatency keeps how long the answer to a ping of a contact took, in microseconds. It returns the contact as it was
// before; ok is false if it is not there.
func (t *Table) SetLatency(aor string, id uint64, latency uint32) (before Contact, ok bool) {
	s := t.shardOf(aor)
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.records[aor]
	if r == nil {
		return before, false
	}
	for c := r.first; c != nil; c = c.next {
		if c.ID == id {
			before, c.Latency = c.Contact, latency
			return before, true
		}
	}
	return before, false
}

// identities finds contacts by their IDs. A lock of it is taken while a shard's is held, never the other way round.
type identities [64]struct {
	mu    sync.Mutex
	nodes map[uint64]*node
}

func (x *identities) add(c *node) {
	if x == nil {
		return
	}
	s := &x[c.ID%uint64(len(x))]
	s.mu.Lock()
	s.nodes[c.ID] = c
	s.mu.Unlock()
}

func (x *identities) remove(c *node) {
	if x == nil {
		return
	}
	s := &x[c.ID%uint64(len(x))]
	s.mu.Lock()
	delete(s.nodes, c.ID)
	s.mu.Unlock()
}

func (x *identities) aor(id uint64) (string, bool) {
	if x == nil {
		return "", false
	}
	s := &x[id%uint64(len(x))]
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.nodes[id]
	if c == nil {
		return "", false
	}
	return c.of.aor, true // of a contact that was in the table once, for ever
}

// SetPinged notes whether a contact has answered a ping, and returns how many it has not, one behind the other: 0 if it
// has, or is gone.
func (t *Table) SetPinged(aor string, id uint64, answered bool) (lost int) {
	s := t.shardOf(aor)
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.records[aor]
	if r == nil {
		return 0
	}
	for c := r.first; c != nil; c = c.next {
		switch {
		case c.ID != id:
		case answered:
			c.lost = 0
			return 0
		default:
			c.lost += min(1, ^c.lost) // at most what it holds
			return int(c.lost)
		}
	}
	return 0
}
