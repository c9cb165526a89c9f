package counters

import (
	"slices"
	"testing"
	"time"
)

func TestHistogram(t *testing.T) {
	var h Histogram
	counts := make([]uint64, len(Bounds)+1)
	want := slices.Clone(counts)
	var sum time.Duration
	for i, b := range Bounds {
		h.Add(b)     // an upper bound belongs to its bucket
		h.Add(b + 1) // and what is longer to the next
		sum += 2*b + 1
		want[i]++
		want[i+1]++
	}
	if got := h.AddTo(counts); got != sum || !slices.Equal(counts, want) {
		t.Errorf("%v, %v; want %v, %v", got, counts, sum, want)
	}
}

func TestBoundsRise(t *testing.T) {
	for i := 1; i < len(Bounds); i++ {
		if Bounds[i] <= Bounds[i-1] {
			t.Errorf("bound %d does not rise", i)
		}
	}
}
