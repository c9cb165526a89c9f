// Package peers finds connections by their remote end points. A look-up, which every
// message that names an address makes, takes no lock and writes nothing that another
// core reads; who adds or removes, once a connection, holds the Index's lock.
package peers

import (
	"slices"
	"sync"
	"sync/atomic"

	"sipreactor/reactor/internal/endpoint"
)

// Index is connections by end point: those that have it as their own remote end,
// newest first, and one that stands for it besides. The zero value is empty. Look-ups
// are for any goroutine; all other methods want the lock held.
type Index[T any, P Member[T]] struct {
	sync.Mutex
	size    atomic.Int64
	buckets [buckets]atomic.Pointer[node[T]]
}

const buckets = 1 << 14

// node is one end point. Nodes and their lists do not change: a change puts new ones
// in their place.
type node[T any] struct {
	key   endpoint.Key
	list  []*T // own, and behind them the alias
	alias *T
	next  *node[T]
}

// Lookup returns the connections of an end point, the newest first and the one that
// stands for it last; nil for none. It is not to be changed. Any goroutine.
func (x *Index[T, P]) Lookup(key endpoint.Key) []*T {
	if n := x.find(key); n != nil {
		return n.list
	}
	return nil
}

// Own returns the connections whose own remote end it is, the newest first.
func (x *Index[T, P]) Own(key endpoint.Key) []*T {
	n := x.find(key)
	switch {
	case n == nil:
		return nil
	case n.alias != nil:
		return n.list[:len(n.list)-1]
	default:
		return n.list
	}
}

// Alias returns the connection that stands for an end point; nil = none does.
func (x *Index[T, P]) Alias(key endpoint.Key) *T {
	if n := x.find(key); n != nil {
		return n.alias
	}
	return nil
}

// Len returns how many end points are known. Any goroutine.
func (x *Index[T, P]) Len() int { return int(x.size.Load()) }

// Add puts a connection before those that have the same end point.
func (x *Index[T, P]) Add(key endpoint.Key, c *T) {
	own := x.Own(key)
	x.put(key, append([]*T{c}, own...), x.Alias(key))
}

// Remove takes a connection out; one that is not in is left alone.
func (x *Index[T, P]) Remove(key endpoint.Key, c *T) {
	own := x.Own(key)
	if i := slices.Index(own, c); i >= 0 {
		x.put(key, slices.Delete(slices.Clone(own), i, i+1), x.Alias(key))
	}
}

// SetAlias has a connection stand for an end point; nil: none.
func (x *Index[T, P]) SetAlias(key endpoint.Key, c *T) { x.put(key, slices.Clone(x.Own(key)), c) }

func (x *Index[T, P]) find(key endpoint.Key) *node[T] {
	n := x.buckets[key.Hash()%buckets].Load()
	for n != nil && n.key != key {
		n = n.next
	}
	return n
}

// put replaces what is known of an end point. The nodes before its own are copied,
// since they lead to it.
func (x *Index[T, P]) put(key endpoint.Key, own []*T, alias *T) {
	b := &x.buckets[key.Hash()%buckets]
	head := b.Load()
	var before []*node[T]
	n := head
	for ; n != nil && n.key != key; n = n.next {
		before = append(before, n)
	}
	rest := head
	if n != nil {
		rest = n.next
	} else {
		before = nil
	}
	for i := len(before) - 1; i >= 0; i-- {
		copied := *before[i]
		copied.next = rest
		rest = &copied
	}
	had, has := n != nil, len(own) > 0 || alias != nil
	if has {
		if alias != nil {
			own = append(own, alias)
		}
		rest = &node[T]{key: key, list: own, alias: alias, next: rest}
	}
	switch {
	case has && !had:
		x.size.Add(1)
	case had && !has:
		x.size.Add(-1)
	}
	b.Store(rest)
}
