package store_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sipreactor/reactor/store"
)

// A FIFO in the place of a table is refused; opening it would wait for a writer.
func TestTableIsFIFO(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tables")
	if err := store.Create(t.Context(), "text://"+dir, "dispatcher"); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "fifo")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	db := open(t, "text://"+dir, store.Options{})
	each := func(*store.Row) error { return nil }
	for what, read := range map[string]func() error{
		"text folder": func() error { return db.Load(t.Context(), store.Select{Table: "fifo"}, each) },
		"file":        func() error { return store.File{Path: path}.Load(t.Context(), store.Select{Table: "x"}, each) },
	} {
		done := make(chan error, 1)
		go func() { done <- read() }()
		select {
		case err := <-done:
			if err == nil || !strings.Contains(err.Error(), path+": not a regular file") {
				t.Errorf("%s: %v", what, err)
			}
		case <-time.After(20 * time.Second):
			t.Errorf("%s: reading a FIFO hangs", what)
		}
	}
}
