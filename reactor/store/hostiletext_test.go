package store_test

import (
	"context"
	"strings"
	"testing"

	"sipreactor/reactor/store"
)

// testHostileTexts: what a message has in it is no reason to refuse a row, or those beside it.
func testHostileTexts(t *testing.T, db *store.DB) {
	ctx := context.Background()
	row := func(id, method store.Value) []store.Value {
		return []store.Value{id, method, store.String("2026-11-30 00:00:00")}
	}
	add := func(rows ...[]store.Value) error {
		_, err := db.Apply(ctx, store.Change{Verb: store.VerbInsert, Table: "missed_calls", Columns: []string{"callid", "method", "time"}, Rows: rows})
		return err
	}
	read := func() string {
		t.Helper()
		res, err := db.Select(ctx, store.Select{Table: "missed_calls", Columns: []string{"callid"}, Order: "id"})
		if err != nil {
			t.Fatal(err)
		}
		var list []string
		for i := range res.Len() {
			list = append(list, res.Row(i)[0].Text())
		}
		return strings.Join(list, "|")
	}
	clear := func() {
		if _, err := db.Delete(ctx, "missed_calls"); err != nil {
			t.Fatal(err)
		}
	}
	clear()
	embedded := db.URL().Scheme == store.SQLite
	if err := add(row(store.String("good"), store.String("INVITE")), row(store.String("T\xe9l\x00é"), store.String("INVITE"))); err != nil {
		t.Errorf("a text that is no UTF-8: %v", err)
	}
	if want := `good|T\xE9l\x00é`; !embedded && read() != want {
		t.Errorf("the table has %q, want %q", read(), want)
	}
	clear()
	long := strings.Repeat("é", 64)
	for range 2 { // the second time it is known
		if err := add(row(store.Cuttable("good"), store.String("INVITE")), row(store.Cuttable(long+"rest"), store.String("INVITE"))); err != nil {
			t.Errorf("a text that may be cut: %v", err)
		}
	}
	if want := "good|" + long + "|good|" + long; !embedded && read() != want {
		t.Errorf("the table has %q", read())
	}
	if n := db.Statistics().Cut; !embedded && n != 2 {
		t.Errorf("%d texts were cut, want 2", n)
	}
	clear()
	err := add(row(store.String(long+"rest"), store.String("INVITE")))
	if !embedded && (err == nil || !store.Refused(err)) {
		t.Errorf("a text that is not to be cut: %v", err)
	}
	clear()
}
