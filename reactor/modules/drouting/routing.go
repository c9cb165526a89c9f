package drouting

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/modules/internal/destination"
)

// hop is one way that a call may take.
type hop struct {
	gateway *Gateway
	carrier *Carrier // nil: the gateway stands in the rule by itself
	rule    *rule    // nil: no rule led here
	prefix  int      // the length of the rule's
}

// maxHops bounds the ways of one call.
const maxHops = 64

// query is what a call asks for.
type query struct {
	group    int
	number   []byte
	strict   bool // L: prefixes that are the whole number
	fallback bool // F: the ways of further rules behind those of the first
	// allowed are the gateways (and carriers, with a #) that may be used; nil all.
	allowed []string
	die     uint64 // of slow starts
	now     time.Time
	policy  *destination.Policy
}

// find gives the rule of a number that holds now, and the length of its prefix;
// nil if there is none.
func (t *Table) find(q *query) (first *rule, prefix int) {
	var m match
	t.trie.find(&m, int32(q.group), q.number, q.strict)
	m.rules(func(at uint32, size int) bool {
		if r := &t.rules[at]; t.holds(r, q.now) {
			first, prefix = r, size
		}
		return first == nil
	})
	return first, prefix
}

// holds tells whether a rule holds at a time.
func (t *Table) holds(r *rule, now time.Time) bool {
	return r.times == 0 || t.times[r.times].Holds(now)
}

// route writes the ways of a call behind list and gives the rule that it matched,
// nil if there is none. There may be a rule and no way.
func (t *Table) route(list []hop, q *query) (hops []hop, first *rule) {
	var m match
	t.trie.find(&m, int32(q.group), q.number, q.strict)
	m.rules(func(at uint32, size int) bool {
		r := &t.rules[at]
		if !t.holds(r, q.now) {
			return true
		}
		if first == nil {
			first = r
		}
		from := len(list)
		list = t.ways(list, t.members[r.member], r.sort, q)
		for i := range list[from:] {
			list[from+i].rule, list[from+i].prefix = r, size
		}
		return q.fallback && len(list) < maxHops
	})
	return list, first
}

// ways writes the ways through a list of gateways and carriers. Gateways that are
// active but cannot be reached right now, or rest, come behind the others.
func (t *Table) ways(list []hop, members []member, order Sort, q *query) []hop {
	from := len(list)
	for _, m := range ordered(members, order) {
		if m.carrier == nil {
			if m.gateway.Health.State() == destination.Active && q.allows(m.gateway, nil) {
				list = append(list, hop{gateway: m.gateway})
			}
			continue
		}
		list = t.through(list, m.carrier, q)
	}
	slices.SortStableFunc(list[from:], func(a, b hop) int {
		return rank(a.gateway, q) - rank(b.gateway, q)
	})
	return list[:min(len(list), maxHops)]
}

// through writes the ways through a carrier.
func (t *Table) through(list []hop, c *Carrier, q *query) []hop {
	if !c.Enabled() {
		return list
	}
	from := len(list)
	whole := q.allowed == nil || slices.Contains(q.allowed, "#"+c.Row.ID)
	for _, m := range ordered(c.members, c.Row.Sort) {
		if m.gateway.Health.State() == destination.Active && (whole || q.allows(m.gateway, c)) {
			list = append(list, hop{gateway: m.gateway, carrier: c})
		}
	}
	if c.Row.Flags&onlyFirst != 0 && len(list) > from {
		best := from
		for i := from; i < len(list); i++ {
			if rank(list[i].gateway, q) == 0 {
				best = i
				break
			}
		}
		list[from] = list[best]
		list = list[:from+1]
	}
	return list
}

// rank is 0 for a gateway that can be used now, 1 for one that is a last resort.
func rank(g *Gateway, q *query) int {
	if g.Health.Usable(q.now, q.die, q.policy) {
		return 0
	}
	return 1
}

// allows tells whether a gateway is on the white list.
func (q *query) allows(g *Gateway, c *Carrier) bool {
	return q.allowed == nil || slices.Contains(q.allowed, g.Row.ID) || c != nil && slices.Contains(q.allowed, "#"+c.Row.ID)
}

// ordered gives a list in the order for one call.
func ordered(list []member, order Sort) []member {
	if order != byWeight || len(list) < 2 {
		return list
	}
	list = slices.Clone(list)
	total := 0
	for _, m := range list {
		total += m.weight
	}
	if total == 0 { // no weights at all: all the same
		rand.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		return list
	}
	for i := range list {
		if total == 0 { // those without a weight stay behind the others
			break
		}
		pick := rand.IntN(total)
		for j := i; j < len(list); j++ {
			if pick -= list[j].weight; pick < 0 {
				m := list[j]
				copy(list[i+1:j+1], list[i:j])
				list[i] = m
				total -= m.weight
				break
			}
		}
	}
	return list
}

// anyType stands for gateways of all types.
const anyType = -1

// at gives a gateway at an address, nil if there is none. Port 0 is any, and so is
// a transport of 0.
func (t *Table) at(ip netip.Addr, port uint16, proto reactor.Proto, kind int) *Gateway {
	for _, g := range t.byAddr[ip.Unmap()] {
		if g.Address.Is(ip.Unmap(), port) && (kind == anyType || g.Row.Type == kind) && (proto == 0 || g.Address.Proto == 0 || g.Address.Proto == proto) {
			return g
		}
	}
	return nil
}
