package drouting

import (
	"cmp"
	"fmt"
	"math/bits"
	"slices"
)

// trie finds the rules of the prefixes of a number, for each group. It is flat:
// nodes without pointers in one array, the children of each side by side, so that
// a million rules are a few dozen megabytes that the garbage collector passes over.
type trie struct {
	codes [128]int8 // of the characters of prefixes, from 1; 0: never in one
	roots map[int32]uint32
	nodes []node
	runs  []uint32 // rules of one prefix, the last one with lastOfRun
}

// node is a prefix.
type node struct {
	children uint32 // the first of them
	has      uint32 // which codes they have, a bit each
	run      uint32 // where its rules begin in runs, from 1; 0: it has none
}

const lastOfRun = 1 << 31

// maxPrefix bounds the length of a prefix; what of a number lies behind does not
// count.
const maxPrefix = 64

// place is a rule at a prefix in a group.
type place struct {
	group    int32
	rule     uint32
	priority int32
	prefix   string // codes, not characters
}

// maxCodes is how many characters prefixes may be made of.
const maxCodes = 32

// newAlphabet gives the codes of digits and of what else prefixes may have.
func newAlphabet(extra string) (codes [128]int8, err error) {
	n := int8(0)
	for _, c := range []byte("0123456789" + extra) {
		switch {
		case c >= 128 || c <= ' ':
			return codes, fmt.Errorf("%q is no visible ASCII character", c)
		case codes[c] != 0:
		case n == maxCodes:
			return codes, fmt.Errorf("more than %d characters besides digits", maxCodes-10)
		default:
			n++
			codes[c] = n
		}
	}
	return codes, nil
}

// encode turns a prefix into codes.
func encode(codes *[128]int8, prefix string) (string, error) {
	if len(prefix) > maxPrefix {
		return "", fmt.Errorf("%q has more than %d characters", prefix, maxPrefix)
	}
	b := make([]byte, len(prefix))
	for i := range len(prefix) {
		c := prefix[i]
		if c >= 128 || codes[c] == 0 {
			return "", fmt.Errorf("%q has a %q, which is neither a digit nor one of extra_prefix_chars", prefix, c)
		}
		b[i] = byte(codes[c])
	}
	return string(b), nil
}

// newTrie makes a trie of places, which it orders.
func newTrie(codes [128]int8, places []place) *trie {
	slices.SortFunc(places, func(a, b place) int {
		return cmp.Or(cmp.Compare(a.group, b.group), cmp.Compare(a.prefix, b.prefix), cmp.Compare(b.priority, a.priority), cmp.Compare(a.rule, b.rule))
	})
	t := &trie{codes: codes, roots: map[int32]uint32{}, runs: make([]uint32, 0, len(places))}
	for len(places) > 0 {
		end := slices.IndexFunc(places, func(p place) bool { return p.group != places[0].group })
		if end < 0 {
			end = len(places)
		}
		root := uint32(len(t.nodes))
		t.roots[places[0].group] = root
		t.nodes = append(t.nodes, node{})
		t.fill(root, places[:end], 0)
		places = places[end:]
	}
	t.nodes = slices.Clip(t.nodes)
	return t
}

// fill makes the node of places that share their first characters.
func (t *trie) fill(at uint32, places []place, depth int) {
	own := 0
	for own < len(places) && len(places[own].prefix) == depth {
		own++
	}
	if own > 0 {
		t.nodes[at].run = uint32(len(t.runs)) + 1
		for _, p := range places[:own] {
			t.runs = append(t.runs, p.rule)
		}
		t.runs[len(t.runs)-1] |= lastOfRun
	}
	places = places[own:]
	var has uint32
	for i := range places {
		has |= 1 << (places[i].prefix[depth] - 1)
	}
	children := uint32(len(t.nodes))
	t.nodes[at].children, t.nodes[at].has = children, has
	t.nodes = append(t.nodes, make([]node, bits.OnesCount32(has))...)
	for len(places) > 0 {
		code := places[0].prefix[depth]
		end := 1
		for end < len(places) && places[end].prefix[depth] == code {
			end++
		}
		t.fill(children, places[:end], depth+1)
		children++
		places = places[end:]
	}
}

// match is the prefixes of a number that have rules, the longest first.
type match struct {
	trie  *trie
	nodes [maxPrefix + 1]uint32
	sizes [maxPrefix + 1]uint8
	n     int
}

// find looks up a number in a group. With strict, only rules whose prefix is the
// whole number count. It reports whether there is a prefix with rules.
func (t *trie) find(m *match, group int32, number []byte, strict bool) bool {
	m.trie, m.n = t, 0
	at, ok := t.roots[group]
	if !ok {
		return false
	}
	for size := 0; ; size++ {
		n := &t.nodes[at]
		if n.run != 0 && (!strict || size == len(number)) {
			m.nodes[m.n], m.sizes[m.n] = at, uint8(size)
			m.n++
		}
		if size == len(number) {
			break
		}
		c := number[size]
		if c >= 128 || t.codes[c] == 0 {
			break
		}
		bit := uint32(1) << (t.codes[c] - 1)
		if n.has&bit == 0 {
			break
		}
		at = n.children + uint32(bits.OnesCount32(n.has&(bit-1)))
	}
	return m.n > 0
}

// rules calls yield with the rules of the number, those of the longest prefix
// first, by priority, and with the length of the prefix.
func (m *match) rules(yield func(rule uint32, prefix int) bool) {
	for i := m.n - 1; i >= 0; i-- {
		for at := m.trie.nodes[m.nodes[i]].run - 1; ; at++ {
			rule := m.trie.runs[at]
			if !yield(rule&^lastOfRun, int(m.sizes[i])) {
				return
			}
			if rule&lastOfRun != 0 {
				break
			}
		}
	}
}
