package names

import (
	"testing"
)

// ranked is a target of a tier and record; its address tells its place.
func ranked(place byte, tier, item uint8, weight uint16) Target {
	t := target(place)
	t.Tier, t.Item, t.Weight = tier, item, weight
	return t
}

func places(o Order) (list []int) {
	for i := range o.Len() {
		list = append(list, o.At(i))
	}
	return list
}

// Targets of one tier come by weight (RFC 2782), those of a worse one behind them,
// and the addresses of one record together and in their order.
func TestOrderByWeight(t *testing.T) {
	a := &Answer{Targets: []Target{
		ranked(0, 0, 0, 60), ranked(1, 0, 0, 60), // one record with two addresses
		ranked(2, 0, 1, 20), ranked(3, 0, 2, 20), ranked(4, 0, 3, 0),
		ranked(5, 1, 0, 1), ranked(6, 1, 1, 99),
	}}
	const draws = 20000
	first, second := map[int]int{}, map[int]int{}
	for seed := range uint64(draws) {
		list := places(a.Order(seed * 0x9e3779b97f4a7c15))
		seen := map[int]bool{}
		for i, p := range list {
			if seen[p] || (p >= 5) != (i >= 5) {
				t.Fatalf("seed %d: %v", seed, list)
			}
			if seen[p] = true; p == 1 && list[i-1] != 0 {
				t.Fatalf("seed %d: the second address is apart: %v", seed, list)
			}
		}
		if len(list) != 7 {
			t.Fatalf("%v", list)
		}
		first[list[0]]++
		second[list[5]]++
	}
	for place, share := range map[int]float64{0: .6, 2: .2, 3: .2} {
		if got := float64(first[place]) / draws; got < share-.02 || got > share+.02 {
			t.Errorf("record %d is first in %.3f, want %.2f", place, got, share)
		}
	}
	if n := first[4]; n == 0 || n > draws/50 { // weight 0: a very small chance
		t.Errorf("without weight: first %d times", n)
	}
	if got := float64(second[6]) / draws; got < .96 {
		t.Errorf("of the second tier the heavy one leads in %.3f", got)
	}
}

// A transaction finds its server again, whichever node or life asks.
func TestOrderDependsOnTheSeedAlone(t *testing.T) {
	a := &Answer{Targets: []Target{ranked(0, 0, 0, 1), ranked(1, 0, 1, 1), ranked(2, 0, 2, 1)}}
	b := &Answer{Targets: append([]Target{}, a.Targets...)}
	differ := false
	for seed := range uint64(100) {
		if a.Order(seed) != b.Order(seed) {
			t.Fatal("equal answers, other orders")
		}
		differ = differ || a.Order(seed) != a.Order(0)
	}
	if !differ {
		t.Error("always the same order")
	}
}

func TestOrderWithoutWeights(t *testing.T) {
	a := &Answer{Targets: []Target{target(1), target(2), target(3)}} // addresses of one host
	for seed := range uint64(10) {
		if o := a.Order(seed); o.Len() != 3 || o.At(0) != 0 || o.At(1) != 1 || o.At(2) != 2 {
			t.Errorf("%v", places(o))
		}
	}
	o := a.Order(1)
	if alone := o.Only(2); alone.Len() != 1 || alone.At(0) != 2 {
		t.Errorf("%v", places(alone))
	}
	if o.Cut(1); o.Len() != 1 || o.At(0) != 0 {
		t.Errorf("%v", places(o))
	}
	if o := (&Answer{}).Order(1); o.Len() != 0 {
		t.Errorf("%v", places(o))
	}
	long := &Answer{Targets: make([]Target, 3*MaxTargets)}
	if o := long.Order(1); o.Len() != MaxTargets {
		t.Errorf("%d", o.Len())
	}
}
