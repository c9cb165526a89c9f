package relay

import (
	"math"
	"slices"
	"sync"
	"time"
)

// Choose gives the node of a call among those that are enabled and not tried; with a
// url, that one, whatever its state. nil: there is none.
func (f *Fleet[C]) Choose(set int, callID, url string, tried []*Node[C]) *Node[C] {
	list := f.Of(set)
	if url != "" {
		for _, n := range list {
			if n.URL == url && !slices.Contains(tried, n) {
				return n
			}
		}
		return nil
	}
	usable := func(n *Node[C]) bool { return n.is() == enabled && !slices.Contains(tried, n) }
	if n := f.moved.get(set, callID); n != nil && usable(n) {
		return n
	}
	return best(list, callID, usable)
}

// Began remembers where a call went that Choose would not find there once all nodes are
// enabled.
func (f *Fleet[C]) Began(set int, callID string, n *Node[C]) {
	if best(f.Of(set), callID, func(*Node[C]) bool { return true }) != n {
		f.moved.put(set, callID, n)
	}
}

// Ended forgets a call.
func (f *Fleet[C]) Ended(set int, callID string) { f.moved.put(set, callID, nil) }

// best gives the usable node with the highest score; one of weight 0 only without others.
func best[C Client](list []*Node[C], callID string, usable func(*Node[C]) bool) (found *Node[C]) {
	top := math.Inf(-1)
	for _, n := range list {
		if !usable(n) {
			continue
		}
		if s := score(n.URL, n.Weight, callID); found == nil || s > top {
			found, top = n, s
		}
	}
	return found
}

// score is that of weighted rendezvous hashing: each node is first for its share of all
// calls. Nodes of weight 0 are behind all others.
func score(url string, weight int, callID string) float64 {
	x := fnv(fnv(fnvBasis, url)*fnvPrime, callID) // with a zero byte between them
	x ^= x >> 33                                  // FNV leaves the upper bits alike for texts that differ at their end
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	x ^= x >> 33
	u := (float64(x>>11) + 0.5) / (1 << 53)
	if weight == 0 {
		return u - 1e6
	}
	return -float64(weight) / math.Log(u) // above 0
}

// FNV-1a of 64 bits, which package hash/fnv has for bytes alone.
const (
	fnvBasis = 14695981039346656037
	fnvPrime = 1099511628211
)

func fnv(x uint64, s string) uint64 {
	for i := range len(s) {
		x = (x ^ uint64(s[i])) * fnvPrime
	}
	return x
}

// maxMoved bounds the calls that are remembered.
const maxMoved = 65536

// moved remembers the nodes of calls that did not get their own.
type moved[C Client] struct {
	mu    sync.Mutex
	calls map[movedKey]movedCall[C]
}

type movedKey struct {
	set  int
	call string
}

type movedCall[C Client] struct {
	to *Node[C]
	at time.Time
}

func (m *moved[C]) get(set int, callID string) *Node[C] {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.calls[movedKey{set, callID}].to
}

// put remembers where a call went; to nil forgets it. Above maxMoved calls there is no
// memory of more.
func (m *moved[C]) put(set int, callID string, to *Node[C]) {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := movedKey{set, callID}
	if to == nil {
		delete(m.calls, key)
		return
	}
	if _, there := m.calls[key]; there || len(m.calls) < maxMoved {
		m.calls[key] = movedCall[C]{to, time.Now()}
	}
}

// sweep forgets calls whose end was not seen.
func (m *moved[C]) sweep(before time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for key, c := range m.calls {
		if c.at.Before(before) {
			delete(m.calls, key)
		}
	}
}
