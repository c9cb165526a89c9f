package auth

import (
	"encoding/binary"
	"hash/maphash"
	"sync"
	"sync/atomic"
)

const (
	guardShards = 16
	guardBound  = 4096 // keys of a shard
	guardLook   = 8    // keys of a full one that are looked at for the one that gives way
)

// guard counts failures. A key is a user and a source, or a source alone: so a user is never refused because of what
// others do. A source is the address that a nonce was handed to (digest.Nonces.Source). Any goroutine may call its methods.
type guard struct {
	user, source int // limits, 0 none
	slow         int // failures after which a user waits from one address to the next try; 0 never
	window       int64
	seed         maphash.Seed
	shards       [guardShards]struct {
		mu   sync.Mutex
		keys map[uint64]failures
	}
	refused atomic.Uint64
	said    atomic.Int64 // the second in which a refusal was logged last
}

// failures of a key. They count until the second they are over; the first of a window begins it.
type failures struct {
	n    int
	last int64 // unix second
	over int64
}

func newGuard(user, source int, window int64) *guard {
	g := &guard{user: user, source: source, window: window, seed: maphash.MakeSeed()}
	for i := range g.shards {
		g.shards[i].keys = make(map[uint64]failures)
	}
	return g
}

// key hashes what failures are counted by; an empty user is the source alone.
func (g *guard) key(from uint64, user []byte) uint64 {
	var h maphash.Hash
	h.SetSeed(g.seed)
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], from)
	_, _ = h.Write(b[:])
	var room [64]byte
	_, _ = h.Write(appendOneName(room[:0], user))
	return h.Sum64()
}

// log reports whether a refusal is to be logged: one a second is.
func (g *guard) log(now int64) bool { return g.said.Swap(now) != now }

// refuses reports whether credentials are not even looked at. It counts that.
func (g *guard) refuses(from uint64, user []byte, now int64) bool {
	if g.user > 0 && g.count(g.key(from, user), now) >= g.user || g.source > 0 && g.count(g.key(from, nil), now) >= g.source {
		g.refused.Add(1)
		return true
	}
	return false
}

// failed counts a failure.
func (g *guard) failed(from uint64, user []byte, now int64) {
	if g.user > 0 && len(user) > 0 {
		g.add(g.key(from, user), now)
	}
	if g.source > 0 {
		g.add(g.key(from, nil), now)
	}
}

// longestWait bounds the wait between two tries, in seconds.
const longestWait = 32

// waits returns how many seconds a user has to wait at that address until the next try: 1, 2, 4 and so on behind each
// failure beyond slow; 0 is none. It counts a refusal otherwise.
func (g *guard) waits(from uint64, user []byte, now int64) int64 {
	if g.slow == 0 {
		return 0
	}
	key := g.key(from, user)
	s := &g.shards[key%guardShards]
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.keys[key]
	if f.n < g.slow || now >= f.over {
		return 0
	}
	n := max(0, f.last+min(longestWait, int64(1)<<min(f.n-g.slow, 10))-now)
	if n > 0 {
		g.refused.Add(1)
	}
	return n
}

func (g *guard) count(key uint64, now int64) int {
	s := &g.shards[key%guardShards]
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := s.keys[key]; now < f.over {
		return f.n
	}
	return 0
}

func (g *guard) add(key uint64, now int64) {
	s := &g.shards[key%guardShards]
	s.mu.Lock()
	defer s.mu.Unlock()
	f, ok := s.keys[key]
	if !ok && len(s.keys) >= guardBound {
		evict(s.keys, now)
	}
	if now >= f.over {
		f = failures{over: now + g.window}
	}
	f.n++
	f.last = now
	s.keys[key] = f
}

// evict takes a key out of a full shard: of a few, one that is over, or that has failed the fewest times. So who tries many
// users from many addresses fills the table, and whoever guesses on stays in it.
func evict(keys map[uint64]failures, now int64) {
	var least uint64
	few, seen := 0, 0
	for k, f := range keys { // in an order by chance
		if now >= f.over {
			least = k
			break
		}
		if seen == 0 || f.n < few {
			least, few = k, f.n
		}
		if seen++; seen == guardLook {
			break
		}
	}
	delete(keys, least)
}

// sweep forgets the failures that are over.
func (g *guard) sweep(now int64) {
	for i := range g.shards {
		s := &g.shards[i]
		s.mu.Lock()
		for k, f := range s.keys {
			if now >= f.over {
				delete(s.keys, k)
			}
		}
		s.mu.Unlock()
	}
}
