package compare

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sipreactor/bench/report"
	"sipreactor/bench/system"
)

// bench is the program, built once for the tests that need it.
var bench string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "sipreactor-compare-")
	if err != nil {
		panic(err)
	}
	bench = filepath.Join(dir, "bench")
	build := exec.Command("go", "build", "-o", bench, "sipreactor/bench")
	build.Stderr = os.Stderr
	code := 1
	if build.Run() == nil {
		code = m.Run()
	}
	os.RemoveAll(dir)
	os.Exit(code)
}

// compareFew runs a small comparison.
func compareFew(t *testing.T, ctx context.Context, patterns, systems []string, runs int) (*report.Report, string) {
	t.Helper()
	measures, err := Select(patterns)
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{Measures: measures, Chosen: true, Runs: runs, Window: 200 * time.Millisecond, Command: "test", Bench: bench}
	for _, name := range systems {
		s, err := system.Find(name)
		if err != nil {
			t.Fatal(err)
		}
		cfg.Systems = append(cfg.Systems, s)
	}
	var progress strings.Builder
	cfg.Progress = &progress
	r, err := Run(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s", &progress)
	return r, progress.String()
}

// TestEngineAndBaseline runs loads of each kind against what can be built everywhere.
func TestEngineAndBaseline(t *testing.T) {
	patterns := []string{"calls-r200", "full-ecdsa-tls13-r100", "probe-silent"}
	if _, err := exec.LookPath("sipp"); err == nil {
		patterns = append(patterns, "sipp-options")
	}
	r, progress := compareFew(t, t.Context(), patterns, []string{"sipreactor", "plain-go"}, 1)
	for _, m := range r.Measures {
		for _, s := range []string{"sipreactor", "plain-go"} {
			res := r.Find(m.Name, s)
			if res == nil {
				t.Errorf("%s %s: no result", m.Name, s)
				continue
			}
			metrics := []string{report.CPU, report.Rate, report.P99, report.Others}
			switch m.Group {
			case "faults":
				metrics = metrics[1:]
			case "sipp":
				metrics = []string{report.CPU, report.Rate, report.SIPpMean}
				if n := len(res.Runs[0].Responses); n != 1 {
					t.Errorf("%s %s: %d kinds of response times", m.Name, s, n)
				}
			}
			for _, metric := range metrics {
				if _, ok := res.Stat(metric); !ok {
					t.Errorf("%s %s: no %s", m.Name, s, metric)
				}
			}
			run := res.Runs[0]
			if run.Counts[report.Done] == 0 {
				t.Errorf("%s %s: %+v", m.Name, s, run)
			}
			if trouble := res.Trouble(); trouble != "" { // on a busy machine others have some; the report says so
				t.Logf("%s %s: %s", m.Name, s, trouble)
			}
			if !strings.Contains(res.Command, "--only "+m.Name+" --peer "+s) {
				t.Error(res.Command)
			}
		}
	}
	if _, ok := r.Find("calls-r200", "sipreactor").Stat(report.Allocs); !ok {
		t.Error("the engine tells its allocations")
	}
	if !strings.Contains(progress, fmt.Sprintf("[%d/%d, ", 2*len(patterns), 2*len(patterns))) || !strings.Contains(progress, "about ") {
		t.Errorf("progress: %s", progress)
	}
}

// TestPeers runs a load through those peers that are installed, trying numbers of workers.
func TestPeers(t *testing.T) {
	if testing.Short() {
		t.Skip("peers")
	}
	patterns := []string{"calls-r200"}
	if _, err := exec.LookPath("sipp"); err == nil {
		patterns = append(patterns, "sipp-calls-tcp")
	}
	r, _ := compareFew(t, t.Context(), patterns, []string{"kamailio", "opensips", "haproxy"}, 1)
	for _, s := range r.Systems {
		if s.Missing != "" {
			t.Log(s.Missing)
			continue
		}
		res := r.Find("calls-r200", s.Name)
		if res == nil || res.Workers == 0 || !strings.HasSuffix(res.Command, fmt.Sprintf(" --peer %s --workers %d", s.Name, res.Workers)) {
			t.Errorf("%s: %+v", s.Name, res)
			continue
		}
		// Both loads have the same pilot, which therefore runs once.
		i := slices.IndexFunc(r.Pilots, func(p report.Pilot) bool { return p.System == s.Name })
		if i < 0 || r.Pilots[i].Chosen != res.Workers || r.Pilots[i].Load != "calls-r200" || len(r.Pilots[i].Tried) < 2 {
			t.Errorf("%s: %+v", s.Name, r.Pilots)
		}
		if n := len(r.Pilots); i >= 0 && slices.IndexFunc(r.Pilots[i+1:], func(p report.Pilot) bool { return p.System == s.Name }) >= 0 {
			t.Errorf("%s: two of %d pilots", s.Name, n)
		}
		if tcp := r.Find("sipp-calls-tcp", s.Name); len(patterns) > 1 && (tcp == nil || tcp.Runs[0].Counts[report.Done] == 0) {
			t.Errorf("%s over TCP: %+v", s.Name, tcp)
		}
	}
}

func TestSelect(t *testing.T) {
	names := map[string]bool{}
	for _, m := range Measures() {
		if names[m.Name] || m.Name == "" || m.About == "" || m.Unit == "" || m.Main == "" || m.run == nil {
			t.Errorf("%+v", m.Measure)
		}
		names[m.Name] = true
	}
	for pattern, want := range map[string]int{"options": 15, "options-50-w1": 1, "options-50-*": 5, "scale": 4} {
		if got, err := Select([]string{pattern}); err != nil || len(got) != want {
			t.Errorf("%s: %d, %v", pattern, len(got), err)
		}
	}
	if _, err := Select([]string{"options", "nothing"}); err == nil || !strings.Contains(err.Error(), `"nothing"`) || !strings.Contains(err.Error(), "handshakes") {
		t.Error(err)
	}
	if _, err := Select([]string{"["}); err == nil {
		t.Error("a wrong pattern")
	}
}

// TestBesideEnded notices a program beside the load that does not run.
func TestBesideEnded(t *testing.T) {
	tr := &trial{cfg: &Config{Bench: bench}, inst: &system.Instance{Addr: "127.0.0.1:1"}}
	late := time.Now().Add(time.Minute)
	for pause := 10 * time.Millisecond; ; pause *= 2 {
		end, err := tr.beside([]string{"options", "--no-such-flag"})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(pause) // a nice program on a full machine takes its time to come to its flags
		if err = end(); err != nil && strings.Contains(err.Error(), "no-such-flag") {
			return
		}
		if time.Now().After(late) {
			t.Fatal(err)
		}
	}
}
