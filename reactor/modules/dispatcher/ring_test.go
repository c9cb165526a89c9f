package dispatcher

import (
	"fmt"
	"math"
	"testing"

	"sipreactor/reactor/modules/internal/destination"
)

// many makes a set that has a ring, with weights 1 to kinds.
func many(t testing.TB, n, kinds int) *Set {
	t.Helper()
	weights := make([]int, n)
	for i := range weights {
		weights[i] = 1 + i%kinds
	}
	s := members(t, weights...)
	if s.weights.Load().ring == nil {
		t.Fatal("the set has no ring")
	}
	return s
}

func byHash(s *Set, call int) *Destination {
	return s.choose(nil, &choice{how: HashCallID, key: hash(fmt.Appendf(nil, "%d@host", call)), now: noon})[0]
}

// TestRingShares: members of a large set get their shares.
func TestRingShares(t *testing.T) {
	const n, calls = 200, 200000
	for _, kinds := range []int{1, 4} {
		s := many(t, n, kinds)
		count, total := make([]int, n), 0
		for call := range calls {
			count[byHash(s, call).index]++
		}
		for i := range n {
			total += s.weight(i)
		}
		for i, got := range count {
			want := calls * float64(s.weight(i)) / float64(total)
			if math.Abs(float64(got)-want) > want*0.5 {
				t.Errorf("weights to %d: member %d of weight %d got %d calls, want about %.0f", kinds, i, s.weight(i), got, want)
			}
		}
	}
}

// TestRingIsConsistent: in a large set, too, a member that leaves moves its own calls
// only, by state or by row; they go to many others.
func TestRingIsConsistent(t *testing.T) {
	const n, out = 100, 42
	for _, kinds := range []int{1, 4} {
		s := many(t, n, kinds)
		less := many(t, n, kinds)
		less = newTable(append(append([]*Destination{}, less.Members[:out]...), less.Members[out+1:]...), maxWeight).Set(1)
		heirs := map[*Destination]bool{}
		for call := range 20000 {
			before := byHash(s, call)
			s.Members[out].Health.Set(destination.Inactive, "", noon, nil)
			without := byHash(s, call)
			s.Members[out].Health.Set(destination.Active, "", noon, nil)
			if before.index == out {
				heirs[without] = true
			} else if without != before {
				t.Fatalf("a call moved from %s to %s", before.URI(), without.URI())
			}
			if row := byHash(less, call); row.URI() != without.URI() {
				t.Fatalf("without the row %s, without the member %s", row.URI(), without.URI())
			}
		}
		if len(heirs) < n/4 {
			t.Errorf("weights to %d: the calls of one go to %d others", kinds, len(heirs))
		}
	}
}

// TestRingWithFewLeft: as long as one is there, it is found; the last resort is none of
// them.
func TestRingWithFewLeft(t *testing.T) {
	s := many(t, 100, 1)
	for _, d := range s.Members[1:] {
		d.Health.Set(destination.Inactive, "", noon, nil)
	}
	for call := range 1000 {
		if d := byHash(s, call); d.index != 0 {
			t.Fatalf("call %d goes to %s", call, d.URI())
		}
	}
	s = many(t, 100, 1)
	for call := range 5000 {
		c := &choice{how: HashCallID, key: hash(fmt.Appendf(nil, "%d", call)), now: noon, last: true}
		if d := s.choose(nil, c)[0]; d.index == 99 {
			t.Fatal("the last resort was chosen while there are others")
		}
	}
}

// TestMost: no more members are listed than are asked for.
func TestMost(t *testing.T) {
	s := many(t, 100, 1)
	for _, most := range []int{1, 3, 100, 0} {
		want := most
		if most == 0 {
			want = 100
		}
		if got := len(s.choose(nil, &choice{how: RoundRobin, all: true, most: most, now: noon})); got != want {
			t.Errorf("%d listed, want %d", got, want)
		}
	}
}
