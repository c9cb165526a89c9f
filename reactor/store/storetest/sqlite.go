package storetest

import (
	"path/filepath"
	"testing"
)

// SQLite returns the db_url of a file that is not there yet.
func SQLite(t testing.TB) string {
	return "sqlite://" + filepath.Join(t.TempDir(), "test.db")
}
