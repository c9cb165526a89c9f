// Package counters counts: by cause, and durations by their length.
package counters

import (
	"maps"
	"sync"
)

// Tally counts rare things by their cause. The causes come from fixed sets; a
// bound keeps memory and labels few should one ever not. The zero value is ready.
// Any goroutine may use it; it takes a lock, so it is not for every message.
type Tally struct {
	mu sync.Mutex
	by map[string]uint64
}

// tallyBound is how many causes a Tally keeps apart; the rest is otherCauses.
const (
	tallyBound  = 128
	otherCauses = "other"
)

// Add counts one.
func (t *Tally) Add(cause string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.by == nil {
		t.by = make(map[string]uint64)
	}
	if _, known := t.by[cause]; !known && len(t.by) >= tallyBound {
		cause = otherCauses
	}
	t.by[cause]++
}

// AddTo adds what was counted to a sum.
func (t *Tally) AddTo(sum map[string]uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for cause, n := range t.by {
		sum[cause] += n
	}
}

// Counts returns what was counted.
func (t *Tally) Counts() map[string]uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(t.by)
}
