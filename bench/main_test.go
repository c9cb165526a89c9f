package main

import (
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"sipreactor/bench/report"
	"sipreactor/cmd/sipreactor/load"
)

// background runs a load that serves until it is interrupted. It returns the first line that it says, and a function
// that ends it and gives its exit code and output.
func background(t *testing.T, args ...string) (ready string, end func() (int, string)) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	out := &lines{first: make(chan string, 1)}
	code := make(chan int, 1)
	go func() { code <- run(ctx, args, out, out) }()
	select {
	case ready = <-out.first:
	case <-time.After(20 * time.Second):
		t.Fatal("no ready line")
	}
	return ready, func() (int, string) {
		cancel()
		return <-code, out.all.String()
	}
}

// uas runs `bench uas` and returns its address.
func uas(t *testing.T, args ...string) (addr string, end func() (int, string)) {
	t.Helper()
	ready, end := background(t, append([]string{"uas", "--listen", "127.0.0.1:0"}, args...)...)
	_, addr, _ = strings.Cut(ready, "@")
	addr, _, _ = strings.Cut(addr, ";")
	return addr, end
}

// lines hands on the first write, and keeps all; only one goroutine writes at a time.
type lines struct {
	first chan string
	all   strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	select {
	case l.first <- string(p):
	default:
	}
	return l.all.Write(p)
}

func TestLoadsAgainstServer(t *testing.T) {
	addr, end := uas(t)
	for _, args := range [][]string{
		{"options", "--to", addr, "--connections", "2", "--window", "4", "--duration", "100ms", "--timeout", "30s"},
		{"options", "--to", addr, "--method", "REGISTER", "--rate", "100", "--duration", "100ms", "--timeout", "30s"},
		{"calls", "--to", addr, "--rate", "100", "--duration", "100ms", "--timeout", "30s", "--callee", "sip:uas@" + addr + ";transport=tls"},
		{"handshakes", "--to", addr, "--tls12", "--rate", "50", "--duration", "100ms", "--timeout", "30s"},
		{"handshakes", "--to", addr, "--curves", "P256,x25519", "--rate", "50", "--duration", "100ms", "--timeout", "30s"},
		{"handshakes", "--to", addr, "--resumed", "--rate", "50", "--duration", "100ms", "--timeout", "30s"},
		{"idle", "--to", addr, "--connections", "10", "--duration", "10ms"},
	} {
		var out, errs strings.Builder
		if code := run(t.Context(), args, &out, &errs); code != 0 {
			t.Errorf("%v: exit code %d\n%s%s", args, code, &out, &errs)
		}
	}
	if code, out := end(); code != 0 {
		t.Errorf("uas: exit code %d\n%s", code, out)
	}
}

func TestResultAsJSON(t *testing.T) {
	addr, end := uas(t, "--tcp")
	defer end()
	var out, errs strings.Builder
	if code := run(t.Context(), []string{"options", "--tcp", "--to", addr, "--json", "--rate", "100", "--duration", "50ms", "--timeout", "30s"}, &out, &errs); code != 0 {
		t.Fatalf("exit code %d: %s", code, &errs)
	}
	var r load.Result
	if err := json.Unmarshal([]byte(out.String()), &r); err != nil || r.Done != 5 {
		t.Errorf("%v: %s", err, &out)
	}
}

func TestShims(t *testing.T) {
	addr, end := uas(t, "--tcp")
	defer end()
	for _, args := range [][]string{{"--unwrap"}, {}} { // TLS to the server, then plain to that
		ready, end := background(t, append([]string{"shim", "--listen", "127.0.0.1:0", "--to", addr}, args...)...)
		defer func() {
			if code, out := end(); code != 0 {
				t.Errorf("shim %v: exit code %d\n%s", args, code, out)
			}
		}()
		addr = strings.Fields(ready)[1]
	}
	var out, errs strings.Builder
	if code := run(t.Context(), []string{"options", "--tcp", "--to", addr, "--rate", "100", "--duration", "50ms", "--timeout", "30s"}, &out, &errs); code != 0 {
		t.Errorf("exit code %d\n%s%s", code, &out, &errs)
	}
}

func TestExitCodes(t *testing.T) {
	for want, sets := range map[int][][]string{
		0: {{"help"}, {"--help"}, {"--list"}, {"options", "--help"}},
		2: {{"nothing"}, {"options", "extra"}, {"calls", "--rate", "x"}, {"options", "--to", "127.0.0.1:1"}, {"uas", "--cert", "x"},
			{"options", "--curves", "x25519,secp256k1"},
			{"--only", "nothing"}, {"--peer", "nobody"}, {"--runs", "0"}, {"--nothing"}, {"--quick", "nothing"}, {"--workers", "-1"},
			{"--out", "/proc/nowhere"}, {"--out", "/dev/null"}, {"table"}, {"table", "/nowhere"}},
	} {
		for _, args := range sets {
			var out, errs strings.Builder
			if code := run(t.Context(), args, &out, &errs); code != want {
				t.Errorf("%v: exit code %d, want %d\n%s%s", args, code, want, &out, &errs)
			}
		}
	}
}

func TestHelpNamesEveryLoad(t *testing.T) {
	var out strings.Builder
	help(&out)
	for _, c := range commands {
		if !strings.Contains(out.String(), c.name) {
			t.Errorf("%s is not in the help", c.name)
		}
	}
}

// TestTableIntoFile puts a report's figures between the marks of a file, and leaves the rest.
func TestTableIntoFile(t *testing.T) {
	dir := t.TempDir()
	r := report.Report{
		Systems:  []report.System{{Name: "sipreactor", Role: "ours"}},
		Measures: []report.Measure{{Name: "calls-closed", Unit: "call", Main: report.CPU}},
	}
	r.Add("calls-closed", "sipreactor", report.Run{Values: map[string]float64{report.CPU: 44.4}})
	if err := r.Save(dir + "/report.json"); err != nil {
		t.Fatal(err)
	}
	page := dir + "/page.md"
	if err := os.WriteFile(page, []byte("before\n"+figuresBegin+"old\n"+figuresEnd+"after\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs strings.Builder
	for range 2 { // again and again
		if code := run(t.Context(), []string{"table", dir + "/report.json", "--into", page}, &out, &errs); code != 0 {
			t.Fatal(code, errs.String())
		}
	}
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	got := string(text)
	if !strings.HasPrefix(got, "before\n") || !strings.HasSuffix(got, "after\n") || strings.Contains(got, "old") || strings.Count(got, "44.4 µs") != 1 {
		t.Error(got)
	}
	if code := run(t.Context(), []string{"table", dir + "/report.json", "--reach"}, &out, &errs); code != 0 || !strings.Contains(out.String(), "allocations") {
		t.Error(code, out.String())
	}
	if code := run(t.Context(), []string{"table", dir + "/report.json", "--into", dir + "/report.json"}, &out, &errs); code != 2 {
		t.Error("a file without the marks:", code)
	}
}

// TestWrongNames tell what there is.
func TestWrongNames(t *testing.T) {
	for want, args := range map[string][]string{
		"there are sipreactor, ":                                         {"--peer", "haproxy,nobody"},
		"there are the groups options, calls,":                           {"--only", "nothing"},
		"haproxy does not run under options-1-w1: it answers no request": {"--only", "options-1-w1", "--peer", "haproxy", "--out", t.TempDir()},
	} {
		var out, errs strings.Builder
		if want[0] == 'h' && !program("haproxy")(t.Context()) {
			want = "apt-get install haproxy"
		}
		if code := run(t.Context(), args, &out, &errs); code != 2 || !strings.Contains(errs.String(), want) {
			t.Errorf("%v: exit code %d, no %q in %s", args, code, want, &errs)
		}
	}
	systems, err := find([]string{"haproxy", "sipgo", "haproxy"})
	if err != nil || len(systems) != 2 {
		t.Errorf("%v, %v", systems, err)
	}
}

// TestCommandBesideFigure runs a comparison, and that again by the command that it prints beside its figure.
func TestCommandBesideFigure(t *testing.T) {
	dir := t.TempDir() + "/made/for/it"
	args := []string{"--only", "options-1-w[1]", "--peer", "sipreactor", "--runs", "1", "--window", "100ms"}
	for range 2 {
		var out, errs strings.Builder
		if code := run(t.Context(), append(args, "--out", dir), &out, &errs); code != 0 {
			t.Fatalf("%v: exit code %d: %s", args, code, &errs)
		}
		r, err := report.Load(dir + "/report.json")
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Command; !strings.Contains(got, "options-1-w") || strings.Contains(got, "--out") {
			t.Error(got)
		}
		command := r.Find("options-1-w1", "sipreactor").Command
		if command != "go -C bench run . --only options-1-w1 --peer sipreactor --runs 1 --window 100ms" || !strings.Contains(out.String(), command) {
			t.Fatal(command, out.String())
		}
		args = strings.Fields(strings.TrimPrefix(command, "go -C bench run . "))
	}
}

func TestCalledWith(t *testing.T) {
	f := pflag.NewFlagSet("", pflag.ContinueOnError)
	f.StringSlice("only", nil, "")
	f.Bool("quick", false, "")
	f.String("out", "", "")
	f.Duration("window", 0, "")
	if err := f.Parse([]string{"--only", "calls-*,idle", "--quick", "--out", "x", "--window", "1500ms"}); err != nil {
		t.Fatal(err)
	}
	if got := calledWith(f, "out"); got != " --only 'calls-*,idle' --quick --window 1.5s" {
		t.Error(got)
	}
	if got := calledWith(f, "out", "only"); got != " --quick --window 1.5s" {
		t.Error(got)
	}
}
