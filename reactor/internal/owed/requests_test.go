package owed

import (
	"math/rand/v2"
	"testing"
)

// A response that is repeated counts once; one of a request that came twice counts for one of both.
func TestRequestsAreMatched(t *testing.T) {
	var r Requests
	r.Take(7)
	r.Add(1)
	r.Add(2)
	r.Add(2)
	for i, want := range []int{2, 2, 1, 0, 0} {
		key := []uint32{1, 1, 2, 2, 2}[i]
		if r.Take(key); r.Len() != want {
			t.Errorf("%d are left behind response %d, want %d", r.Len(), i, want)
		}
	}
	r.Add(0)
	r.Add(3)
	r.Take(0)
	r.Take(3)
	if r.Len() != 0 {
		t.Errorf("%d are left", r.Len())
	}
	r.Take(0)
	if r.Add(4); r.Len() != 1 {
		t.Errorf("a response to nothing counts: %d", r.Len())
	}
}

// What a map would hold is held, in any order, up to the bound and beyond.
func TestRequestsAgainstAMap(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var r Requests
	model := map[uint32]int{}
	var list []uint32
	for range 200000 {
		switch {
		case len(list) < requestsKept && random.IntN(2) == 0:
			key := uint32(random.IntN(3000)) + 1
			r.Add(key)
			model[key]++
			list = append(list, key)
		case len(list) > 0 && random.IntN(4) > 0:
			i := random.IntN(len(list))
			r.Take(list[i])
			model[list[i]]--
			list[i] = list[len(list)-1]
			list = list[:len(list)-1]
		default:
			key := uint32(random.IntN(3000)) + 1
			if model[key] == 0 {
				r.Take(key)
			}
		}
		if r.Len() != len(list) {
			t.Fatalf("%d, want %d", r.Len(), len(list))
		}
	}
	for _, key := range list {
		r.Take(key)
	}
	for i := range uint32(2 * requestsKept) {
		r.Add(i + 1)
	}
	if len(r.slots) > 2*requestsKept || r.Len() != 2*requestsKept {
		t.Errorf("%d slots for %d", len(r.slots), r.Len())
	}
	for i := range uint32(2 * requestsKept) {
		r.Take(i + 1)
	}
	if r.Len() != 0 {
		t.Errorf("%d are left", r.Len())
	}
}

// A response without a key may be anybody's: behind the last request nothing is left of it, and
// a later response by the key of that one counts for nobody.
func TestResponseWithoutAKey(t *testing.T) {
	var r Requests
	r.Add(3)
	if r.Take(0); r.Len() != 0 {
		t.Errorf("%d are left", r.Len())
	}
	r.Take(3)
	if r.Add(4); r.Len() != 1 {
		t.Errorf("%d requests, want the one that came last", r.Len())
	}
}
