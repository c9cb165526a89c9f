package report

import (
	"math"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// example is a report with what can be in one: several runs, a crash, a loss, a note, a system that is missing.
func example() *Report {
	r := &Report{
		Began: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Ended: time.Date(2026, 1, 2, 3, 14, 5, 0, time.UTC),
		Command: "go -C bench run . --only reach", Notes: []string{"what holds for all"},
		Systems: []System{
			{Name: "sipreactor", Role: "ours", Version: "abc"},
			{Name: "kamailio", Role: "sip", Version: "5.6.3"},
			{Name: "opensips", Role: "sip", Missing: "not here: no opensips"},
			{Name: "haproxy", Role: "relay", Version: "2.6"},
		},
		Measures: []Measure{
			{Name: "options-50-w1", Group: "options", About: "OPTIONS <on> 50", Unit: "request", Main: CPU},
			{Name: "calls-closed", Group: "calls", About: "calls", Unit: "call", Main: CPU},
			{Name: "full-ecdsa-tls13", Group: "handshakes", About: "handshakes", Unit: "handshake", Main: CPU},
			{Name: "probe-quiet", Group: "faults", About: "probe", Unit: "request", Main: P99},
			{Name: "probe-silent", Group: "faults", About: "probe", Unit: "request", Main: P99},
			{Name: "idle-10000", Group: "idle", About: "idle", Unit: "connection", Main: Pss},
		},
	}
	put := func(measure, system string, values ...float64) *Result {
		var res *Result
		for _, v := range values {
			main := ""
			for _, m := range r.Measures {
				if m.Name == measure {
					main = m.Main
				}
			}
			res = r.Add(measure, system, Run{Values: map[string]float64{main: v, Rate: 1000 / v}, Counts: map[string]int64{Done: 10}})
		}
		res.Command = "go -C bench run . --only " + measure + " --peer " + system
		return res
	}
	put("options-50-w1", "sipreactor", 12, 10, 11)
	k := put("options-50-w1", "kamailio", 30, 20, 25)
	k.Workers = 2
	r.Pilots = []Pilot{{Load: "options-50-w1", System: "kamailio", Metric: CPU, Chosen: 2, Tried: []Try{
		{Workers: 1, Values: []float64{33, 32}}, {Workers: 2, Values: []float64{30}, Trouble: "1 of 2 runs: no"}, {Workers: 4},
	}}}
	r.Counted = "perf stat"
	r.Unfinished = "interrupted: 3 of 9 runs are done"
	put("calls-closed", "sipreactor", 50).Runs[0].Values[Allocs] = 0
	put("calls-closed", "haproxy", 40).Runs[0].Counts[Lost] = 3
	r.Add("calls-closed", "kamailio", Run{Fault: "ended by itself (exit status 1): child exited by a signal 11", Values: map[string]float64{CPU: 1}})
	put("full-ecdsa-tls13", "kamailio", 700).Runs[0].Note = "with 4 at once it ended by itself"
	put("probe-quiet", "sipreactor", 1).Runs[0].Values[Others] = 0.5
	put("probe-silent", "sipreactor", 3)
	return r
}

func TestJSONRoundTrip(t *testing.T) {
	want := example()
	file := filepath.Join(t.TempDir(), "report.json")
	if err := want.Save(file); err != nil {
		t.Fatal(err)
	}
	got, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	if _, err := Load(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a file that is not there")
	}
}

func TestStat(t *testing.T) {
	r := example()
	s, ok := r.Find("options-50-w1", "sipreactor").Stat(CPU)
	if !ok || s != (Stat{11, 10, 12, 3}) {
		t.Errorf("%+v", s)
	}
	if got := s.Show(MetricOf(CPU)); got != "11.0 µs ±9%" {
		t.Error(got)
	}
	if _, ok := r.Find("calls-closed", "kamailio").Stat(CPU); ok {
		t.Error("a run that crashed has no figure")
	}
	even := Result{Runs: []Run{{Values: map[string]float64{CPU: 1}}, {Values: map[string]float64{CPU: 4}}, {Values: map[string]float64{CPU: math.NaN()}}}}
	if s, _ := even.Stat(CPU); s.Median != 2.5 || s.Runs != 2 {
		t.Errorf("%+v", s)
	}
	if (Stat{}).Spread() != 0 {
		t.Error("the spread of nothing")
	}
}

func TestTrouble(t *testing.T) {
	r := example()
	for want, res := range map[string]*Result{
		"":       r.Find("options-50-w1", "sipreactor"),
		"3 lost": r.Find("calls-closed", "haproxy"),
		"1 of 1 runs: ended by itself (exit status 1): child exited by a signal 11": r.Find("calls-closed", "kamailio"),
		"5 failed (refused)": {Runs: []Run{{Counts: map[string]int64{Failed: 5}, Reasons: map[string]int64{"refused": 4, "late": 1}}}},
	} {
		if got := res.Trouble(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestReach(t *testing.T) {
	seen := map[string]Reached{}
	for _, f := range example().Reach() {
		seen[f.Figure+" "+f.Goal] = f
	}
	for figure, verdict := range map[string]string{
		"CPU a request, 50 connections, closed loop ≤ 0.5 × the best SIP peer": Met,    // 11 of 25
		"CPU a proxied call, closed loop ≤ 1 × haproxy":                        NotMet, // 50 of 40
		"CPU a proxied call, closed loop ≤ 0.35 × the best SIP peer":           NoData, // it crashed
		"full handshake, ECDSA, TLS 1.3 ≤ 0.8 × haproxy":                       NoData,
		"p99 of the probe: 200 silent clients ≤ 5.00 ms":                       Met,
		"p99 of the probe: 200 silent clients ≤ 2 × probe-quiet":               NotMet,
		"Pss an idle connection, 10,000 ≤ 7.00 kB":                             NoData,
		"allocations a forwarded message ≤ 0.050":                              Met,
	} {
		if got, ok := seen[figure]; !ok || got.Verdict != verdict {
			t.Errorf("%s: %+v, want %s", figure, got, verdict)
		}
	}
	if f := seen["CPU a request, 50 connections, closed loop ≤ 0.5 × the best SIP peer"]; f.Seen != "0.44 × (11.0 µs to 25.0 µs of kamailio×2)" {
		t.Error(f.Seen)
	}
	for figure := range seen {
		if strings.Contains(figure, "storm") {
			t.Error("a load that was not planned")
		}
	}
}

// TestGoalsNameWhatThereIs keeps the goals' metrics spelled as they are measured.
func TestGoalsNameWhatThereIs(t *testing.T) {
	for _, g := range goals {
		if MetricOf(g.metric).Title == g.metric || g.limit <= 0 {
			t.Errorf("%+v", g)
		}
	}
}

func TestText(t *testing.T) {
	var b strings.Builder
	if err := example().WriteText(&b); err != nil {
		t.Fatal(err)
	}
	wantAll(t, b.String(), "kamailio×2", "25.0 µs ±20%", "go -C bench run . --only calls-closed --peer haproxy", "haproxy: 3 lost",
		"signal 11", "with 4 at once", "took 0.50 cores", "not here: no opensips", "To reach", "not met", "what holds for all", "3.00 ms")
}

func TestMarkdown(t *testing.T) {
	var b strings.Builder
	if err := example().WriteMarkdown(&b); err != nil {
		t.Fatal(err)
	}
	wantAll(t, b.String(), "| a request, 50 connections, closed loop | 11.0 µs | 25.0 µs | – | `options-50-w1` |",
		"40.0 µs ¹", "¹ haproxy, calls-closed: 3 lost")
	var reach strings.Builder
	if err := example().WriteReach(&reach); err != nil {
		t.Fatal(err)
	}
	wantAll(t, reach.String(), "| met |", "| not met |", "≤ 0.5 × the best SIP peer")
	if strings.Contains(b.String(), "opensips") {
		t.Error("a column for what is missing")
	}
}

func wantAll(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("no %q in:\n%s", p, text)
		}
	}
}

// TestPilotsAreShown has the numbers of workers that were tried, and that the comparison is not whole, in both forms.
func TestPilotsAreShown(t *testing.T) {
	var text, page strings.Builder
	r := example()
	if err := r.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	if err := r.WriteHTML(&page); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"options-50-w1, kamailio: ×1 33.0 µs 32.0 µs, ×2 30.0 µs (1 of 2 runs: no), ×4 ; chosen ×2", "interrupted: 3 of 9 runs are done",
		"System calls, counted behind the window: perf stat.",
	} {
		if !strings.Contains(text.String(), want) || !strings.Contains(page.String(), want) {
			t.Errorf("no %q in\n%s\n%s", want, &text, &page)
		}
	}
}
