package pike

import (
	"hash/maphash"
	"net/netip"
	"sort"
	"sync"
	"time"
)

// maxAddresses bounds the addresses that are counted. Past it, those that are not
// blocked and were heard of longest ago make room.
const maxAddresses = 1 << 18

// verdict is what is to be done with a request.
type verdict int

const (
	passes  verdict = 1
	blocked verdict = -1 // and was before
	begins  verdict = -2 // to be blocked with this request
)

// parts of the table have a lock each.
const parts = 64

// table counts requests by the address that they come from. Any goroutine may use it.
type table struct {
	unit    time.Duration // sampling_time_unit
	density int           // reqs_density_per_unit
	keep    time.Duration // remove_latency
	max     int           // addresses of a part
	seed    maphash.Seed
	parts   [parts]struct {
		sync.Mutex
		nodes map[netip.Addr]*node
	}
}

// node is what is known of an address.
type node struct {
	unit    int64 // number of the sampling unit that hits are of
	hits    int
	before  int // hits of the unit before
	blocked bool
	last    time.Time
}

func newTable(unit time.Duration, density int, keep time.Duration) *table {
	t := &table{unit: unit, density: density, keep: max(keep, unit+time.Second), max: maxAddresses / parts, seed: maphash.MakeSeed()}
	for i := range t.parts {
		t.parts[i].nodes = make(map[netip.Addr]*node)
	}
	return t
}

func (t *table) part(a netip.Addr) int {
	raw := a.As16()
	return int(maphash.Bytes(t.seed, raw[:]) % parts)
}

// check counts a request from an address.
func (t *table) check(a netip.Addr, now time.Time) verdict {
	a = a.Unmap()
	p := &t.parts[t.part(a)]
	p.Lock()
	defer p.Unlock()
	n := p.nodes[a]
	if n == nil {
		if len(p.nodes) >= t.max {
			evict(p.nodes)
		}
		n = &node{unit: now.UnixNano() / int64(t.unit)}
		p.nodes[a] = n
	}
	n.turn(now.UnixNano()/int64(t.unit), t.density)
	n.hits++
	n.last = now
	switch {
	case n.blocked:
		return blocked
	case n.hits > t.density:
		n.blocked = true
		return begins
	default:
		return passes
	}
}

// turn goes to a sampling unit. An address that stayed below the limit for a whole one
// is free again.
func (n *node) turn(unit int64, density int) {
	switch {
	case unit == n.unit:
		return
	case unit == n.unit+1:
		n.before = n.hits
	default:
		n.before = 0
	}
	n.unit, n.hits = unit, 0
	if n.before <= density {
		n.blocked = false
	}
}

// evict makes room: of some nodes the one that was heard of longest ago goes, those that
// are blocked last.
func evict(nodes map[netip.Addr]*node) {
	var oldest netip.Addr
	var of *node
	looks := 0
	for a, n := range nodes {
		if of == nil || of.blocked && !n.blocked || of.blocked == n.blocked && n.last.Before(of.last) {
			oldest, of = a, n
		}
		if looks++; looks == 16 {
			break
		}
	}
	delete(nodes, oldest)
}

// clean forgets addresses that have been silent for long, and tells which of those that
// were blocked are free again.
func (t *table) clean(now time.Time) (free []netip.Addr) {
	for i := range t.parts {
		p := &t.parts[i]
		p.Lock()
		for a, n := range p.nodes {
			was := n.blocked
			n.turn(now.UnixNano()/int64(t.unit), t.density)
			if was && !n.blocked {
				free = append(free, a)
			}
			if now.Sub(n.last) > t.keep {
				delete(p.nodes, a)
			}
		}
		p.Unlock()
	}
	return free
}

// remove forgets an address. It reports whether it was known.
func (t *table) remove(a netip.Addr) bool {
	a = a.Unmap()
	p := &t.parts[t.part(a)]
	p.Lock()
	defer p.Unlock()
	_, ok := p.nodes[a]
	delete(p.nodes, a)
	return ok
}

// seen is a node as it is listed.
type seen struct {
	Address string `json:"IP"`
	Hits    int    `json:"hits"`
	Before  int    `json:"hits_before"`
	Blocked bool   `json:"blocked"`
}

// list gives the addresses that are counted, the blocked ones first, at most limit.
func (t *table) list(limit int) []seen {
	all := []seen{}
	for i := range t.parts {
		p := &t.parts[i]
		p.Lock()
		for a, n := range p.nodes {
			all = append(all, seen{a.String(), n.hits, n.before, n.blocked})
		}
		p.Unlock()
	}
	sort.Slice(all, func(i, j int) bool {
		if all[i].Blocked != all[j].Blocked {
			return all[i].Blocked
		}
		return all[i].Hits+all[i].Before > all[j].Hits+all[j].Before
	})
	return all[:min(len(all), limit)]
}

// take takes over what another table, of the same sampling unit, has counted.
func (t *table) take(o *table) {
	for i := range o.parts {
		p := &o.parts[i]
		p.Lock()
		for a, n := range p.nodes {
			q := &t.parts[t.part(a)]
			q.Lock()
			if len(q.nodes) < t.max {
				c := *n
				q.nodes[a] = &c
			}
			q.Unlock()
		}
		p.Unlock()
	}
}
