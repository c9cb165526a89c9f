package sample

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// steps is a count of units that rises by one with each look.
func steps() func() int64 {
	n := int64(0)
	return func() int64 { n++; return n }
}

func TestSyscalls(t *testing.T) {
	g := child(t, "burn")
	c, err := g.Syscalls(t.Context(), 100*time.Millisecond, steps())
	if errors.Is(err, ErrNoCount) {
		t.Skip(err)
	}
	if err != nil || c.Calls < 0 || c.Units != 1 || c.By == "" {
		t.Error(c, err)
	}
}

// TestSyscallsWithoutPerf counts by strace where perf is there and fails, and by nothing where neither can.
func TestSyscallsWithoutPerf(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "perf"), []byte("#!/bin/sh\necho 'No permission' >&2\nexit 255\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
	g := child(t, "burn")
	if c, err := g.Syscalls(t.Context(), time.Millisecond, steps()); !errors.Is(err, ErrNoCount) {
		t.Errorf("with neither: %+v, %v", c, err)
	}
	if err := os.Symlink(strace, filepath.Join(dir, "strace")); err != nil {
		t.Fatal(err)
	}
	c, err := g.Syscalls(t.Context(), 2*time.Second, steps()) // a machine with other work gives it no time now and then
	if errors.Is(err, ErrNoCount) {
		t.Skip(err) // who may not trace
	}
	// A Go program's runtime makes some while it computes.
	if err != nil || c.By != "strace -c" || c.Calls < 1 || c.Units != 1 {
		t.Errorf("%+v, %v", c, err)
	}
	if _, err := g.Snapshot(); err != nil {
		t.Error("it does not live on:", err)
	}
}

func TestParsePerf(t *testing.T) {
	for out, want := range map[string]int64{
		"1234,,raw_syscalls:sys_enter,5000,100.00,,\n": 1234,
		"\n0,,raw_syscalls:sys_enter,1,100.00,,\n":     0,
	} {
		if n, err := parsePerf(out); n != want || err != nil {
			t.Errorf("%q: %d, %v", out, n, err)
		}
	}
	for _, out := range []string{"", "<not supported>,,raw_syscalls:sys_enter,0,100.00,,\n", "Permission denied\n"} {
		if n, err := parsePerf(out); err == nil {
			t.Errorf("%q: %d", out, n)
		}
	}
}

func TestParseStrace(t *testing.T) {
	const table = `strace: Process 1 attached with 2 threads
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 99.00    0.000099           2        41         7 futex
  1.00    0.000001           1         1           read
------ ----------- ----------- --------- --------- ----------------
`
	for sum, want := range map[string]int64{
		"100.00    0.000100           2        42         7 total\n": 42,
		"100.00    0.000100           2        43           total\n": 43,
	} {
		if n, err := parseStrace(table + sum); n != want || err != nil {
			t.Errorf("%q: %d, %v", sum, n, err)
		}
	}
	for _, out := range []string{"", table, "strace: attach: ptrace(PTRACE_SEIZE, 1): Operation not permitted\n"} {
		if n, err := parseStrace(out); err == nil {
			t.Errorf("%q: %d", out, n)
		}
	}
}
