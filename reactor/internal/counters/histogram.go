package counters

import (
	"sync/atomic"
	"time"
)

// Bounds are the upper bounds of a histogram's buckets but the last, which has
// none. A handshake takes a millisecond on one machine, two round trips on a
// path, and seconds with a peer that is nearly dead.
var Bounds = [...]time.Duration{
	time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond, 10 * time.Millisecond, 25 * time.Millisecond,
	50 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond,
	time.Second, 2500 * time.Millisecond, 5 * time.Second, 10 * time.Second,
}

// Histogram counts durations. One goroutine writes, any may read.
type Histogram struct {
	buckets [len(Bounds) + 1]atomic.Uint64
	sum     atomic.Int64
}

// Add counts one.
func (h *Histogram) Add(d time.Duration) {
	i := 0
	for i < len(Bounds) && d > Bounds[i] {
		i++
	}
	h.buckets[i].Add(1)
	h.sum.Add(int64(d))
}

// AddTo adds what was counted to as many counts, and returns the sum of all
// durations.
func (h *Histogram) AddTo(counts []uint64) time.Duration {
	for i := range h.buckets {
		counts[i] += h.buckets[i].Load()
	}
	return time.Duration(h.sum.Load())
}
