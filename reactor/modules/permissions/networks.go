package permissions

import (
	"cmp"
	"encoding/binary"
	"iter"
	"net/netip"
	"slices"
)

// Networks finds the entries of the networks that an address lies in. It is
// immutable: the networks are cut into ranges that do not overlap, each of which
// knows the smallest network around it, and each network the next larger one. So
// a lookup is one binary search, whatever the sizes of the networks are.
type Networks[T any] struct {
	v4, v6   ranges
	networks []network
	entries  []T
}

// network is one network with its entries, in the order they were given.
type network struct {
	first, last int // entries
	around      int // the smallest network that holds this one; -1 none
}

// ranges are where the networks of an address family begin and end.
type ranges struct {
	starts []key
	inner  []int32 // the smallest network from there on; -1 none
	tops   []int32 // of v4: where the ranges of the upper 16 bits begin
}

// key is an address as a number.
type key struct{ hi, lo uint64 }

func (k key) compare(o key) int { return cmp.Or(cmp.Compare(k.hi, o.hi), cmp.Compare(k.lo, o.lo)) }

// next gives the address behind k; over tells that there is none.
func (k key) next() (n key, over bool) {
	n = key{k.hi, k.lo + 1}
	if n.lo == 0 {
		n.hi++
	}
	return n, n == key{}
}

func keyOf(a netip.Addr) key {
	if a.Is4() {
		b := a.As4()
		return key{lo: uint64(binary.BigEndian.Uint32(b[:]))}
	}
	b := a.As16()
	return key{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])}
}

// NewNetworks makes the table of entries and their networks, which are masked.
// Entries of one network keep their order. IPv4 addresses written as IPv6 ones
// count as IPv4.
func NewNetworks[T any](entries []T, of func(*T) netip.Prefix) *Networks[T] {
	type one struct {
		prefix netip.Prefix
		entry  T
	}
	all := make([]one, 0, len(entries))
	for i := range entries {
		p := of(&entries[i])
		if a := p.Addr(); a.Is4In6() && p.Bits() >= 96 {
			p = netip.PrefixFrom(a.Unmap(), p.Bits()-96)
		}
		all = append(all, one{p.Masked(), entries[i]})
	}
	slices.SortStableFunc(all, func(x, y one) int {
		return cmp.Or(x.prefix.Addr().Compare(y.prefix.Addr()), cmp.Compare(x.prefix.Bits(), y.prefix.Bits()))
	})
	n := &Networks[T]{}
	var v4, v6 []netip.Prefix
	from := map[bool]int{}
	for i := 0; i < len(all); {
		p := all[i].prefix
		first := i
		for ; i < len(all) && all[i].prefix == p; i++ {
			n.entries = append(n.entries, all[i].entry)
		}
		family := &v6
		if p.Addr().Is4() {
			family = &v4
		}
		if len(*family) == 0 {
			from[p.Addr().Is4()] = len(n.networks)
		}
		*family = append(*family, p)
		n.networks = append(n.networks, network{first, i, -1})
	}
	n.v4.cut(v4, from[true], n.networks)
	n.v6.cut(v6, from[false], n.networks)
	n.v4.index()
	return n
}

// cut makes the ranges of prefixes, which are sorted, the larger of two that begin
// together first. Those of the i-th one are networks[from+i].
func (r *ranges) cut(prefixes []netip.Prefix, from int, networks []network) {
	type open struct {
		network int
		end     key
	}
	var around []open // the networks that we are in, the smallest last
	begin := func(at key, network int) {
		if n := len(r.starts); n > 0 && r.starts[n-1] == at {
			r.inner[n-1] = int32(network)
			return
		}
		r.starts = append(r.starts, at)
		r.inner = append(r.inner, int32(network))
	}
	end := func() {
		last := around[len(around)-1]
		around = around[:len(around)-1]
		outer := -1
		if len(around) > 0 {
			outer = around[len(around)-1].network
		}
		if behind, over := last.end.next(); !over {
			begin(behind, outer)
		}
	}
	for i, p := range prefixes {
		start := keyOf(p.Addr())
		for len(around) > 0 && around[len(around)-1].end.compare(start) < 0 {
			end()
		}
		if len(around) > 0 {
			networks[from+i].around = around[len(around)-1].network
		}
		begin(start, from+i)
		around = append(around, open{from + i, keyOf(lastOf(p))})
	}
	for len(around) > 0 {
		end()
	}
}

// lastOf gives the last address of a network.
func lastOf(p netip.Prefix) netip.Addr {
	b := p.Addr().AsSlice()
	for i := p.Bits(); i < len(b)*8; i++ {
		b[i/8] |= 1 << (7 - i%8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

const tops = 1 << 16

// index notes where the ranges of each upper half of an IPv4 address begin.
func (r *ranges) index() {
	if len(r.starts) < 64 {
		return
	}
	r.tops = make([]int32, tops+1)
	i := 0
	for top := range r.tops {
		for i < len(r.starts) && r.starts[i].lo < uint64(top)<<16 {
			i++
		}
		r.tops[top] = int32(i)
	}
}

// find gives the smallest network around an address, -1 if there is none.
func (r *ranges) find(k key) int {
	low, high := 0, len(r.starts) // starts[low-1] <= k < starts[high]
	if r.tops != nil {
		top := k.lo >> 16
		low, high = int(r.tops[top]), int(r.tops[top+1])
	}
	for low < high {
		middle := int(uint(low+high) / 2)
		if s := &r.starts[middle]; s.hi < k.hi || s.hi == k.hi && s.lo <= k.lo {
			low = middle + 1
		} else {
			high = middle
		}
	}
	if low == 0 {
		return -1
	}
	return int(r.inner[low-1])
}

// At gives the entries of the networks that an address lies in, those of the
// smallest network first.
func (n *Networks[T]) At(a netip.Addr) iter.Seq[*T] {
	return func(yield func(*T) bool) {
		a = a.Unmap()
		r := &n.v6
		if a.Is4() {
			r = &n.v4
		}
		if !a.IsValid() {
			return
		}
		for i := r.find(keyOf(a)); i >= 0; i = n.networks[i].around {
			for e := n.networks[i].first; e < n.networks[i].last; e++ {
				if !yield(&n.entries[e]) {
					return
				}
			}
		}
	}
}

// Len gives the number of entries.
func (n *Networks[T]) Len() int { return len(n.entries) }

// All gives the entries, ordered by their networks.
func (n *Networks[T]) All() []T { return n.entries }
