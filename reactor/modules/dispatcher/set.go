package dispatcher

import (
	"cmp"
	"slices"
	"sync"
	"sync/atomic"
)

// Set is a set of destinations: those of higher priority first, then as the table
// has them. But for the weights that are told and the place of the round robin it does
// not change.
type Set struct {
	ID      int
	Members []*Destination

	seeds   []uint64 // of each member, side by side for the rendezvous
	most    int      // highest weight, where FreeSWITCH tells some
	mu      sync.Mutex
	weights atomic.Pointer[weights]
	turn    atomic.Uint64
}

// weights are those of a set's members, as the algorithms see them.
type weights struct {
	ends    []int     // sums up to and with each member
	inverse []float64 // 0 for a member that no weight lets in
	even    bool      // all weights are the same
	ring    *ring     // nil in a small set
}

// settle orders a set and weighs it. most is the highest weight in a set that has one from
// FreeSWITCH.
func (s *Set) settle(most int) {
	s.most = maxWeight
	slices.SortStableFunc(s.Members, func(a, b *Destination) int { return cmp.Compare(b.Row.Priority, a.Row.Priority) })
	for i, d := range s.Members {
		d.index = i
		d.seed = hash([]byte(d.Address.URI))
		s.seeds = append(s.seeds, d.seed)
		if d.Row.server != nil {
			s.most = most
		}
	}
	s.weigh()
}

// weigh takes the weights from the members. Any goroutine may call it.
func (s *Set) weigh() {
	s.mu.Lock()
	defer s.mu.Unlock()
	total := 0
	for _, d := range s.Members {
		total += d.weight(s.most)
	}
	to := &weights{even: true}
	for i, d := range s.Members {
		w := d.weight(s.most)
		if total == 0 {
			w = 1 // no weights at all: all the same
		}
		inverse := 0.0
		if w > 0 {
			inverse = 1 / float64(w)
		}
		to.inverse = append(to.inverse, inverse)
		to.even = to.even && inverse == to.inverse[0]
		to.ends = append(to.ends, w)
		if i > 0 {
			to.ends[i] += to.ends[i-1]
		}
	}
	to.ring = newRing(s.seeds, to)
	s.weights.Store(to)
}

// weight gives the weight of a member as the algorithms see it.
func (s *Set) weight(i int) int { return s.weights.Load().of(i) }

func (w *weights) of(i int) int {
	if i == 0 {
		return w.ends[0]
	}
	return w.ends[i] - w.ends[i-1]
}

// weight gives a destination's weight: that of the table, or what FreeSWITCH has told, most
// until then.
func (d *Destination) weight(most int) int {
	if d.Row.server == nil {
		return min(d.Row.Weight, most)
	}
	if n := d.told.Load(); n > 0 {
		return min(int(n-1), most)
	}
	return most
}
