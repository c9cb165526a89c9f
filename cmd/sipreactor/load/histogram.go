package load

import (
	"math/bits"
	"time"
)

const (
	// fine is how many buckets each power of two has: neighbours differ by less than a thousandth.
	fine     = 1 << fineBits
	fineBits = 10
	longest  = 60 * time.Second
)

// histogram counts durations from 1 µs to longest, with three significant digits: a bucket a microsecond up to 2·fine,
// then fine buckets for each doubling. The zero value is empty.
type histogram struct {
	buckets [bucketCount]int64
	count   int64
	sum     int64 // µs
	max     int64
}

// bucketCount is for longest, which is below 1<<26 µs.
const bucketCount = (26-fineBits)*fine + fine

// add counts one; what is beyond the range counts as its end.
func (h *histogram) add(d time.Duration) {
	us := min(max(d.Microseconds(), 1), longest.Microseconds())
	h.buckets[bucket(us)]++
	h.count++
	h.sum += us
	h.max = max(h.max, us)
}

// bucket returns the place of a number of microseconds.
func bucket(us int64) int {
	shift := max(bits.Len64(uint64(us))-fineBits-1, 0)
	return shift*fine + int(us>>shift)
}

// quantile returns the duration that a share of all does not exceed, 0 when there are none.
func (h *histogram) quantile(share float64) time.Duration {
	want := max(int64(share*float64(h.count)+0.5), 1)
	var seen int64
	for i, n := range h.buckets {
		if seen += n; seen >= want {
			shift := max(i/fine-1, 0)
			us := int64(i-shift*fine+1)<<shift - 1 // the last that has this place
			return time.Duration(min(us, h.max)) * time.Microsecond
		}
	}
	return 0
}

// mean returns 0 when there are none.
func (h *histogram) mean() time.Duration {
	if h.count == 0 {
		return 0
	}
	return time.Duration(h.sum/h.count) * time.Microsecond
}
