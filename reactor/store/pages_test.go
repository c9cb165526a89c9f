package store_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"testing"

	"sipreactor/reactor/store"
	"sipreactor/reactor/store/storetest"
)

// TestLoadPages reads more rows than a page has, in their order, and stops where it is told to.
func TestLoadPages(t *testing.T) {
	url := storetest.SQLite(t)
	if err := store.Create(t.Context(), url, "location"); err != nil {
		t.Fatal(err)
	}
	db := open(t, url, store.Options{})
	const rows = 12000
	columns := []string{"contact_id", "username", "contact", "callid", "expires"}
	for from := 1; from <= rows; from += 1000 {
		c := store.Change{Verb: store.VerbInsert, Table: "location", Columns: columns}
		for id := from; id < from+1000; id++ {
			c.Rows = append(c.Rows, []store.Value{store.Int(int64(id) * 1e14), store.String(fmt.Sprint("u", id)), store.String("sip:x"), store.String("c"), store.Int(1)})
		}
		if _, err := db.Apply(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	var log bytes.Buffer
	q := store.Select{Table: "location", Columns: []string{"username", "contact_id"}, Key: "contact_id"}
	n := 0
	if err := db.LoadPages(t.Context(), slog.New(slog.NewTextHandler(&log, nil)), q, func(r *store.Row) error {
		if n++; r.Text(0) != fmt.Sprint("u", n) {
			return fmt.Errorf("row %d is %s", n, r.Text(0))
		}
		return nil
	}); err != nil || n != rows {
		t.Errorf("%d rows, %v", n, err)
	}
	n = 0
	q.Where = []store.Cond{{Column: "contact_id", Op: "<=", Value: store.Int(7000 * 1e14)}}
	if err := db.LoadPages(t.Context(), slog.New(slog.DiscardHandler), q, func(*store.Row) error { n++; return nil }); err != nil || n != 7000 {
		t.Errorf("with a condition: %d rows, %v", n, err)
	}
	stop := fmt.Errorf("enough")
	n = 0
	if err := db.LoadPages(t.Context(), slog.New(slog.DiscardHandler), q, func(*store.Row) error {
		if n++; n == 6000 {
			return stop
		}
		return nil
	}); err == nil || n != 6000 {
		t.Errorf("stopped: %d rows, %v", n, err)
	}
}
