package json

import (
	"errors"
	"slices"
	"strconv"
)

// kind is what a value is.
type kind uint8

const (
	null kind = iota
	boolean
	number
	text
	array
	object
)

// node is a value. Two places may refer to one node (json_link).
type node struct {
	kind kind
	yes  bool   // of a boolean
	s    string // of a text, or a number as it is written
	keys []string
	list []*node // of an array, or the values of an object by their keys
}

// What a document may come to.
const (
	maxText   = 1 << 20 // bytes that are parsed or written
	maxDepth  = 64
	maxValues = 100000
)

var (
	errKind   = errors.New("a key is that of an object, an index that of an array")
	errAbsent = errors.New("there is nothing at the path")
	errIndex  = errors.New("the array has no such index")
	errCircle = errors.New("the value would hold itself")
	errLarge  = errors.New("the document is too large")
)

func textNode(s string) *node    { return &node{kind: text, s: s} }
func numberNode(n int64) *node   { return &node{kind: number, s: strconv.FormatInt(n, 10)} }
func booleanNode(yes bool) *node { return &node{kind: boolean, yes: yes} }

// find gives where a key of an object is, -1 if it has none of the name.
func (n *node) find(key string) int { return slices.Index(n.keys, key) }

// step is one part of a path: a key, or an index. last is the index that appends.
type step struct {
	key     string
	index   int
	isIndex bool
	last    bool
}

// child gives the value at a step.
func (n *node) child(s step) (*node, error) {
	switch {
	case n == nil:
		return nil, errAbsent
	case s.isIndex && n.kind != array, !s.isIndex && n.kind != object:
		return nil, errKind
	case !s.isIndex:
		if i := n.find(s.key); i >= 0 {
			return n.list[i], nil
		}
		return nil, errAbsent
	}
	i, err := n.at(s)
	if err != nil || i == len(n.list) {
		return nil, errIndex
	}
	return n.list[i], nil
}

// at gives the index that a step means, len(list) to append.
func (n *node) at(s step) (int, error) {
	i := s.index
	switch {
	case s.last:
		return len(n.list), nil
	case i < 0:
		i += len(n.list)
	}
	if i < 0 || i > len(n.list) {
		return 0, errIndex
	}
	return i, nil
}

// get gives the value at a path.
func (n *node) get(path []step) (*node, error) {
	for _, s := range path {
		next, err := n.child(s)
		if err != nil {
			return nil, err
		}
		n = next
	}
	if n == nil {
		return nil, errAbsent
	}
	return n, nil
}

// set puts a value in the place of what is at a path of at least one step; a key that
// the object does not have, and the index behind the last one, are added. nil takes
// the value out.
func (n *node) set(path []step, v *node) error {
	if v != nil && v.holds(n, 0) {
		return errCircle
	}
	if len(path) > maxDepth {
		return errLarge
	}
	at, err := n.get(path[:len(path)-1])
	if err != nil {
		return err
	}
	s := path[len(path)-1]
	switch {
	case s.isIndex && at.kind != array, !s.isIndex && at.kind != object:
		return errKind
	case !s.isIndex:
		at.setKey(s.key, v)
		return nil
	}
	i, err := at.at(s)
	switch {
	case err != nil:
		return err
	case v == nil && i < len(at.list):
		at.list = slices.Delete(at.list, i, i+1)
	case v == nil:
		return errIndex
	case i == len(at.list):
		if i >= maxValues {
			return errLarge
		}
		at.list = append(at.list, v)
	default:
		at.list[i] = v
	}
	return nil
}

func (n *node) setKey(key string, v *node) {
	i := n.find(key)
	switch {
	case v == nil && i >= 0:
		n.keys, n.list = slices.Delete(n.keys, i, i+1), slices.Delete(n.list, i, i+1)
	case v == nil:
	case i >= 0:
		n.list[i] = v
	case len(n.list) < maxValues:
		n.keys, n.list = append(n.keys, key), append(n.list, v)
	}
}

// holds reports whether other is the value itself or one in it.
func (n *node) holds(other *node, depth int) bool {
	if n == other || depth > maxDepth {
		return true
	}
	for _, c := range n.list {
		if c.kind >= array && c.holds(other, depth+1) {
			return true
		}
	}
	return false
}

// clone copies a value, so that two places do not share it.
func (n *node) clone() *node {
	c := *n
	c.keys, c.list = slices.Clone(n.keys), make([]*node, len(n.list))
	for i, v := range n.list {
		c.list[i] = v.clone()
	}
	return &c
}

// merge patches the object with another, as RFC 7396 does: null takes a key out.
func (n *node) merge(patch *node) *node {
	if patch.kind != object {
		return patch.clone()
	}
	out := &node{kind: object}
	if n.kind == object {
		out = n.clone()
	}
	for i, key := range patch.keys {
		v := patch.list[i]
		if v.kind == null {
			out.setKey(key, nil)
			continue
		}
		old := &node{}
		if at := out.find(key); at >= 0 {
			old = out.list[at]
		}
		out.setKey(key, old.merge(v))
	}
	return out
}
