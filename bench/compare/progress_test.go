package compare

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sipreactor/bench/report"
	"sipreactor/bench/system"
)

// planned is a comparison with all systems at hand, of which none is started.
func planned(t *testing.T, cfg Config) (*comparison, string) {
	t.Helper()
	var progress strings.Builder
	cfg.Progress = &progress
	if cfg.Measures == nil {
		cfg.Measures = Measures()
	}
	c := &comparison{cfg: cfg, report: &report.Report{}, best: map[choice]int{}}
	for _, s := range system.All() {
		c.prepared = append(c.prepared, system.Prepared{System: s})
	}
	if err := c.plan(); err != nil {
		t.Fatal(err)
	}
	return c, progress.String()
}

// TestWholeComparisonIsBearable holds the estimate for everything, with every peer, to what somebody waits for.
func TestWholeComparisonIsBearable(t *testing.T) {
	c, said := planned(t, Config{Runs: 3, Window: 3 * time.Second})
	t.Log(said)
	if c.left > 100*time.Minute || c.left < 30*time.Minute {
		t.Error(c.left)
	}
	chosen, _ := planned(t, Config{Runs: 3, Window: 3 * time.Second, Chosen: true})
	if chosen.steps <= c.steps || chosen.left <= c.left {
		t.Errorf("with all that can be chosen %d runs, %v; without %d, %v", chosen.steps, chosen.left, c.steps, c.left)
	}
	quick, _ := planned(t, Config{Runs: 1, Window: time.Second, Quick: true})
	one, _ := planned(t, Config{Runs: 1, Window: time.Second, Workers: 2})
	tried, _ := planned(t, Config{Runs: 1, Window: time.Second})
	if quick.steps != one.steps || quick.steps >= tried.steps {
		t.Errorf("runs without pilots %d and %d, with %d", quick.steps, one.steps, tried.steps)
	}
}

// TestLeftOut tells why a system does not run under a load.
func TestLeftOut(t *testing.T) {
	measures, err := Select([]string{"options-1-w1", "options-1-w8", "idle-1000"})
	if err != nil {
		t.Fatal(err)
	}
	c, _ := planned(t, Config{Runs: 1, Window: time.Second, Measures: measures})
	notes := strings.Join(c.report.Notes, "\n")
	for _, want := range []string{
		"haproxy does not run under options-1-w1, options-1-w8: it answers no request.",
		"sipgo does not run under options-1-w1, options-1-w8, idle-1000: that is left out unless",
	} {
		if !strings.Contains(notes, want) {
			t.Errorf("no %q in %s", want, notes)
		}
	}
}

// TestNothingToMeasure is an error that tells why, before anything is written.
func TestNothingToMeasure(t *testing.T) {
	measures, err := Select([]string{"options-1-w1"})
	if err != nil {
		t.Fatal(err)
	}
	haproxy, err := system.Find("haproxy")
	if err != nil {
		t.Fatal(err)
	}
	c := &comparison{
		cfg:    Config{Measures: measures, Chosen: true, Progress: &strings.Builder{}},
		report: &report.Report{Systems: []report.System{{Name: "opensips", Missing: "not here"}}}, prepared: []system.Prepared{{System: haproxy}},
	}
	err = c.plan()
	if err == nil || !strings.Contains(err.Error(), "haproxy does not run under options-1-w1: it answers no request") ||
		!strings.Contains(err.Error(), "opensips: not here") {
		t.Error(err)
	}
}

func TestRemaining(t *testing.T) {
	c := &comparison{left: time.Hour}
	if got := c.remaining(); got != time.Hour {
		t.Error(got)
	}
	c.was, c.spent = time.Second, 3*time.Second // one run says little
	if got := c.remaining(); got > 65*time.Minute {
		t.Error(got)
	}
	c.was, c.spent = time.Hour, 2*time.Hour // many say much
	if got := c.remaining(); got < 110*time.Minute {
		t.Error(got)
	}
}

// TestInterrupted keeps what was measured until then, says that it is not all, and goes no further.
func TestInterrupted(t *testing.T) {
	measures, err := Select([]string{"options-1-w1", "options-1-w8"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	saved := 0
	r, err := Run(ctx, Config{
		Measures: measures, Systems: system.All()[:1], Runs: 1, Window: 100 * time.Millisecond, Progress: &strings.Builder{},
		Save: func(r *report.Report) error {
			if saved++; r.Unfinished == "" {
				t.Error("half of it is done")
			}
			cancel()
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Results) != 1 || saved != 1 || r.Unfinished != "interrupted: 1 of 2 runs are done" {
		t.Errorf("%d results, saved %d times, %q", len(r.Results), saved, r.Unfinished)
	}
	if r, err := Run(ctx, Config{Measures: measures, Systems: system.All()[:1], Progress: &strings.Builder{}}); err == nil {
		t.Errorf("%+v", r)
	}
}

// TestPeerThatCrashes is reported with its log line, whatever number of workers, and the others go on.
func TestPeerThatCrashes(t *testing.T) {
	dir := t.TempDir()
	script := "#!/bin/sh\necho 'CRITICAL: no shared memory'\nexit 1\n"
	if err := os.WriteFile(filepath.Join(dir, "kamailio"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(filepath.ListSeparator)+os.Getenv("PATH"))
	r, _ := compareFew(t, t.Context(), []string{"options-1-w1"}, []string{"kamailio", "sipreactor"}, 1)
	res := r.Find("options-1-w1", "kamailio")
	if res == nil || !strings.Contains(res.Trouble(), "exit status 1") || !strings.Contains(res.Trouble(), "CRITICAL: no shared memory") {
		t.Errorf("%+v", res)
	}
	if len(r.Pilots) != 1 || len(r.Pilots[0].Tried) != 3 || !strings.Contains(r.Pilots[0].Tried[2].Trouble, "no shared memory") {
		t.Errorf("%+v", r.Pilots)
	}
	if ours := r.Find("options-1-w1", "sipreactor"); ours == nil || ours.Runs[0].Counts[report.Done] == 0 {
		t.Errorf("%+v", ours)
	}
}
