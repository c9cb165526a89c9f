package owed

// Requests are those that came on a connection and have no final response yet, as a multiset of keys that a request
// shares with its responses. A response that is repeated finds its key no more, so that it does not count for another
// request. What has no key, and what is beyond the bound, is counted only. The zero value is empty. One goroutine.
type Requests struct {
	slots   []uint32 // open addressing with linear probing; 0 = free
	keys    int      // of them that are in use
	counted int      // requests that are not in slots
	nobodys int      // responses without a key
}

// requestsKept is how many keys are kept.
const requestsKept = 1024

// Len returns how many there are.
func (r *Requests) Len() int { return max(r.keys+r.counted-r.nobodys, 0) }

// Add adds a request; 0 is no key.
func (r *Requests) Add(key uint32) {
	if key == 0 || r.keys == requestsKept {
		r.counted++
		return
	}
	if 2*r.keys >= len(r.slots) {
		old := r.slots
		r.slots = make([]uint32, max(16, 2*len(old)))
		for _, k := range old {
			if k != 0 {
				r.put(k)
			}
		}
	}
	r.put(key)
	r.keys++
}

func (r *Requests) put(key uint32) {
	i := int(key) & (len(r.slots) - 1)
	for r.slots[i] != 0 {
		i = (i + 1) & (len(r.slots) - 1)
	}
	r.slots[i] = key
}

// Take takes the request of a final response out, if there is one.
func (r *Requests) Take(key uint32) {
	switch {
	case key == 0:
		r.nobodys++
	case r.remove(key):
		r.keys--
	case r.counted > 0:
		r.counted--
	}
	if r.Len() == 0 && r.nobodys > 0 {
		clear(r.slots)
		r.keys, r.counted, r.nobodys = 0, 0, 0
	}
}

func (r *Requests) remove(key uint32) bool {
	if len(r.slots) == 0 {
		return false
	}
	mask := len(r.slots) - 1
	i := int(key) & mask
	for r.slots[i] != key {
		if r.slots[i] == 0 {
			return false
		}
		i = (i + 1) & mask
	}
	for next := (i + 1) & mask; r.slots[next] != 0; next = (next + 1) & mask { // what would not be found any more moves up
		if home := int(r.slots[next]) & mask; (next-home)&mask >= (next-i)&mask {
			r.slots[i], i = r.slots[next], next
		}
	}
	r.slots[i] = 0
	return true
}
