package scheduler

import (
	"testing"
	"time"
)

// How many of a thousand pieces of work go by until a kind is known to take too long;
// -1 = never.
func TestAllowance(t *testing.T) {
	const limit = int64(200 * time.Microsecond)
	every := func(n int, long, short int64) func(i int) int64 {
		return func(i int) int64 {
			if i%n == 0 {
				return long
			}
			return short
		}
	}
	for name, tt := range map[string]struct {
		ns   func(i int) int64
		most int // pieces until then; 0 = never
	}{
		"20 ms each":              {every(1, int64(20*time.Millisecond), 0), 2},
		"one in ten takes 20 ms":  {every(10, int64(20*time.Millisecond), 10_000), 11},
		"one in fifty":            {every(50, int64(20*time.Millisecond), 10_000), 51},
		"one was held up":         {every(2000, int64(20*time.Millisecond), 10_000), 0},
		"one in a hundred was":    {every(100, int64(20*time.Millisecond), 10_000), 0},
		"each a little too long":  {every(1, limit*3/2, 0), 40},
		"each as long as it may":  {every(1, limit, 0), 0},
		"two in three are longer": {every(3, 0, limit*2), 100},
	} {
		var a Allowance
		at := 0
		for i := 0; i < 1000 && at == 0; i++ {
			if a.Took(tt.ns(i), limit); !a.Takes() {
				at = i + 1
			}
		}
		if tt.most == 0 && at != 0 || tt.most > 0 && (at == 0 || at > tt.most) {
			t.Errorf("%s: known after %d, want %d", name, at, tt.most)
		}
	}
}
