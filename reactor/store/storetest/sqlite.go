package storetest

import (
	"context"
	"database/sql"
	"path/filepath"
	"strings"
	"testing"
)

// SQLite returns the db_url of a file that is not there yet.
func SQLite(t testing.TB) string {
	return "sqlite://" + filepath.Join(t.TempDir(), "test.db")
}

// Exec runs statements on the file of a db_url, which it makes. The driver is package store's.
func Exec(t testing.TB, url string, statements ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", strings.TrimPrefix(url, "sqlite://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	for _, text := range statements {
		if _, err := db.ExecContext(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
}

// LockSQLite keeps the file of a db_url locked, as another program that writes to it
// does, until free is called or the test ends. The driver is package store's.
func LockSQLite(t testing.TB, url string) (free func()) {
	t.Helper()
	db, err := sql.Open("sqlite", strings.TrimPrefix(url, "sqlite://"))
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(t.Context(), "BEGIN EXCLUSIVE"); err != nil {
		t.Fatal(err)
	}
	free = func() {
		_, _ = db.ExecContext(context.Background(), "ROLLBACK")
		_ = db.Close()
	}
	t.Cleanup(free)
	return free
}
