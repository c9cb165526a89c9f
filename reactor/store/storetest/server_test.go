package storetest

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"
)

// TestBesides: a server that starts takes away what it finds of its kind in its folder of temporary files, which is
// therefore not that of another one: several start beside each other.
func TestBesides(t *testing.T) {
	shared, err := os.MkdirTemp("", "storetest") // not of the test's: the server's user comes to it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(shared) })
	if err := os.Chmod(shared, 0o777); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", shared)
	others := filepath.Join(shared, "#sql-temptable-1-1-1.MAI")
	if err := os.WriteFile(others, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	MariaDB(t)
	if _, err := os.Stat(others); err != nil {
		t.Errorf("a temporary table of another server: %v", err)
	}
}

// TestFreeze: children that a server makes as it is frozen stand still as well.
func TestFreeze(t *testing.T) {
	s := &Server{t: t, name: "sh"}
	cmd := exec.Command("sh", "-c", "while :; do sleep 0.001; done")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s.cmd, s.exited = cmd, make(chan struct{})
	go func() { _ = cmd.Wait(); close(s.exited) }()
	t.Cleanup(s.Kill)
	for range 30 {
		s.Freeze()
		before := s.processes()
		time.Sleep(time.Millisecond)
		if now := s.processes(); s.moves() || !slices.Equal(now, before) {
			t.Fatalf("%v, then %v", before, now)
		}
		s.Thaw()
	}
}
