package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"sipreactor/reactor/store"
	"sipreactor/reactor/store/storetest"
)

func TestSQLiteFileMustBeThere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "typo.db")
	db := open(t, "sqlite://"+path, store.Options{})
	_, err := db.Columns(t.Context(), "dispatcher")
	if err == nil || !strings.Contains(err.Error(), "there is no such file") {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Error("a file was made")
	}
}

// Configurations have a slash too many: it begins no host.
func TestSQLitePathWithTwoSlashes(t *testing.T) {
	url := storetest.SQLite(t)
	if err := store.Create(t.Context(), url, "grp"); err != nil {
		t.Fatal(err)
	}
	db := open(t, strings.Replace(url, "sqlite://", "sqlite:///", 1), store.Options{})
	if _, err := db.Columns(t.Context(), "grp"); err != nil {
		t.Error(err)
	}
}

func TestSQLiteIsItsOwnersAlone(t *testing.T) {
	url := storetest.SQLite(t)
	if err := store.Create(t.Context(), url, "grp"); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(strings.TrimPrefix(url, "sqlite://"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
}

// Several who write at a time wait for each other and do not fail.
func TestSQLiteWritersWait(t *testing.T) {
	url := storetest.SQLite(t)
	if err := store.Create(t.Context(), url, "grp"); err != nil {
		t.Fatal(err)
	}
	db := open(t, url, store.Options{Timeout: 20 * time.Second})
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := range 20 {
				rows := [][]store.Value{{store.Int(int64(w)), store.Int(int64(i))}}
				change := store.Change{Verb: store.VerbInsert, Table: "grp", Columns: []string{"username", "grp"}, Rows: rows}
				if _, err := db.Apply(t.Context(), change, store.Change{Verb: store.VerbDelete, Table: "grp", Where: []store.Cond{store.Equal("username", store.String("x"))}}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	res, err := db.Select(t.Context(), store.Select{Table: "grp"})
	if err != nil || res.Len() != 160 {
		t.Errorf("%d rows, %v", res.Len(), err)
	}
}

func TestPoolIsShared(t *testing.T) {
	url := storetest.SQLite(t)
	if err := store.Create(t.Context(), url, "grp"); err != nil {
		t.Fatal(err)
	}
	a, b := open(t, url, store.Options{Conns: 2}), open(t, url, store.Options{Conns: 4})
	if _, err := a.Columns(t.Context(), "grp"); err != nil {
		t.Fatal(err)
	}
	if b.Statistics().Statements != 1 || len(store.All()) != 1 {
		t.Errorf("%+v", store.All())
	}
	if err := errors.Join(a.Close(), a.Close()); err != nil {
		t.Error(err)
	}
	if _, err := a.Columns(t.Context(), "grp"); err != nil {
		t.Errorf("closed, for who began before: %v", err)
	}
	if _, err := b.Columns(t.Context(), "grp"); err != nil {
		t.Errorf("the other's pool is closed: %v", err)
	}
	if err := b.Close(); err != nil || len(store.All()) != 0 {
		t.Errorf("%v, %+v", err, store.All())
	}
	if _, err := a.Columns(t.Context(), "grp"); !errors.Is(err, store.ErrClosed) {
		t.Errorf("all are closed: %v", err)
	}
}

// TestLinger: a message that began before a reload has its database, though the last one has closed it.
func TestLinger(t *testing.T) {
	url := storetest.SQLite(t)
	if err := store.Create(t.Context(), url, "grp"); err != nil {
		t.Fatal(err)
	}
	db := open(t, url, store.Options{Linger: time.Hour})
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Columns(t.Context(), "grp"); err != nil {
		t.Errorf("lingering: %v", err)
	}
	store.CloseLingering()
	if _, err := db.Columns(t.Context(), "grp"); !errors.Is(err, store.ErrClosed) {
		t.Errorf("behind the end: %v", err)
	}
	db = open(t, url, store.Options{Linger: time.Millisecond})
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(time.Millisecond) {
		if _, err := db.Columns(t.Context(), "grp"); errors.Is(err, store.ErrClosed) {
			break
		}
		if time.Now().After(end) {
			t.Fatal("it lingers for ever")
		}
	}
}
