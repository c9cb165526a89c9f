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

// What was taken is not held.
func TestPopLetsGo(t *testing.T) {
	var r Ring[*int]
	for range 20 {
		r.Push(new(int))
	}
	for r.Len() > 0 {
		r.Pop()
	}
	for i, held := range r.items {
		if held != nil {
			t.Errorf("place %d holds what was taken", i)
		}
	}
}
