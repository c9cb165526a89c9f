// Package repeats keeps a flood of failures from being a flood of log lines, and a
// noisy peer from hiding another one's failure: the first line of each key is told,
// repetitions once in a while with the number of those that were not, more seldom
// the longer it lasts.
package repeats

import (
	"sync"
	"time"
)

// Table has repeated lines told as one, by a key: what those have in common. The
// zero value is ready. Any goroutine; nobody holds the lock for longer than a look.
type Table[K comparable] struct {
	mu     sync.Mutex
	rows   map[K]row
	untold uint64 // of keys that found no room
}

// row is one key's.
type row struct {
	told time.Time     // when the last line was written
	held uint64        // lines not written since
	gate time.Duration // how long they are held back
}

const (
	// bound is how many keys are told apart. What finds no room is counted, and
	// told with the next line that passes.
	bound = 1024
	// shortest is how long lines are held back behind the first of a key, longest
	// how long while they keep coming: each time twice as long.
	shortest = time.Second
	longest  = 10 * time.Second
	// rest is how long a key is remembered behind its last line.
	rest = 2 * longest
)

// Open reports whether a line may pass, and how many of its key, or of keys that
// found no room, were held back before it.
func (t *Table[K]) Open(now time.Time, k K) (held uint64, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r, known := t.rows[k]
	switch {
	case known && now.Sub(r.told) < r.gate:
		r.held++
		t.rows[k] = r
		return 0, false
	case !known && len(t.rows) >= bound && !t.forget(now):
		t.untold++
		return 0, false
	case t.rows == nil:
		t.rows = make(map[K]row)
	}
	gate := shortest
	if r.held > 0 {
		gate = min(2*r.gate, longest)
	}
	t.rows[k] = row{told: now, gate: gate}
	held, t.untold = r.held+t.untold, 0
	return held, true
}

// forget drops the keys that have been still, and reports whether there is room.
// The lock is held.
func (t *Table[K]) forget(now time.Time) bool {
	for k, r := range t.rows {
		if now.Sub(r.told) >= rest {
			t.untold += r.held
			delete(t.rows, k)
		}
	}
	return len(t.rows) < bound
}
