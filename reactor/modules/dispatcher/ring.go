package dispatcher

import (
	"cmp"
	"math/bits"
	"slices"
)

// ring is the hash of a large set, made when the set is loaded: each member has
// points on a circle, as many as its weight says, and a call belongs to the first
// point behind its key. Where a set has few members the rendezvous serves, whose
// shares are exact; its cost is a draw a member.
type ring struct {
	points []point // in their order on the circle
	begin  []int32 // of each part of the circle: its first point
	shift  int     // of a key, which leaves the number of its part
}

type point struct {
	at     uint64
	member int32
}

const (
	ringMembers = 64      // a set of more has a ring
	ringPoints  = 256     // a member of average weight: shares differ by some 6 %
	ringMost    = 1 << 19 // points of a ring
)

// newRing places the members of a set. The points of a member hang on its URI and its
// weight alone, but for a factor that changes by twos: what joins or leaves moves
// its own calls.
func newRing(seeds []uint64, of *weights) *ring {
	if len(seeds) <= ringMembers {
		return nil
	}
	total, weighty := 0, 0
	for i := range seeds {
		if w := of.of(i); w > 0 {
			total += w
			weighty++
		}
	}
	scale := twos(float64(min(ringPoints*weighty, ringMost)) / float64(total))
	r := &ring{}
	for i, seed := range seeds {
		w := of.of(i)
		if w == 0 {
			continue
		}
		for j := range max(int(float64(w)*scale), 1) {
			r.points = append(r.points, point{mix(seed + uint64(j)*0x9e3779b97f4a7c15), int32(i)})
		}
	}
	slices.SortFunc(r.points, func(a, b point) int { return cmp.Compare(a.at, b.at) })
	parts := bits.Len(uint(len(r.points)))
	r.shift = 64 - parts
	r.begin = make([]int32, 1<<parts)
	at := 0
	for i := range r.begin {
		for at < len(r.points) && r.points[at].at>>r.shift < uint64(i) {
			at++
		}
		r.begin[i] = int32(at)
	}
	return r
}

// twos gives the power of two at or below x, which is above 0.
func twos(x float64) float64 {
	p := 1.0
	for p > x {
		p /= 2
	}
	for p*2 <= x {
		p *= 2
	}
	return p
}

// find gives the first member behind a key that may be chosen; -1 when as many points
// as there are members have none, as when nearly all are away.
func (r *ring) find(n int, key uint64, may func(int) bool) int {
	i := int(r.begin[key>>r.shift])
	for i < len(r.points) && r.points[i].at < key {
		i++
	}
	last := int32(-1)
	for range n {
		if i >= len(r.points) {
			i = 0
		}
		m := r.points[i].member
		if m != last && int(m) < n && may(int(m)) {
			return int(m)
		}
		last = m
		i++
	}
	return -1
}
