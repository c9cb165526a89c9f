package load

import (
	"testing"
	"time"
)

// TestBuckets: places go up with durations, none is beyond the last, and what is told is within a thousandth.
func TestBuckets(t *testing.T) {
	last := -1
	for us := int64(1); us <= longest.Microseconds(); us += 1 + us/300 {
		at := bucket(us)
		if at < last || at >= bucketCount {
			t.Fatalf("%d µs: place %d behind %d of %d", us, at, last, bucketCount)
		}
		last = at
		var h histogram
		h.add(longest)
		h.add(time.Duration(us) * time.Microsecond)
		if got := h.quantile(0.5).Microseconds(); got < us || got > us+us/1000 {
			t.Fatalf("%d µs: told as %d", us, got)
		}
	}
}

func TestEmptyHistogram(t *testing.T) {
	var h histogram
	if h.mean() != 0 || h.quantile(0.5) != 0 {
		t.Errorf("mean %v, median %v", h.mean(), h.quantile(0.5))
	}
}
