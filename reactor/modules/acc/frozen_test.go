package acc

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"sipreactor/reactor/internal/logtest"
	"sipreactor/reactor/internal/waittest"
	"sipreactor/reactor/store"
	"sipreactor/reactor/store/storetest"
)

// While a database neither answers nor fails, what comes behind the records that it was given is on the disk soon: the
// program may be killed.
func TestFrozen(t *testing.T) {
	url := storetest.SQLite(t)
	if err := store.Create(t.Context(), url, "version", "acc"); err != nil {
		t.Fatal(err)
	}
	free := storetest.LockSQLite(t, url)
	s := openSpool(t.TempDir(), url)
	db, err := store.Open(url, store.Options{Timeout: 5 * time.Minute}) // nothing tells that it is gone
	if err != nil {
		t.Fatal(err)
	}
	w := newWriter(db, nil, s)
	w.begin()
	w.put(numbered(0))
	waittest.For(t, "the database has a record", func() bool { return w.since.Load() != 0 })
	for n := range 250 {
		w.put(numbered(1 + n))
	}
	waittest.For(t, "the others are in the spool", func() bool { return s.records.Load() == 250 })
	free()
	drained(t, func() int { return len(w.queue) + int(s.records.Load()) })
	waittest.For(t, "all is written", func() bool { return w.since.Load() == 0 })
	w.end(nil)
	if n := w.lost.Load(); n != 0 {
		t.Errorf("%d records are lost", n)
	}
	if db, err = store.Open(url, store.Options{}); err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if r, err := db.Select(t.Context(), store.Select{Table: "acc", Columns: []string{"callid"}}); err != nil || r.Len() != 251 {
		t.Errorf("%d of 251 are there, %v", r.Len(), err)
	}
}

// Records that neither the database nor the spool takes are told of while they wait, and at the end when they are lost.
func TestNothingTakes(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := store.Open("mysql://u:p@127.0.0.1:1/none", store.Options{Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	log := new(logtest.Log)
	w := newWriter(db, slog.New(slog.NewTextHandler(log, nil)), &spool{dir: filepath.Join(file, "spool"), room: maxSpool})
	w.begin()
	w.put(numbered(1))
	waittest.For(t, "it is told", func() bool { return log.Has("records wait in memory") })
	w.end(nil)
	if w.lost.Load() != 1 || !log.Has("a record is lost") {
		t.Errorf("%d are lost: %s", w.lost.Load(), log.String())
	}
}
