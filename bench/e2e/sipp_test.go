package e2e

import (
	"context"
	"encoding/csv"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"sipreactor/bench/process"
)

// sipp is one run of it.
type sipp struct {
	*process.Process
	stats string
}

// startSIPp runs a scenario of bench/sipp for so many calls.
func startSIPp(t *testing.T, scenario string, calls int, args ...string) *sipp {
	t.Helper()
	path := tool(t, "sipp", "sip-tester")
	file, err := filepath.Abs("../sipp/" + scenario + ".xml")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(args, "-p") {
		// By default every sipp tries port 5060 first, and of two that begin at once one ends there.
		args = append([]string{"-p", freePort(t)}, args...)
	}
	s := &sipp{stats: filepath.Join(t.TempDir(), "stats.csv")}
	args = append([]string{
		"-sf", file, "-i", "127.0.0.1", "-m", strconv.Itoa(calls), "-max_socket", "2000", "-nostdin",
		"-trace_stat", "-stf", s.stats, "-fd", "1",
	}, args...)
	s.Process = process.Start(t, "sipp "+scenario, exec.Command(path, args...))
	return s
}

// hasTLS tells whether this sipp was built with TLS.
func hasTLS(t *testing.T) bool {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	first, _, _ := strings.Cut(strings.TrimSpace(output(ctx, tool(t, "sipp", "sip-tester"), "-v")), "\n")
	return strings.Contains(first, "TLS")
}

// untilFailure waits for all of them, or for the first that fails: the others would wait for it in vain.
func untilFailure(t *testing.T, limit time.Duration, runs ...*sipp) {
	t.Helper()
	codes := make(chan string, len(runs))
	for _, s := range runs {
		go func() {
			select {
			case <-s.Exited():
				if code := s.Cmd.ProcessState.ExitCode(); code != 0 {
					codes <- s.Name + " ended with exit code " + strconv.Itoa(code)
					return
				}
				codes <- ""
			case <-time.After(limit):
				codes <- s.Name + " still runs after " + limit.String()
			}
		}()
	}
	for range runs {
		if failure := <-codes; failure != "" {
			t.Fatal(failure)
		}
	}
}

// clean expects that all calls succeeded without a retransmission.
func (s *sipp) clean(t *testing.T, calls int, limit time.Duration) {
	t.Helper()
	if code := s.Wait(t, limit); code != 0 {
		t.Errorf("%s: exit code %d", s.Name, code)
	}
	last := s.last(t)
	for column, want := range map[string]int{
		"SuccessfulCall(C)": calls, "FailedCall(C)": 0, "Retransmissions(C)": 0,
		"OutOfCallMsgs(C)": 0, "DeadCallMsgs(C)": 0,
	} {
		if got, err := strconv.Atoi(last[column]); err != nil || got != want {
			t.Errorf("%s: %s is %s, want %d", s.Name, column, last[column], want)
		}
	}
	t.Logf("%s: %s calls in %s, %s retransmitted", s.Name, last["SuccessfulCall(C)"], last["ElapsedTime(C)"], last["Retransmissions(C)"])
}

// last is the last line of the statistics, by column.
func (s *sipp) last(t *testing.T) map[string]string {
	t.Helper()
	f, err := os.Open(s.stats)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.Comma, r.LazyQuotes, r.FieldsPerRecord = ';', true, -1
	rows, err := r.ReadAll()
	if err != nil || len(rows) < 2 {
		t.Fatalf("%s: %d rows of statistics, %v", s.Name, len(rows), err)
	}
	last := map[string]string{}
	for i, column := range rows[0] {
		if i < len(rows[len(rows)-1]) {
			last[column] = rows[len(rows)-1][i]
		}
	}
	return last
}
