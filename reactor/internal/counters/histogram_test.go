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

// Several are added up.
func TestHistogramsAddUp(t *testing.T) {
	var one, two Histogram
	one.Add(Bounds[0])
	two.Add(Bounds[0])
	two.Add(Bounds[1])
	counts := make([]uint64, len(Bounds)+1)
	sum := one.AddTo(counts) + two.AddTo(counts)
	if counts[0] != 2 || counts[1] != 1 || sum != 2*Bounds[0]+Bounds[1] {
		t.Errorf("%v, %v", counts, sum)
	}
}
