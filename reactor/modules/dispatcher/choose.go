package dispatcher

import (
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"time"

	"sipreactor/reactor/modules/internal/destination"
)

// Algorithm is how the first destination of a set is chosen.
type Algorithm int

// The algorithms, by their numbers in the script. Any other takes the first.
const (
	HashCallID Algorithm = iota
	HashFrom
	HashTo
	HashRURI
	RoundRobin
	HashAuthUser // round robin without a user
	Random
	HashVariables
	First
	LeastLoad // the value of a variable
	ByRoute   // the value that a route returns
)

// choice is what is asked of a set.
type choice struct {
	how    Algorithm
	key    uint64 // hash of what the algorithm hashes, or a random number
	last   bool   // the last member is only the last resort ("d")
	all    bool   // the others are wanted, too ("f")
	most   int    // how many at most; 0 is no bound
	scores []score
	now    time.Time
	policy *destination.Policy
}

// score is a member with its load: the lowest goes first.
type score struct {
	member int
	load   int64
}

// choose writes the member that a call is to go to behind list; where all are
// wanted then the others, in the order of the set from there on, round its end.
// Members that are active but cannot be reached right now, or rest, come behind
// all others: a call that has no other way may try them.
func (s *Set) choose(list []*Destination, c *choice) []*Destination {
	n := len(s.Members)
	resort := -1
	if c.last && n > 1 {
		n--
		resort = n
	}
	from := len(list)
	if c.how == LeastLoad || c.how == ByRoute {
		list = s.byScore(list, c)
	} else if first := s.first(n, c); first >= 0 {
		list = append(list, s.Members[first])
		if !c.all {
			return list
		}
		for _, usable := range [...]bool{true, false} {
			for i := 1; i < n; i++ {
				d := s.Members[(first+i)%n]
				if c.most > 0 && len(list)-from >= c.most {
					return list
				}
				if d.Health.State() == destination.Active && d.usable(c) == usable {
					list = append(list, d)
				}
			}
		}
	}
	if resort >= 0 && s.Members[resort].Health.State() == destination.Active {
		if d := s.Members[resort]; !slices.Contains(list[from:], d) {
			list = append(list, d)
		}
	}
	return list
}

// usable reports whether a call may go there now. The die of a slow start is not
// the draw of the rendezvous, which a member that is chosen has won.
func (d *Destination) usable(c *choice) bool {
	return d.Health.Usable(c.now, mix(mix(c.key^d.seed)), c.policy)
}

// first chooses among the first n members: one that is usable, or else one that is
// active; -1 if none is.
func (s *Set) first(n int, c *choice) int {
	for _, strict := range [...]bool{true, false} {
		may := func(i int) bool {
			d := s.Members[i]
			return d.Health.State() == destination.Active && (!strict || d.usable(c))
		}
		var i int
		switch c.how {
		case HashCallID, HashFrom, HashTo, HashRURI, HashAuthUser, HashVariables:
			i = -1
			if r := s.weights.Load().ring; r != nil {
				i = r.find(n, c.key, may)
			}
			if i < 0 {
				i = s.rendezvous(n, c.key, may)
			}
		case RoundRobin:
			i = s.next(n, may)
		case Random:
			i = s.random(n, may)
		default:
			i = slices.IndexFunc(s.Members[:n], func(d *Destination) bool { return may(d.index) })
		}
		if i >= 0 {
			return i
		}
	}
	return -1
}

// rendezvous chooses by highest random weight: each member draws a number from the
// key and its own URI, exponential by its weight, and the smallest wins. So a
// member that leaves moves its own calls only, each to another, and nothing is
// kept or computed for that. Every machine with the same table chooses the same.
func (s *Set) rendezvous(n int, key uint64, may func(int) bool) int {
	best, w := -1, s.weights.Load()
	if w.even {
		var high uint64
		for i, seed := range s.seeds[:n] {
			if draw := mix(key ^ seed); (draw > high || best < 0) && may(i) {
				best, high = i, draw
			}
		}
		return best
	}
	low := math.Inf(1)
	for i, seed := range s.seeds[:n] {
		inverse := w.inverse[i]
		if inverse == 0 {
			continue
		}
		u := float64(mix(key^seed)>>11+1) / (1 << 53)
		if (1-u)*inverse >= low { // -ln(u) is not below 1-u: this cannot win
			continue
		}
		if draw := -math.Log(u) * inverse; draw < low && may(i) {
			best, low = i, draw
		}
	}
	if best < 0 { // those without a weight, when all others are gone
		return slices.IndexFunc(s.Members[:n], func(d *Destination) bool { return may(d.index) })
	}
	return best
}

// next is the weighted round robin: a member as often in a row as its weight says,
// then the one behind it. Where it stands is the member's index, from 1, and how
// many of its calls are left, in one word; 0 is the beginning.
func (s *Set) next(n int, may func(int) bool) int {
	for {
		was := s.turn.Load()
		at, left := int(was>>32)-1, int(uint32(was))
		if at < 0 || at >= n || left == 0 || !may(at) {
			if at = s.following(n, at, may); at < 0 {
				return -1
			}
			left = max(s.weight(at), 1)
		}
		if s.turn.CompareAndSwap(was, uint64(at+1)<<32|uint64(left-1)) {
			return at
		}
	}
}

// following gives the next member behind one that may be chosen, which is itself
// if there is no other; members without a weight only if there are none with one.
func (s *Set) following(n, at int, may func(int) bool) int {
	spare := -1
	for i := range n {
		i = (at + 1 + i) % n
		switch {
		case !may(i):
		case s.weight(i) > 0:
			return i
		case spare < 0:
			spare = i
		}
	}
	return spare
}

// random chooses by weight.
func (s *Set) random(n int, may func(int) bool) int {
	const tries = 8
	w := s.weights.Load()
	total := w.ends[n-1]
	if total == 0 {
		return slices.IndexFunc(s.Members[:n], func(d *Destination) bool { return may(d.index) })
	}
	for range tries {
		if i := sort.SearchInts(w.ends[:n], rand.IntN(total)+1); may(i) {
			return i
		}
	}
	left, spare := 0, -1
	for i := range n {
		if may(i) {
			left += w.of(i)
			spare = i
		}
	}
	if left == 0 {
		return spare
	}
	left = rand.IntN(left)
	for i := range n {
		if may(i) {
			if left -= w.of(i); left < 0 {
				return i
			}
		}
	}
	return spare // states have changed meanwhile
}

// byScore writes the members of c.scores, the lowest load first, those that are
// not usable behind the others.
func (s *Set) byScore(list []*Destination, c *choice) []*Destination {
	slices.SortStableFunc(c.scores, func(a, b score) int {
		switch {
		case a.load < b.load:
			return -1
		case a.load > b.load:
			return 1
		default:
			return 0
		}
	})
	for _, usable := range [...]bool{true, false} {
		for _, sc := range c.scores {
			d := s.Members[sc.member]
			if d.Health.State() == destination.Active && d.usable(c) == usable {
				list = append(list, d)
			}
		}
	}
	return list
}

// hash is FNV-1a of b, mixed: stable over restarts and machines.
func hash(parts ...[]byte) uint64 {
	h := uint64(14695981039346656037)
	for i, b := range parts {
		if i > 0 {
			h = (h ^ 0xff) * 1099511628211 // which no part holds: UTF-8 has no such byte
		}
		for _, c := range b {
			h = (h ^ uint64(c)) * 1099511628211
		}
	}
	return mix(h)
}

// mix spreads the bits of x over all 64: rounds of shift and multiply, each of
// which can be undone, so that no two numbers become one.
func mix(x uint64) uint64 {
	x = (x ^ x>>32) * 0x9e3779b97f4a7c15
	x = (x ^ x>>32) * 0xd6e8feb86659fd93
	return x ^ x>>32
}
