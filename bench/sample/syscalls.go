package sample

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// ErrNoCount tells that system calls can't be counted here.
var ErrNoCount = errors.New("sample: neither perf nor strace can count system calls here (Debian: apt-get install linux-perf strace; as root)")

// Count is how many system calls were made for how many units of work.
type Count struct {
	Calls, Units int64
	By           string // the program that counted
}

// Syscalls counts the system calls of the group for a while: by perf, or where that can't by strace. done tells the
// units of work so far. Counting costs the group CPU time, by strace a multiple: do not measure that meanwhile.
func (g Group) Syscalls(ctx context.Context, d time.Duration, done func() int64) (Count, error) {
	pids, err := g.PIDs()
	if err != nil {
		return Count{}, err
	}
	list := make([]string, len(pids))
	for i, pid := range pids {
		list[i] = strconv.Itoa(pid)
	}
	ctx, cancel := context.WithTimeout(ctx, d+20*time.Second)
	defer cancel()
	c, errPerf := countByPerf(ctx, list, d, done)
	if errPerf == nil || ctx.Err() != nil {
		return c, errPerf
	}
	c, err = countByStrace(ctx, list, d, done)
	if err != nil {
		return c, fmt.Errorf("%w: %w; %w", ErrNoCount, errPerf, err)
	}
	return c, nil
}

func countByPerf(ctx context.Context, pids []string, d time.Duration, done func() int64) (Count, error) {
	before := done()
	out, err := exec.CommandContext(ctx, "perf", "stat", "-x", ",", "-e", "raw_syscalls:sys_enter",
		"-p", strings.Join(pids, ","), "--timeout", strconv.FormatInt(d.Milliseconds(), 10)).CombinedOutput()
	after := done()
	if err != nil {
		return Count{}, fmt.Errorf("perf: %w: %s", err, firstLine(string(out)))
	}
	n, err := parsePerf(string(out))
	return Count{n, after - before, "perf stat"}, err
}

// parsePerf reads the count from the comma-separated output of perf stat.
func parsePerf(out string) (int64, error) {
	r := csv.NewReader(strings.NewReader(out))
	r.FieldsPerRecord, r.LazyQuotes = -1, true
	rows, err := r.ReadAll()
	if err != nil {
		return 0, fmt.Errorf("perf: %w", err)
	}
	for _, row := range rows {
		if len(row) > 2 && strings.HasPrefix(row[2], "raw_syscalls:sys_enter") {
			return strconv.ParseInt(row[0], 10, 64)
		}
	}
	return 0, fmt.Errorf("perf: no count in %q", firstLine(out))
}

// countByStrace counts from the instant at which strace has all processes, which takes it a while.
func countByStrace(ctx context.Context, pids []string, d time.Duration, done func() int64) (Count, error) {
	args := []string{"-f", "-c"}
	for _, pid := range pids {
		args = append(args, "-p", pid)
	}
	cmd := exec.CommandContext(ctx, "strace", args...)
	// Interrupted, it lets go of the processes and tells its sums.
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) }
	cmd.WaitDelay = 5 * time.Second
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return Count{}, err
	}
	if err := cmd.Start(); err != nil {
		return Count{}, err
	}
	said := bufio.NewReader(stderr)
	var text strings.Builder
	attached := 0
	for attached < len(pids) {
		line, err := said.ReadString('\n')
		text.WriteString(line)
		if err != nil {
			break // it ended: its last words are the error
		}
		for _, pid := range pids {
			if strings.Contains(line, "Process "+pid+" attached") {
				attached++
			}
		}
	}
	before := done()
	if attached == len(pids) {
		select {
		case <-time.After(d):
		case <-ctx.Done():
		}
	}
	after := done()
	_ = cmd.Process.Signal(syscall.SIGINT) // it may have ended by itself: then there are no sums
	rest, _ := io.ReadAll(said)
	text.Write(rest)
	_ = cmd.Wait() // its exit code tells of the interruption only
	n, err := parseStrace(text.String())
	return Count{n, after - before, "strace -c"}, err
}

// parseStrace reads the sum from the table of strace -c: share, seconds, µs a call, calls, errors if any, name.
func parseStrace(out string) (int64, error) {
	for line := range strings.Lines(out) {
		if f := strings.Fields(line); len(f) >= 5 && f[len(f)-1] == "total" {
			return strconv.ParseInt(f[3], 10, 64)
		}
	}
	return 0, fmt.Errorf("strace: no sum in %q", firstLine(out))
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return line
}
