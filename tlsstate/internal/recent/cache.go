// Package recent keeps the last value of each of a number of keys: sessions, by
// the peers that they were made with.
package recent

import (
	"container/list"
	"sync"
)

// Cache keeps a value a key, within a number of keys and of bytes, the key that was
// used longest ago forgotten first. Any goroutine.
type Cache[V any] struct {
	mu    sync.Mutex
	limit int
	room  int // bytes that are left
	free  func(V)
	byKey map[string]*list.Element
	order list.List // of *entry[V], most recently used first
}

type entry[V any] struct {
	key   string
	value V
	size  int
}

// New makes a cache of limit keys and so many bytes. free is called, under the cache's lock, with
// each value that leaves it; nil does nothing.
func New[V any](limit, bytes int, free func(V)) *Cache[V] {
	return &Cache[V]{limit: limit, room: bytes, free: free, byKey: make(map[string]*list.Element)}
}

// Get hands the value of a key to use, under the cache's lock: what has to be
// done before somebody may free it. It tells whether there is one.
func (c *Cache[V]) Get(key string, use func(V)) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.byKey[key]
	if e == nil {
		return false
	}
	c.order.MoveToFront(e)
	use(e.Value.(*entry[V]).value)
	return true
}

// Put keeps a value of some bytes in the place of the one that there is. One that
// is larger than the whole cache leaves it at once.
func (c *Cache[V]) Put(key string, value V, size int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.byKey[key]; e != nil {
		c.drop(e)
	}
	c.byKey[key] = c.order.PushFront(&entry[V]{key, value, size})
	c.room -= size
	for c.order.Len() > c.limit || c.room < 0 {
		c.drop(c.order.Back())
	}
}

// Forget drops the value of a key, if there is one.
func (c *Cache[V]) Forget(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.byKey[key]; e != nil {
		c.drop(e)
	}
}

// Clear drops all values.
func (c *Cache[V]) Clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.order.Len() > 0 {
		c.drop(c.order.Back())
	}
}

func (c *Cache[V]) drop(e *list.Element) {
	old := c.order.Remove(e).(*entry[V])
	delete(c.byKey, old.key)
	c.room += old.size
	if c.free != nil {
		c.free(old.value)
	}
}
