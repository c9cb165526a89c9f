package store_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"sipreactor/reactor/store"
	"sipreactor/reactor/store/storetest"
)

func testConditions(t *testing.T, db *store.DB) {
	ctx := context.Background()
	for i, attrs := range []store.Value{store.Null, store.String("a"), store.String("b"), store.String("ab")} {
		err := db.Insert(ctx, "dispatcher", store.Set{Column: "setid", Value: store.Int(int64(i))}, store.Set{Column: "attrs", Value: attrs})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		cond store.Cond
		want string
	}{
		{store.Equal("attrs", store.Null), "0"},
		{store.Cond{Column: "attrs", Op: "!=", Value: store.Null}, "123"},
		{store.Cond{Column: "attrs", Op: "!=", Value: store.String("a")}, "23"},
		{store.Cond{Column: "attrs", Op: "like", Value: store.String("a%")}, "13"},
		{store.Cond{Column: "setid", Op: ">=", Value: store.Int(2)}, "23"},
		{store.Cond{Column: "setid", Op: "<", Value: store.String("2")}, "01"},
		{store.Equal("setid", store.Int(3)), "3"},
		{store.Cond{Column: "attrs", Any: []store.Value{store.String("b"), store.String("ab"), store.String("'")}}, "23"},
	} {
		res, err := db.Select(ctx, store.Select{Table: "dispatcher", Columns: []string{"setid"}, Where: []store.Cond{c.cond}, Order: "setid"})
		if err != nil {
			t.Errorf("%v: %v", c.cond, err)
			continue
		}
		got := ""
		for i := range res.Len() {
			got += res.Row(i)[0].Text()
		}
		if got != c.want {
			t.Errorf("%v: %s, want %s", c.cond, got, c.want)
		}
	}
	for _, c := range []store.Cond{{Column: "setid", Op: "= 1 OR"}, {Column: "setid", Op: "<", Value: store.Null}} {
		if _, err := db.Select(ctx, store.Select{Table: "dispatcher", Where: []store.Cond{c}}); err == nil {
			t.Errorf("%v: no error", c)
		}
	}
	res, err := db.Select(ctx, store.Select{Table: "dispatcher", Limit: 2})
	if err != nil || res.Len() != 2 {
		t.Errorf("limit: %+v, %v", res, err)
	}
}

func testLoad(t *testing.T, db *store.DB) {
	ctx := context.Background()
	if err := db.Insert(ctx, "domain", store.Set{Column: "domain", Value: store.String("example.org")}, store.Set{Column: "attrs", Value: store.String("seven")}); err != nil {
		t.Fatal(err)
	}
	q := store.Select{Table: "domain", Version: 4, Columns: []string{"id", "domain"}, Optional: []string{"nothing", "attrs"}}
	n := 0
	err := db.Load(ctx, q, func(r *store.Row) error {
		n++
		if r.Text(1) != "example.org" || !r.IsNull(2) || r.Text(3) != "seven" {
			t.Errorf("%v %v %v", r.Value(1), r.Value(2), r.Value(3))
		}
		return nil
	})
	if err != nil || n != 1 {
		t.Errorf("%d rows, %v", n, err)
	}
	err = db.Load(ctx, q, func(r *store.Row) error { r.Int(3); return nil })
	var row *store.RowError
	if !errors.As(err, &row) || err.Error() != `table domain, id=1, column attrs: "seven" is no number` {
		t.Errorf("a number that is none: %v", err)
	}
	err = db.Load(ctx, q, func(r *store.Row) error { r.Int(3); r.Err(); return nil })
	if err != nil {
		t.Errorf("a row that was left out: %v", err)
	}
	err = db.Load(ctx, q, func(r *store.Row) error { return r.Fault(-1, "two domains of one name") })
	if err == nil || err.Error() != "table domain, id=1: two domains of one name" {
		t.Errorf("a fault: %v", err)
	}
	q.Version = 5
	if err := db.Load(ctx, q, nil); err == nil || !strings.Contains(err.Error(), "version 5 is wanted") {
		t.Errorf("another version: %v", err)
	}
	if db.Statistics().Down {
		t.Error("what is wrong with a row makes the database one that is gone")
	}
}

func testQuery(t *testing.T, db *store.DB) {
	ctx := context.Background()
	res, err := db.Query(ctx, new(store.Statement).SQL("SELECT 1+1 AS two, 'x' AS x, NULL AS n"))
	if err != nil {
		t.Fatal(err)
	}
	if two, _ := res.Row(0)[0].Int(); res.Len() != 1 || len(res.Columns) != 3 || two != 2 || res.Row(0)[1] != store.String("x") || !res.Row(0)[2].IsNull() {
		t.Errorf("%+v", res)
	}
	res, err = db.Query(ctx, new(store.Statement).SQL("SELECT grp FROM grp WHERE 1=0"))
	if err != nil || res.Len() != 0 || len(res.Columns) != 1 {
		t.Errorf("nothing: %+v, %v", res, err)
	}
	res, err = db.Query(ctx, new(store.Statement).SQL("INSERT INTO grp (username, domain, grp) VALUES ('q', 'q', 'q')"))
	if err != nil || res.Len() != 0 || len(res.Columns) != 0 {
		t.Errorf("an insert: %+v, %v", res, err)
	}
	n, err := db.Exec(ctx, new(store.Statement).SQL("DELETE FROM grp WHERE username=").Value(store.String("q")))
	if err != nil || n != 1 {
		t.Errorf("%d rows, %v", n, err)
	}
	if _, err = db.Query(ctx, new(store.Statement).SQL("SELEKT 1")); err == nil || strings.Contains(err.Error(), storetest.Password) {
		t.Errorf("nonsense: %v", err)
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err = db.Query(cancelled, new(store.Statement).SQL("SELECT 1")); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
