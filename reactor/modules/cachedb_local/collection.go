package cachedb_local

import (
	"errors"
	"hash/maphash"
	"path"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// maxEntries bounds the keys of a collection, and maxEntry the bytes of a key with
// its value.
const (
	maxEntries = 1 << 20
	maxEntry   = 64 << 10
)

// Errors of a collection.
var (
	errFull   = errors.New("the collection is full")
	errLarge  = errors.New("the key and the value are too long")
	errNumber = errors.New("the value is no number")
)

// parts of a collection have a lock each.
const parts = 32

// collection is keys with values. Any goroutine may use it.
type collection struct {
	now   func() time.Time
	max   int64
	size  atomic.Int64 // entries, expired ones that are still there included
	seed  maphash.Seed
	parts [parts]struct {
		sync.Mutex
		entries map[string]entry
	}
}

type entry struct {
	value string
	end   int64 // Unix nanoseconds, 0 never
}

func newCollection() *collection {
	c := &collection{now: time.Now, max: maxEntries, seed: maphash.MakeSeed()}
	for i := range c.parts {
		c.parts[i].entries = make(map[string]entry)
	}
	return c
}

// live reports whether an entry has not expired.
func (e entry) live(now int64) bool { return e.end == 0 || now < e.end }

// get gives the value of a key; false if there is none.
func (c *collection) get(key []byte) (string, bool) {
	p := &c.parts[maphash.Bytes(c.seed, key)%parts]
	p.Lock()
	e, ok := p.entries[string(key)]
	p.Unlock()
	return e.value, ok && e.live(c.now().UnixNano())
}

// set gives a key a value that lives as long as ttl says, 0 for ever.
func (c *collection) set(key, value []byte, ttl time.Duration) error {
	_, err := c.change(key, ttl, func(string, bool) (string, error) { return string(value), nil })
	return err
}

// add counts a key up by n, and gives what that comes to. One that is not there, or
// has expired, counts from 0. Without a ttl the key keeps the time that it has.
func (c *collection) add(key []byte, n int64, ttl time.Duration) (sum int64, err error) {
	keep := ttl <= 0
	if keep {
		ttl = keepTime
	}
	_, err = c.change(key, ttl, func(old string, ok bool) (string, error) {
		if ok {
			if sum, err = strconv.ParseInt(old, 10, 64); err != nil {
				return "", errNumber
			}
		}
		sum += n
		return strconv.FormatInt(sum, 10), nil
	})
	return sum, err
}

// keepTime is the ttl that leaves the time of an entry as it is.
const keepTime = -1

func (c *collection) change(key []byte, ttl time.Duration, f func(old string, ok bool) (string, error)) (string, error) {
	now := c.now().UnixNano()
	p := &c.parts[maphash.Bytes(c.seed, key)%parts]
	p.Lock()
	defer p.Unlock()
	e, known := p.entries[string(key)]
	live := known && e.live(now)
	value, err := f(e.value, live)
	switch {
	case err != nil:
		return "", err
	case len(key)+len(value) > maxEntry:
		return "", errLarge
	case !known && c.size.Load() >= c.max:
		return "", errFull
	}
	end := int64(0)
	switch {
	case ttl == keepTime && live:
		end = e.end
	case ttl > 0:
		end = now + int64(ttl)
	}
	if !known {
		c.size.Add(1)
	}
	p.entries[string(key)] = entry{value, end}
	return value, nil
}

// remove takes a key away.
func (c *collection) remove(key []byte) {
	p := &c.parts[maphash.Bytes(c.seed, key)%parts]
	p.Lock()
	defer p.Unlock()
	if _, ok := p.entries[string(key)]; ok {
		delete(p.entries, string(key))
		c.size.Add(-1)
	}
}

// clean takes away what has expired.
func (c *collection) clean() {
	now := c.now().UnixNano()
	c.each(func(_ string, e entry) bool { return e.live(now) })
}

// removeGlob takes away the keys that match a pattern, and tells how many those were.
func (c *collection) removeGlob(glob string) (n int) {
	c.each(func(key string, _ entry) bool {
		ok, _ := path.Match(glob, key)
		if ok {
			n++
		}
		return !ok
	})
	return n
}

// pair is a key with its value.
type pair struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// fetchGlob gives the keys that match a pattern, at most limit.
func (c *collection) fetchGlob(glob string, limit int) (list []pair) {
	now := c.now().UnixNano()
	c.each(func(key string, e entry) bool {
		if ok, _ := path.Match(glob, key); ok && e.live(now) && len(list) < limit {
			list = append(list, pair{key, e.value})
		}
		return true
	})
	return list
}

// each calls keep for every entry and takes away those that it does not want.
func (c *collection) each(keep func(key string, e entry) bool) {
	for i := range c.parts {
		p := &c.parts[i]
		p.Lock()
		for key, e := range p.entries {
			if !keep(key, e) {
				delete(p.entries, key)
				c.size.Add(-1)
			}
		}
		p.Unlock()
	}
}

// take makes the entries of another collection, which goes on using them until nobody
// asks it any more, this one's as well.
func (c *collection) take(o *collection) {
	now := c.now().UnixNano()
	for i := range o.parts {
		p := &o.parts[i]
		p.Lock()
		for key, e := range p.entries {
			if !e.live(now) {
				continue
			}
			ttl := time.Duration(0)
			if e.end != 0 {
				ttl = time.Duration(e.end - now)
			}
			_ = c.set([]byte(key), []byte(e.value), ttl) // it has had room for them before
		}
		p.Unlock()
	}
}
