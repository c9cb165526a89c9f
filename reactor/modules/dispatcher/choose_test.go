package dispatcher

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor/modules/internal/destination"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// members makes destinations of set 1 with such weights, named a, b, c...
func members(t testing.TB, weights ...int) *Set {
	t.Helper()
	var all []*Destination
	for i, w := range weights {
		all = append(all, member(t, Row{Set: 1, URI: fmt.Sprintf("sip:10.0.%d.%d", i/250, i%250+1), Weight: w}))
	}
	return newTable(all, maxWeight).Set(1)
}

func member(t testing.TB, r Row) *Destination {
	t.Helper()
	a, err := destination.ParseAddress(r.URI)
	if err != nil {
		t.Fatal(err)
	}
	return &Destination{Address: a, Row: r, Living: &Living{Health: destination.New(r.State, "table", noon)}}
}

// indices writes a list as the members' indices.
func indices(list []*Destination) string {
	var b strings.Builder
	for _, d := range list {
		fmt.Fprint(&b, d.index)
	}
	return b.String()
}

// chosen makes n choices and writes the first member of each.
func chosen(s *Set, n int, c choice) string {
	var b strings.Builder
	for range n {
		if list := s.choose(nil, &c); len(list) > 0 {
			fmt.Fprint(&b, list[0].index)
		} else {
			b.WriteByte('-')
		}
	}
	return b.String()
}

func TestRoundRobin(t *testing.T) {
	turn := choice{how: RoundRobin, now: noon}
	for _, c := range []struct {
		weights []int
		out     []int // taken out
		want    string
	}{
		{[]int{1, 1, 1}, nil, "0120120"},
		{[]int{1, 3, 6}, nil, "01112222220111222222"},
		{[]int{1, 3, 6}, []int{1}, "02222220222222"},
		{[]int{0, 2, 0}, nil, "1111"},
		{[]int{0, 0}, nil, "0101"},
		{[]int{0, 2, 0}, []int{1}, "0202"},
		{[]int{1}, nil, "000"},
		{[]int{1, 1}, []int{0, 1}, "--"},
	} {
		s := members(t, c.weights...)
		for _, i := range c.out {
			s.Members[i].Health.Set(destination.Inactive, "", noon, nil)
		}
		if got := chosen(s, len(c.want), turn); got != c.want {
			t.Errorf("%v without %v: %s, want %s", c.weights, c.out, got, c.want)
		}
	}
}

func TestFirstAndUnknownAlgorithm(t *testing.T) {
	s := members(t, 1, 1, 1)
	for _, how := range []Algorithm{First, 77} {
		if got := chosen(s, 3, choice{how: how, now: noon}); got != "000" {
			t.Errorf("algorithm %d chooses %s", how, got)
		}
	}
	s.Members[0].Health.Set(destination.Probing, "", noon, nil)
	if got := chosen(s, 2, choice{how: First, now: noon}); got != "11" {
		t.Errorf("without the first: %s", got)
	}
}

// TestFailoverOrder: the chosen one, then those behind it round the end.
func TestFailoverOrder(t *testing.T) {
	s := members(t, 1, 1, 1, 1)
	turn := &choice{how: RoundRobin, all: true, now: noon}
	for _, want := range []string{"0123", "1230", "2301", "3012"} {
		if got := indices(s.choose(nil, turn)); got != want {
			t.Errorf("list %s, want %s", got, want)
		}
	}
	s.Members[1].Health.Set(destination.Inactive, "", noon, nil)
	s.Members[2].Health.SetDown("refused")
	if got := indices(s.choose(nil, turn)); got != "032" {
		t.Errorf("with one out and one unreachable: %s", got)
	}
	s.Members[0].Health.SetDown("refused")
	s.Members[3].Health.SetDown("refused")
	if got := indices(s.choose(nil, turn)); len(got) != 3 {
		t.Errorf("when none can be reached: %s", got)
	}
	if got := indices(s.choose(s.Members[:1:1], turn)); len(got) != 4 || got[0] != '0' {
		t.Errorf("behind another list: %s", got)
	}
}

// TestLastResort: with "d" the last of the set gets calls only when there is no other.
func TestLastResort(t *testing.T) {
	s := members(t, 1, 1, 1)
	turn := choice{how: RoundRobin, last: true, now: noon}
	if got := chosen(s, 4, turn); got != "0101" {
		t.Errorf("chosen %s", got)
	}
	turn.all = true
	if got := indices(s.choose(nil, &turn)); got != "012" {
		t.Errorf("list %s", got)
	}
	s.Members[0].Health.Set(destination.Inactive, "", noon, nil)
	s.Members[1].Health.Set(destination.Inactive, "", noon, nil)
	if got := indices(s.choose(nil, &turn)); got != "2" {
		t.Errorf("alone %s", got)
	}
	s.Members[2].Health.Set(destination.Inactive, "", noon, nil)
	if got := indices(s.choose(nil, &turn)); got != "" {
		t.Errorf("all gone: %s", got)
	}
}

func TestScores(t *testing.T) {
	s := members(t, 1, 1, 1, 1)
	c := &choice{how: LeastLoad, all: true, now: noon, scores: []score{{0, 7}, {1, 2}, {3, 2}}}
	if got := indices(s.choose(nil, c)); got != "130" {
		t.Errorf("by load %s", got)
	}
}

// TestShares: hashes and chance give each member its weight's share.
func TestShares(t *testing.T) {
	for _, how := range []Algorithm{HashCallID, Random} {
		for _, weights := range [][]int{{1, 1, 1, 1}, {1, 2, 3, 4}, {10, 0, 30}} {
			s := members(t, weights...)
			const n = 40000
			count := make([]float64, len(weights))
			total := 0
			for i := range n {
				list := s.choose(nil, &choice{how: how, key: hash(fmt.Appendf(nil, "%d@host", i)), now: noon})
				count[list[0].index]++
			}
			for _, w := range weights {
				total += w
			}
			for i, w := range weights {
				want := n * float64(w) / float64(total)
				if math.Abs(count[i]-want) > 5*math.Sqrt(want)+1 {
					t.Errorf("algorithm %d, weights %v: member %d got %.0f, want %.0f", how, weights, i, count[i], want)
				}
			}
		}
	}
}

// TestConsistent: a member that leaves moves its own calls only, by state or by
// row, and they come back.
func TestConsistent(t *testing.T) {
	for _, weights := range [][]int{{1, 1, 1, 1, 1}, {1, 5, 2, 9, 4}} {
		s := members(t, weights...)
		less := newTable(append(append([]*Destination{}, members(t, weights...).Members[:2]...), members(t, weights...).Members[3:]...), maxWeight).Set(1)
		moved := map[string]int{}
		for i := range 5000 {
			c := &choice{how: HashFrom, key: hash(fmt.Appendf(nil, "%d", i)), now: noon}
			before := s.choose(nil, c)[0]
			s.Members[2].Health.Set(destination.Inactive, "", noon, nil)
			out := s.choose(nil, c)[0]
			gone := less.choose(nil, c)[0]
			s.Members[2].Health.Set(destination.Active, "", noon, nil)
			if before.index == 2 {
				moved[out.URI()]++
			} else if out != before {
				t.Fatalf("a call moved from %s to %s", before.URI(), out.URI())
			}
			if gone.URI() != out.URI() {
				t.Fatalf("without the row %s, without the member %s", gone.URI(), out.URI())
			}
		}
		if len(moved) != len(weights)-1 {
			t.Errorf("the calls of one go to %v", moved)
		}
	}
}

// TestSlowStartOfHash: one that comes back gets a part of its calls at first, and
// no other call moves.
func TestSlowStartOfHash(t *testing.T) {
	s := members(t, 1, 1, 1)
	policy := &destination.Policy{SlowStart: 10 * time.Second}
	full, some := 0, 0
	s.Members[1].Health.Set(destination.Inactive, "", noon, policy)
	s.Members[1].Health.Set(destination.Active, "", noon, policy)
	for i := range 3000 {
		key := hash(fmt.Appendf(nil, "%d", i))
		late := s.choose(nil, &choice{how: HashTo, key: key, now: noon.Add(time.Minute), policy: policy})[0]
		early := s.choose(nil, &choice{how: HashTo, key: key, now: noon.Add(time.Second), policy: policy})[0]
		if late.index == 1 {
			full++
			if early.index == 1 {
				some++
			}
		} else if early != late {
			t.Fatal("a call of another moved")
		}
	}
	if share := float64(some) / float64(full); share < 0.12 || share > 0.26 {
		t.Errorf("after a tenth of the slow start it has %.2f of its share", share)
	}
}

func BenchmarkChoose1000(b *testing.B) {
	for _, how := range []struct {
		name string
		how  Algorithm
	}{{"hash", HashCallID}, {"roundrobin", RoundRobin}, {"random", Random}} {
		for _, weights := range []string{"even", "uneven"} {
			b.Run(how.name+"/"+weights, func(b *testing.B) {
				w := make([]int, 1000)
				for i := range w {
					w[i] = 1
					if weights == "uneven" {
						w[i] = 1 + i%7
					}
				}
				s := members(b, w...)
				list := make([]*Destination, 0, 1000)
				var key uint64
				b.ReportAllocs()
				for b.Loop() {
					key++
					list = s.choose(list[:0], &choice{how: how.how, key: mix(key), now: noon})
				}
			})
		}
	}
}

// Who is pinged: those on probation, those that get calls where that is asked for, and nobody whom the operator has taken out.
func TestDue(t *testing.T) {
	for _, c := range []struct {
		state destination.State
		all   int
		probe bool
		sets  []int
		want  bool
	}{
		{destination.Probing, 0, false, nil, true}, {destination.Active, 0, false, nil, false}, {destination.Active, 1, false, nil, true},
		{destination.Active, 0, true, nil, true}, {destination.Inactive, 1, true, nil, false},
		{destination.Probing, 1, true, []int{2, 3}, false}, {destination.Probing, 1, true, []int{1, 3}, true},
	} {
		p := probing{mode: c.all, sets: c.sets}
		if got := p.due(member(t, Row{Set: 1, URI: "sip:10.0.0.1", State: c.state, Probe: c.probe})); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}
