package sample

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// ErrNoPerf tells that system calls can't be counted here.
var ErrNoPerf = errors.New("sample: system calls can't be counted (Debian: apt-get install linux-perf, as root)")

// Syscalls counts the system calls of the group for a while. Counting costs the group some CPU time: do not measure
// that meanwhile.
func (g Group) Syscalls(ctx context.Context, d time.Duration) (int64, error) {
	pids, err := g.PIDs()
	if err != nil {
		return 0, err
	}
	list := make([]string, len(pids))
	for i, pid := range pids {
		list[i] = strconv.Itoa(pid)
	}
	ctx, cancel := context.WithTimeout(ctx, d+10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "perf", "stat", "-x", ",", "-e", "raw_syscalls:sys_enter",
		"-p", strings.Join(list, ","), "--timeout", strconv.FormatInt(d.Milliseconds(), 10)).CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrNoPerf, err)
	}
	n, err := parsePerf(string(out))
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrNoPerf, err)
	}
	return n, nil
}

// parsePerf reads the count from the comma-separated output of perf stat.
func parsePerf(out string) (int64, error) {
	r := csv.NewReader(strings.NewReader(out))
	r.FieldsPerRecord, r.LazyQuotes = -1, true
	rows, err := r.ReadAll()
	if err != nil {
		return 0, err
	}
	for _, row := range rows {
		if len(row) > 2 && strings.HasPrefix(row[2], "raw_syscalls:sys_enter") {
			return strconv.ParseInt(row[0], 10, 64)
		}
	}
	return 0, fmt.Errorf("no count in %q", out)
}
