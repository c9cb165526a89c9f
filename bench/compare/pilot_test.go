package compare

import (
	"reflect"
	"slices"
	"testing"

	"sipreactor/bench/report"
	"sipreactor/bench/system"
)

func TestBestOf(t *testing.T) {
	v := func(x float64) report.Run { return report.Run{Values: map[string]float64{report.CPU: x}} }
	crashed := report.Run{Values: map[string]float64{report.CPU: 1}, Fault: "crashed"}
	runs := func(r ...report.Run) report.Result { return report.Result{Runs: r} }
	for i, c := range []struct {
		want  int
		tried []report.Result
	}{
		{0, []report.Result{runs(v(1), v(5)), runs(v(4), v(4)), runs(crashed)}},
		{1, []report.Result{runs(v(3), v(3)), runs(v(2), v(3)), runs(v(2), v(4))}},
		{2, []report.Result{runs(crashed), runs(v(1), crashed), runs(v(9), v(9))}},
		{1, []report.Result{runs(crashed, crashed), runs(crashed, v(7))}},
		{1, []report.Result{runs(report.Run{}), runs(v(7))}},
		{0, []report.Result{runs(crashed), runs(crashed)}},
	} {
		if got := bestOf(c.tried, report.CPU); got != c.want {
			t.Errorf("%d: %d, want %d", i, got, c.want)
		}
	}
}

// TestDecide goes on with the best number of workers and keeps all that was seen.
func TestDecide(t *testing.T) {
	kamailio, err := system.Find("kamailio")
	if err != nil {
		t.Fatal(err)
	}
	c := &comparison{report: &report.Report{}, best: map[choice]int{}}
	pilot := Measure{Measure: report.Measure{Name: "calls-r200", Main: report.CPU}}
	v := func(x float64) report.Run { return report.Run{Values: map[string]float64{report.CPU: x}} }
	c.decide(pilot, system.Prepared{System: kamailio}, [][]report.Run{{v(9), v(8)}, {v(5), v(6)}, {v(1), {Fault: "crashed"}}})
	want := []report.Pilot{{Load: "calls-r200", System: "kamailio", Metric: report.CPU, Chosen: 2, Tried: []report.Try{
		{Workers: 1, Values: []float64{9, 8}}, {Workers: 2, Values: []float64{5, 6}},
		{Workers: 4, Values: []float64{1}, Trouble: "1 of 2 runs: crashed"},
	}}}
	if !reflect.DeepEqual(c.report.Pilots, want) {
		t.Errorf("%+v", c.report.Pilots)
	}
	for _, name := range []string{"calls-r500", "calls-r200", "sipp-long"} {
		m, err := Select([]string{name})
		if err != nil {
			t.Fatal(err)
		}
		if n := c.workers(m[0], kamailio); n != 2 {
			t.Errorf("%s: %d workers", name, n)
		}
	}
	c.cfg.Workers = 4
	if n := c.workers(Measure{}, kamailio); n != 4 {
		t.Error(n)
	}
	if n := c.workers(Measure{}, system.All()[0]); n != 0 {
		t.Error("our own choice:", n)
	}
}

// TestPilotsExist has each load name a pilot that runs what is to be chosen for.
func TestPilotsExist(t *testing.T) {
	all := Measures()
	for _, m := range all {
		for _, s := range system.All() {
			if !m.on(s) || len(s.Workers) < 2 {
				continue
			}
			i := slices.IndexFunc(all, func(p Measure) bool { return p.Name == m.Pilot })
			if i < 0 || !all[i].on(s) || all[i].Pilot != m.Pilot {
				t.Errorf("%s: pilot %q for %s", m.Name, m.Pilot, s.Name)
			}
		}
	}
}
