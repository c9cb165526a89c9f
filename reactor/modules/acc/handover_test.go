package acc

import (
	"context"
	"testing"

	"sipreactor/reactor/internal/waittest"
	"sipreactor/reactor/store"
	"sipreactor/reactor/store/storetest"
)

// A reload does not interrupt what the database was given of the spool: it may be executed all the same, and the writer
// that follows would write it again.
func TestHandoverOfSpool(t *testing.T) {
	url := storetest.SQLite(t)
	if err := store.Create(t.Context(), url, "version", "acc"); err != nil {
		t.Fatal(err)
	}
	s := openSpool(t.TempDir(), url)
	if err := s.add([]store.Change{numbered(0), numbered(1)}); err != nil {
		t.Fatal(err)
	}
	free := storetest.LockSQLite(t, url)
	db, err := store.Open(url, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	w := newWriter(db, nil, s)
	w.begin()
	waittest.For(t, "the database has the records", func() bool { return w.since.Load() != 0 })
	ending, done := make(chan struct{}), make(chan struct{})
	w.cancel = func(cancel context.CancelFunc) context.CancelFunc {
		return func() { cancel(); close(ending) }
	}(w.cancel)
	go func() { defer close(done); w.end(nil) }()
	<-ending
	free()
	<-done
	if n := s.records.Load(); n != 0 {
		t.Errorf("%d records are left for the next writer", n)
	}
}
