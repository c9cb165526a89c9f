package location

import (
	"sync"

	"sipreactor/reactor"
)

const flowShards = 64

// flows finds the contacts that came by a connection.
type flows struct {
	shards [flowShards]struct {
		mu    sync.Mutex
		first map[reactor.Handle]*node
		_     [64]byte
	}
}

func (f *flows) init() {
	for i := range f.shards {
		f.shards[i].first = make(map[reactor.Handle]*node)
	}
}

// add links a contact to those of its flow. Its shard is locked.
func (f *flows) add(c *node) {
	if c.Flow == 0 {
		return
	}
	s := &f.shards[uint64(c.Flow)%flowShards]
	s.mu.Lock()
	defer s.mu.Unlock()
	first := s.first[c.Flow]
	c.flowBefore, c.flowBehind = nil, first
	if first != nil {
		first.flowBefore = c
	}
	s.first[c.Flow] = c
}

// remove takes a contact from its flow. Its shard is locked.
func (f *flows) remove(c *node) {
	if c.Flow == 0 {
		return
	}
	s := &f.shards[uint64(c.Flow)%flowShards]
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.flowBehind != nil {
		c.flowBehind.flowBefore = c.flowBefore
	}
	switch {
	case c.flowBefore != nil:
		c.flowBefore.flowBehind = c.flowBehind
	case s.first[c.Flow] != c: // taken off by take
	case c.flowBehind != nil:
		s.first[c.Flow] = c.flowBehind
	default:
		delete(s.first, c.Flow)
	}
	c.flowBefore, c.flowBehind = nil, nil
}

// bound is a contact of a flow, by names that outlive the lock.
type bound struct {
	aor string
	id  uint64
}

// of returns the contacts of a flow.
func (f *flows) of(h reactor.Handle) (list []bound) {
	s := &f.shards[uint64(h)%flowShards]
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := s.first[h]; c != nil; c = c.flowBehind {
		list = append(list, bound{aor: c.of.aor, id: c.ID})
	}
	return list
}

// FlowEnded says that a connection is gone: its contacts are marked with FlowLost, or dropped. It returns how many there
// were.
func (t *Table) FlowEnded(h reactor.Handle, drop bool) (n int) {
	for _, b := range t.flows.of(h) {
		s := t.shardOf(b.aor)
		s.mu.Lock()
		if r := s.records[b.aor]; r != nil {
			for c := r.first; c != nil; c = c.next {
				if c.ID != b.id || c.Flow != h {
					continue
				}
				n++
				if drop {
					t.drop(s, c, somebody)
				} else {
					c.FlowLost = true
				}
				break
			}
		}
		t.tell(s)
	}
	return n
}

// HasFlow reports whether a contact came by that connection.
func (t *Table) HasFlow(h reactor.Handle) bool {
	s := &t.flows.shards[uint64(h)%flowShards]
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.first[h] != nil
}
