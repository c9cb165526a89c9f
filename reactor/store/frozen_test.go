package store_test

import (
	"testing"
	"time"

	"sipreactor/reactor/store"
	"sipreactor/reactor/store/storetest"
)

// TestLoadFindsOut: that a database stands still costs who loads a table the time of a statement, not that of a table.
func TestLoadFindsOut(t *testing.T) {
	for name, start := range map[string]func(testing.TB) *storetest.Server{"MariaDB": storetest.MariaDB, "PostgreSQL": storetest.Postgres} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t)
			url := s.URL("loaded")
			if err := store.Create(t.Context(), url, "location"); err != nil {
				t.Fatal(err)
			}
			// An hour is longer than any test may take.
			db, err := store.Open(url, store.Options{Timeout: 2 * time.Second, Loading: time.Hour})
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			load := func() error {
				return db.Load(t.Context(), store.Select{Table: "location", Columns: []string{"username"}}, func(*store.Row) error { return nil })
			}
			for end := time.Now().Add(30 * time.Second); load() != nil; time.Sleep(50 * time.Millisecond) {
				if time.Now().After(end) {
					t.Fatal(load())
				}
			}
			s.Freeze()
			defer s.Thaw()
			if err := load(); !store.Unreachable(err) {
				t.Errorf("a load of a frozen database: %v", err)
			}
		})
	}
}
