package peers

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// Times describes round trips. The quantiles are upper bounds, too high by a
// quarter at most.
type Times struct {
	P50, P99 time.Duration // of the last five to ten minutes; 0 = there were none
	Count    uint64        // since the start
	Sum      time.Duration
}

// roundTrips counts round trips in buckets of a millisecond and more, which
// grow by a quarter. Any goroutine.
type roundTrips struct {
	windows [2][tripBuckets]atomic.Uint32 // this one and the one before
	now     atomic.Uint32                 // which is this one
	count   atomic.Uint64
	sum     atomic.Int64 // microseconds
}

// tripBuckets are four buckets for each power of two, up to two minutes.
const tripBuckets = 4 * 17

// bucket gives the bucket of a duration.
func bucket(d time.Duration) int {
	ms := uint64(max(0, d.Milliseconds()))
	if ms < 4 {
		return int(ms)
	}
	n := bits.Len64(ms) // 3 or more
	return min(4*(n-2)+int(ms>>(n-3)&3), tripBuckets-1)
}

// bound gives the upper bound of a bucket.
func bound(i int) time.Duration {
	if i < 4 {
		return time.Duration(i+1) * time.Millisecond
	}
	n, quarter := i/4+2, i%4
	return time.Duration(4+quarter+1) << (n - 3) * time.Millisecond
}

func (t *roundTrips) add(d time.Duration) {
	t.windows[t.now.Load()&1][bucket(d)].Add(1)
	t.count.Add(1)
	t.sum.Add(d.Microseconds())
}

// turn begins a new window. One goroutine at a time.
func (t *roundTrips) turn() {
	next := t.now.Load() + 1
	for i := range t.windows[next&1] {
		t.windows[next&1][i].Store(0)
	}
	t.now.Store(next)
}

// times describes what was counted.
func (t *roundTrips) times() Times {
	var counts [tripBuckets]uint64
	var all uint64
	for w := range t.windows {
		for i := range counts {
			n := uint64(t.windows[w][i].Load())
			counts[i] += n
			all += n
		}
	}
	quantile := func(percent uint64) time.Duration {
		want := (all*percent + 99) / 100
		var n uint64
		for i, c := range counts {
			if n += c; c > 0 && n >= want {
				return bound(i)
			}
		}
		return 0
	}
	return Times{P50: quantile(50), P99: quantile(99), Count: t.count.Load(), Sum: time.Duration(t.sum.Load()) * time.Microsecond}
}
