package loadbalancer

import (
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"sipreactor/reactor/modules/internal/destination"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func one(t testing.TB, id, group int, uri, resources string) *Destination {
	t.Helper()
	a, err := destination.ParseAddress(uri)
	if err != nil {
		t.Fatal(err)
	}
	l := newLiving(destination.New(destination.Active, "table", noon))
	r, err := parseResources(resources, l, -1)
	if err != nil {
		t.Fatal(err)
	}
	return &Destination{Address: a, Row: Row{ID: id, Group: group, URI: uri}, Resources: r, Living: l}
}

// three are destinations of group 1 and one of group 2.
func three(t testing.TB) *Table {
	return newTable([]*Destination{
		one(t, 1, 1, "sip:127.0.0.1:5100", "pstn=3;transc=5;vm=5"),
		one(t, 2, 1, "sip:127.0.0.1:5200", "pstn=6;vm=5"),
		one(t, 3, 1, "sip:127.0.0.1:5300", " pstn = 4 ; vm=2; "),
		one(t, 4, 2, "sip:127.0.0.1:5400", "pstn=100"),
	})
}

func TestPick(t *testing.T) {
	for _, c := range []struct {
		name  string
		calls string // what is asked for, separated by spaces, flags behind a slash
		want  string // ids or codes
	}{
		{"most room first", "pstn pstn pstn pstn pstn pstn", "2 2 2 3 1 2"},
		{"down to nothing", strings.Repeat("pstn ", 14), "2 2 2 3 1 2 3 1 2 3 1 2 3 -2"},
		{"the scarcest resource counts", "vm;pstn", "2"},
		{"only who has all", "transc transc", "1 1"},
		{"two of three have it", "transc;pstn transc;pstn transc;pstn transc;pstn", "1 1 1 -2"},
		{"in parts of the capacity", "pstn/r pstn/r pstn/r pstn/r pstn/r pstn/r", "1 2 3 2 3 1"},
		{"beyond the capacity", strings.Repeat("transc/n ", 7), "1 1 1 1 1 1 1"},
		{"no such resource", "fax fax;pstn", "-4 -4"},
		{"nothing asked for", ";", "-4"},
	} {
		table := three(t)
		var got []string
		for _, call := range strings.Fields(c.calls) {
			needs, flags, _ := strings.Cut(call, "/")
			r := &request{group: 1, resources: parseNeeds(needs)}
			if _, ok := r.parseFlags(flags); !ok {
				t.Fatal(flags)
			}
			d, code := table.pick(r, nil, noon, nil)
			if d != nil {
				code = d.Row.ID
			}
			got = append(got, fmt.Sprint(code))
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%s: %s, want %s", c.name, s, c.want)
		}
	}
}

func TestPickStates(t *testing.T) {
	table := three(t)
	r := &request{group: 1, resources: []string{"pstn"}}
	pick := func(tried ...int) int {
		d, code := table.pick(r, tried, noon, nil)
		if d == nil {
			return code
		}
		d.release(r.resources)
		return d.Row.ID
	}
	if got := pick(2); got != 3 {
		t.Errorf("after 2: %d", got)
	}
	if got := pick(1, 2, 3); got != noneLeft {
		t.Errorf("after all: %d", got)
	}
	table.Destination(2).Health.SetDown("refused")
	if got := pick(); got != 3 {
		t.Errorf("with one unreachable: %d", got)
	}
	if got := pick(1, 3); got != 2 {
		t.Errorf("the unreachable one is no last resort: %d", got)
	}
	for _, d := range table.All {
		d.Health.Set(destination.Inactive, "", noon, nil)
	}
	if got := pick(); got != noneLeft {
		t.Errorf("with all disabled: %d", got)
	}
	if r.group = 9; pick() != noneLeft {
		t.Error("a group that is not there has destinations")
	}
	if c, ok := r.parseFlags("nx"); ok || c != 'x' {
		t.Error("x is a flag")
	}
}

// TestNoOverbooking: calls that come together take no more than there is.
func TestNoOverbooking(t *testing.T) {
	table := three(t)
	var wg sync.WaitGroup
	taken := make([]int, 8)
	for i := range taken {
		wg.Go(func() {
			for range 200 {
				if d, _ := table.pick(&request{group: 1, resources: []string{"pstn"}}, nil, noon, nil); d != nil {
					taken[i]++
				}
			}
		})
	}
	wg.Wait()
	sum := 0
	for _, n := range taken {
		sum += n
	}
	if sum != 13 {
		t.Errorf("%d calls on 13 channels", sum)
	}
}

func TestSpread(t *testing.T) {
	var all []*Destination
	for i := range 4 {
		all = append(all, one(t, i, 1, fmt.Sprintf("sip:10.0.0.%d", i+1), "c=1000"))
	}
	table := newTable(all)
	seen := map[int]int{}
	for range 400 {
		r := &request{group: 1, resources: []string{"c"}, spread: true}
		d, _ := table.pick(r, nil, noon, nil)
		d.release(r.resources)
		seen[d.Row.ID]++
	}
	for i := range 4 {
		if seen[i] < 50 {
			t.Errorf("of 400 calls %d got %d", i, seen[i])
		}
	}
}

func TestAt(t *testing.T) {
	table := three(t)
	ip := netip.MustParseAddr("127.0.0.1")
	if d := table.At(ip, 5200, anyGroup, false); d == nil || d.Row.ID != 2 {
		t.Error("5200 is not found")
	}
	if table.At(ip, 5400, 1, false) != nil || table.At(ip, 5400, 2, true) == nil || table.At(ip, 0, anyGroup, true) == nil {
		t.Error("groups or any port")
	}
	table.Destination(4).Health.Set(destination.Inactive, "", noon, nil)
	if table.At(ip, 5400, 2, true) != nil || table.At(ip, 5400, 2, false) == nil {
		t.Error("active")
	}
}

func TestParseResources(t *testing.T) {
	for _, bad := range []string{"", ";", "a", "a=", "a=x", "=3", "a=-1", "a=1;a=2", "c=fs://:pw@host"} {
		if r, err := parseResources(bad, newLiving(nil), -1); err == nil {
			t.Errorf("%q is %v", bad, r)
		}
	}
	l := newLiving(nil)
	before, _ := parseResources("a=1", l, -1)
	before[0].Load.Add(7)
	after, _ := parseResources("b=2;a=5", l, -1)
	if after[1].Load.Load() != 7 || after[1].Capacity.Load() != 5 {
		t.Error("a load does not outlive a reload")
	}
}
