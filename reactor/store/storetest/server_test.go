package storetest

import (
	"os"
	"path/filepath"
	"testing"
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
