package ring

import (
	"math/rand/v2"
	"testing"
)

func TestAgainstSlice(t *testing.T) {
	var r Ring[int]
	var model []int
	rng := rand.New(rand.NewPCG(5, 6))
	for i := range 10000 {
		if rng.IntN(2) == 0 {
			r.Push(i)
			model = append(model, i)
		} else if len(model) > 0 {
			if got := r.Pop(); got != model[0] {
				t.Fatalf("pop gives %d, want %d", got, model[0])
			}
			model = model[1:]
		}
		if r.Len() != len(model) {
			t.Fatalf("len is %d, want %d", r.Len(), len(model))
		}
	}
}
