package drouting

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/modules/internal/destination"
)

// noon is a Sunday.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

type tables struct {
	gateways []string // id address [type]
	carriers []string // id list [sort] [flags]
	rules    []string // id|groups|prefix|times|priority|members|sort, bars of times are ~
}

func (s tables) build(t testing.TB) *Table {
	t.Helper()
	b, err := newBuilder("", noon)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range s.gateways {
		g := &Gateway{Health: destination.New(destination.Active, "", noon)}
		f := strings.Fields(line)
		g.Row.ID = f[0]
		if len(f) > 2 {
			fmt.Sscan(f[2], &g.Row.Type)
		}
		if g.Address, err = destination.ParseAddress(f[1]); err == nil {
			err = b.addGateway(g)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, line := range s.carriers {
		c := &Carrier{enabled: new(atomic.Bool)}
		c.enabled.Store(true)
		f := append(strings.Fields(line), "", "")
		c.Row.ID, c.Row.Gateways = f[0], f[1]
		if c.Row.Sort, err = parseSort(f[2]); err != nil {
			t.Fatal(err)
		}
		fmt.Sscan(f[3], &c.Row.Flags)
		if _, err := b.addCarrier(c); err != nil {
			t.Fatal(err)
		}
	}
	for _, line := range s.rules {
		f := append(strings.Split(line, "|"), "")
		r := &RuleRow{Groups: f[1], Prefix: f[2], Times: strings.ReplaceAll(f[3], "~", "|"), Members: f[5]}
		fmt.Sscan(f[0], &r.ID)
		fmt.Sscan(f[4], &r.Priority)
		if r.Sort, err = parseSort(f[6]); err != nil {
			t.Fatal(err)
		}
		if _, err := b.addRule(r); err != nil {
			t.Fatal(err)
		}
	}
	return b.table()
}

// trunk is an edge with two carriers.
var trunk = tables{
	gateways: []string{"a1 sip:10.0.0.1", "a2 sip:10.0.0.2", "a3 sip:10.0.0.3", "b1 sip:10.0.1.1:5080 2", "b2 sip:10.0.1.2;transport=tls 2", "pbx sip:10.0.2.1"},
	carriers: []string{"A a1,a2,a3", "B b1,b2 N 1"},
	rules: []string{
		"1|0|||0|#A,#B",
		"2|0,7|49||0|#B,#A,pbx",
		"3|0|4930||5|pbx",
		"4|0|4930|UTC~20200101T080000~~8H~WEEKLY~~~MO,TU,WE,TH,FR|9|#A",
		"5|0|112||0|",
	},
}

func ways(list []hop) string {
	var b strings.Builder
	for i, h := range list {
		if i > 0 {
			b.WriteByte(' ')
		}
		if h.carrier != nil {
			b.WriteString(h.carrier.Row.ID + ":")
		}
		b.WriteString(h.gateway.Row.ID)
		if h.rule != nil {
			fmt.Fprintf(&b, "/%d", h.rule.id)
		}
	}
	return b.String()
}

func TestRoute(t *testing.T) {
	workday := noon.Add(24 * time.Hour)
	for _, c := range []struct {
		name  string
		q     query
		out   string // gateways, and carriers with a #, that are out
		down  string // gateways that cannot be reached
		want  string
		first int64
	}{
		{"the default rule", query{number: []byte("331")}, "", "", "A:a1/1 A:a2/1 A:a3/1 B:b1/1", 1},
		{"a longer prefix", query{number: []byte("49891")}, "", "", "B:b1/2 A:a1/2 A:a2/2 A:a3/2 pbx/2", 2},
		{"the priority", query{number: []byte("49301"), now: workday}, "", "", "A:a1/4 A:a2/4 A:a3/4", 4},
		{"the time", query{number: []byte("49301")}, "", "", "pbx/3", 3},
		{"fallback", query{number: []byte("49301"), fallback: true}, "", "", "pbx/3 B:b1/2 A:a1/2 A:a2/2 A:a3/2 pbx/2 A:a1/1 A:a2/1 A:a3/1 B:b1/1", 3},
		{"no fallback to a rule without ways", query{number: []byte("112")}, "", "", "", 5},
		{"fallback from a rule without ways", query{number: []byte("112"), fallback: true}, "", "", "A:a1/1 A:a2/1 A:a3/1 B:b1/1", 5},
		{"another group", query{group: 7, number: []byte("331")}, "", "", "", 0},
		{"another group with the prefix", query{group: 7, number: []byte("49301")}, "", "", "B:b1/2 A:a1/2 A:a2/2 A:a3/2 pbx/2", 2},
		{"the whole number", query{number: []byte("49301"), strict: true}, "", "", "", 0},
		{"a gateway is out", query{number: []byte("331")}, "a1 b1", "", "A:a2/1 A:a3/1 B:b2/1", 1},
		{"a carrier is out", query{number: []byte("331")}, "#A", "", "B:b1/1", 1},
		{"one cannot be reached", query{number: []byte("331")}, "", "a1 b1", "A:a2/1 A:a3/1 B:b2/1 A:a1/1", 1},
		{"none can be reached", query{number: []byte("49301")}, "", "pbx", "pbx/3", 3},
		{"white list", query{number: []byte("331"), allowed: []string{"a3", "b2"}}, "", "", "A:a3/1 B:b2/1", 1},
		{"white list of carriers", query{number: []byte("49891"), allowed: []string{"#A"}}, "", "", "A:a1/2 A:a2/2 A:a3/2", 2},
	} {
		table := trunk.build(t)
		for id := range strings.FieldsSeq(c.out) {
			if name, ok := strings.CutPrefix(id, "#"); ok {
				table.Carrier(name).enabled.Store(false)
			} else {
				table.Gateway(id).Health.Set(destination.Inactive, "", noon, nil)
			}
		}
		for id := range strings.FieldsSeq(c.down) {
			table.Gateway(id).Health.SetDown("refused")
		}
		if c.q.now.IsZero() {
			c.q.now = noon
		}
		list, first := table.route(nil, &c.q)
		id := int64(0)
		if first != nil {
			id = first.id
		}
		if got := ways(list); got != c.want || id != c.first {
			t.Errorf("%s: rule %d, %s; want %d, %s", c.name, id, got, c.first, c.want)
		}
	}
}

// TestCarrierState: what an operator is told of a carrier is how many of its gateways get calls.
func TestCarrierState(t *testing.T) {
	table := trunk.build(t)
	b := table.Carrier("B")
	told := func(want string) {
		t.Helper()
		if state, why := b.describe(noon); state+", "+why != want {
			t.Errorf("%s, %s; want %s", state, why, want)
		}
	}
	told("Active, 2 of 2 gateways get calls: b1,b2")
	table.Gateway("b1").Health.Set(destination.Probing, "test", noon, nil)
	told("Active, 1 of 2 gateways get calls: b1,b2")
	table.Gateway("b2").Health.SetDown("refused")
	told("Unreachable, 0 of 2 gateways get calls: b1,b2")
	b.enabled.Store(false)
	told("Inactive, 0 of 2 gateways get calls: b1,b2")
}

func TestWeights(t *testing.T) {
	table := tables{
		gateways: []string{"a sip:10.0.0.1", "b sip:10.0.0.2", "c sip:10.0.0.3"},
		rules:    []string{"1|0|||0|a=10,b=30,c=60|W", "2|0|1||0|a=0,b=5,c|W", "3|0|2||0|a,b,c|W"},
	}.build(t)
	count := func(number string) map[string]int {
		seen := map[string]int{}
		for range 6000 {
			list, _ := table.route(nil, &query{number: []byte(number), now: noon})
			if len(list) != 3 {
				t.Fatalf("%s", ways(list))
			}
			seen[list[0].gateway.Row.ID]++
		}
		return seen
	}
	for number, want := range map[string]map[string]float64{"": {"a": 600, "b": 1800, "c": 3600}, "1": {"b": 6000}, "2": {"a": 2000, "b": 2000, "c": 2000}} {
		got := count(number)
		for id, n := range want {
			if math.Abs(float64(got[id])-n) > 6*math.Sqrt(n)+1 {
				t.Errorf("rule of %q: %v, want %v", number, got, want)
			}
		}
	}
}

func TestAt(t *testing.T) {
	table := trunk.build(t)
	for _, c := range []struct {
		ip    string
		port  uint16
		proto reactor.Proto
		kind  int
		want  string
	}{
		{"10.0.0.1", 5060, 0, anyType, "a1"}, {"10.0.0.1", 5070, 0, anyType, ""}, {"10.0.0.1", 0, reactor.TCP, anyType, "a1"},
		{"10.0.1.1", 5080, 0, 2, "b1"}, {"10.0.1.1", 5080, 0, 0, ""}, {"10.0.1.2", 5061, reactor.TLS, 2, "b2"}, {"10.0.1.2", 5061, reactor.UDP, 2, ""},
		{"10.9.9.9", 0, 0, anyType, ""},
	} {
		got := ""
		if g := table.at(netip.MustParseAddr(c.ip), c.port, c.proto, c.kind); g != nil {
			got = g.Row.ID
		}
		if got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
	if c := table.Gateway("a2").carrier; c == nil || c.Row.ID != "A" || table.Gateway("pbx").carrier != nil {
		t.Error("the carrier of a gateway")
	}
}

func TestWrongRows(t *testing.T) {
	b, _ := newBuilder("", noon)
	g := &Gateway{Row: GatewayRow{ID: "a"}, Health: destination.New(destination.Active, "", noon)}
	if b.addGateway(g) != nil || b.addGateway(g) == nil {
		t.Error("a gateway may be there twice")
	}
	for want, r := range map[string]struct {
		column int
		row    RuleRow
	}{
		`"4x" has a`:          {rulePrefix, RuleRow{Groups: "0", Prefix: "4x", Members: "a"}},
		`is empty`:            {ruleGroups, RuleRow{Groups: " ", Members: "a"}},
		`"x" is no list`:      {ruleGroups, RuleRow{Groups: "x", Members: "a"}},
		`"always" is neither`: {ruleTimes, RuleRow{Groups: "0", Times: "always", Members: "a"}},
		`none of its gateways and carriers is there: b, #c`: {ruleMembers, RuleRow{Groups: "0", Members: "b,#c"}},
		`"a=x": the weight`: {ruleMembers, RuleRow{Groups: "0", Members: "a=x"}},
		`is out of range`:   {rulePriority, RuleRow{Groups: "0", Members: "a", Priority: 1 << 40}},
	} {
		_, err := b.addRule(&r.row)
		if f, ok := errors.AsType[*ruleFault](err); !ok || f.column != r.column || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %s", r, err, want)
		}
	}
	if missing, err := b.addRule(&RuleRow{Groups: "0", Members: "a, b=3"}); err != nil || fmt.Sprint(missing) != "[b]" {
		t.Errorf("missing %v, %v", missing, err)
	}
	if _, err := parseSort("Q"); err == nil {
		t.Error("Q is an order")
	}
}

// TestMillionRules: a million rules cost at most 150 MB.
func TestMillionRules(t *testing.T) {
	if testing.Short() {
		t.Skip("a million rules take a while")
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	b, err := newBuilder("", noon)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 200 {
		g := &Gateway{Row: GatewayRow{ID: fmt.Sprintf("gw%d", i)}, Health: destination.New(destination.Active, "", noon)}
		if err := b.addGateway(g); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 1_000_000 {
		attrs := fmt.Sprintf("cost=%d", i%1000)
		n := uint64(i) * 2654435761 % 10_000_000_000
		r := &RuleRow{ID: int64(i), Groups: "0", Prefix: fmt.Sprintf("%010d", n)[:6+i%5], Members: fmt.Sprintf("gw%d,gw%d", i%200, i*7%200), Attrs: &attrs}
		if _, err := b.addRule(r); err != nil {
			t.Fatal(err)
		}
	}
	table := b.table()
	b = nil
	runtime.GC()
	runtime.ReadMemStats(&after)
	if mb := (after.HeapAlloc - before.HeapAlloc) >> 20; mb > 150 {
		t.Errorf("a million rules take %d MB", mb)
	} else {
		t.Logf("a million rules take %d MB", mb)
	}
	if list, r := table.route(nil, &query{number: []byte("0000000000"), now: noon}); r == nil || len(list) != 2 {
		t.Errorf("%s", ways(list))
	}
}

func BenchmarkRoute(b *testing.B) {
	table := trunk.build(b)
	list := make([]hop, 0, maxHops)
	b.ReportAllocs()
	for b.Loop() {
		list, _ = table.route(list[:0], &query{number: []byte("49891"), now: noon})
	}
}
