package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor/store"
	"sipreactor/reactor/store/storetest"
)

func TestSQLite(t *testing.T) { testDatabase(t, storetest.SQLite(t)) }

func TestMariaDB(t *testing.T) {
	s := storetest.MariaDB(t)
	testDatabase(t, s.URL("sip"))
	testOutage(t, s, s.URL("sip"))
}

func TestPostgres(t *testing.T) {
	s := storetest.Postgres(t)
	testDatabase(t, s.URL("sip"))
	testOutage(t, s, s.URL("sip"))
}

func open(t *testing.T, url string, o store.Options) *store.DB {
	t.Helper()
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Second // thousands of rows take a busy machine longer than the usual three
	}
	db, err := store.Open(url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// testDatabase is what every kind of database that speaks SQL does.
func testDatabase(t *testing.T, url string) {
	ctx := context.Background()
	if err := store.Create(ctx, url); err != nil {
		t.Fatal(err)
	}
	db := open(t, url, store.Options{Timeout: time.Minute}) // 9,000 rows in one statement, on any machine
	t.Run("create", func(t *testing.T) { testCreated(t, db, url) })
	t.Run("values", func(t *testing.T) { testValues(t, db) })
	t.Run("changes", func(t *testing.T) { testChanges(t, db) })
	t.Run("hostile texts", func(t *testing.T) { testHostileTexts(t, db) })
	t.Run("conditions", func(t *testing.T) { testConditions(t, db) })
	t.Run("load", func(t *testing.T) { testLoad(t, db) })
	t.Run("query", func(t *testing.T) { testQuery(t, db) })
	t.Run("migrate", func(t *testing.T) { testMigrate(t, db, url) })
}

func testCreated(t *testing.T, db *store.DB, url string) {
	ctx := context.Background()
	for _, l := range store.Layouts() {
		have, err := db.Columns(ctx, l.Table)
		if err != nil {
			t.Errorf("%s: %v", l.Table, err)
			continue
		}
		if len(have) != len(l.Columns) {
			t.Errorf("%s has %d columns, want %d", l.Table, len(have), len(l.Columns))
		}
	}
	if err := db.CheckVersion(ctx, "dispatcher", 9); err != nil {
		t.Error(err)
	}
	var v *store.VersionError
	if err := db.CheckVersion(ctx, "dispatcher", 10); !errors.As(err, &v) || v.Found != 9 || v.Wanted != 10 {
		t.Errorf("another version: %v", err)
	}
	if err := db.CheckVersion(ctx, "mine", 1); !errors.As(err, &v) || v.Found != -1 {
		t.Errorf("a table without a version: %v", err)
	}
	if err := store.Create(ctx, url); err == nil || !strings.Contains(err.Error(), "is there already") {
		t.Errorf("a second time: %v", err)
	}
	if err := store.Create(ctx, url, "nonsense"); err == nil || !strings.Contains(err.Error(), "no standard table") {
		t.Errorf("an unknown table: %v", err)
	}
	if steps, err := store.Migrate(ctx, url); err != nil || len(steps) != 0 {
		t.Errorf("nothing to migrate: %v, %v", steps, err)
	}
}

// hostile are texts that have something to do with SQL.
var hostile = []string{
	"", "'", "''", `\`, `\'`, `a\`, `"`, "`", "?", "$1", ":a", "%", "-- x", "; DROP TABLE grp", "/*", "ü€😀", "a\tb\r\nc", "' OR '1'='1", `\' OR 1=1 -- `,
}

func testValues(t *testing.T, db *store.DB) {
	ctx := context.Background()
	for i, text := range hostile {
		name := store.String(fmt.Sprintf("h%d", i))
		if err := db.Insert(ctx, "grp", store.Set{Column: "username", Value: name}, store.Set{Column: "grp", Value: store.String(text)}); err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		res, err := db.Select(ctx, store.Select{Table: "grp", Columns: []string{"username", "grp"}, Where: []store.Cond{store.Equal("grp", store.String(text))}})
		if err != nil || res.Len() != 1 || res.Row(0)[1] != store.String(text) {
			t.Errorf("%q: %+v, %v", text, res, err)
		}
		// The same by a statement of which the text is a value.
		res, err = db.Query(ctx, new(store.Statement).SQL("SELECT grp FROM grp WHERE username=").Value(name).SQL(" AND grp=").Value(store.String(text)))
		if err != nil || res.Len() != 1 || res.Row(0)[0] != store.String(text) {
			t.Errorf("%q by a statement: %+v, %v", text, res, err)
		}
	}
	// A number goes into a column of texts, a text of digits into one of numbers; numbers come back as numbers.
	when := time.Date(2026, 2, 3, 4, 5, 6, 0, time.Local)
	err := db.Insert(ctx, "location", store.Set{Column: "contact_id", Value: store.Int(1 << 60)}, store.Set{Column: "username", Value: store.Int(42)},
		store.Set{Column: "contact", Value: store.String("sip:x")}, store.Set{Column: "expires", Value: store.String("4000000000")},
		store.Set{Column: "q", Value: store.Float(0.25)}, store.Set{Column: "last_modified", Value: store.Time(when)}, store.Set{Column: "domain", Value: store.Null})
	if err != nil {
		t.Fatal(err)
	}
	columns := []string{"contact_id", "username", "expires", "q", "last_modified", "domain", "cseq"}
	err = db.Load(ctx, store.Select{Table: "location", Columns: columns, Where: []store.Cond{store.Equal("username", store.Int(42))}}, func(r *store.Row) error {
		if r.Value(0) != store.Int(1<<60) || r.Value(1) != store.String("42") || r.Value(2) != store.Int(4000000000) || r.Value(3) != store.Float(0.25) {
			t.Errorf("values %v %v %v %v", r.Value(0), r.Value(1), r.Value(2), r.Value(3))
		}
		if !r.Time(4).Equal(when) {
			t.Errorf("time %v, want %v", r.Time(4), when)
		}
		if !r.IsNull(5) || r.Text(5) != "" || r.Int(5) != 0 || r.Int(6) != 13 {
			t.Errorf("NULL %v, default %v", r.Value(5), r.Value(6))
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	// Bytes of any kind go into a column of them.
	key := "-----BEGIN\n\\x41'\x00\x30\x82\x01\xff\xfe"
	if err := db.Insert(ctx, "tls_mgm", store.Set{Column: "domain", Value: store.String("a")}, store.Set{Column: "private_key", Value: store.Bytes(key)}); err != nil {
		t.Error(err)
	}
	res, err := db.Select(ctx, store.Select{Table: "tls_mgm", Columns: []string{"private_key"}})
	if err != nil || res.Len() != 1 || res.Row(0)[0] != store.String(key) {
		t.Errorf("bytes: %+v, %v", res, err)
	}
}

func testChanges(t *testing.T, db *store.DB) {
	ctx := context.Background()
	columns := []string{"username", "domain", "grp"}
	row := func(u, g string) []store.Value {
		return []store.Value{store.String(u), store.String("c"), store.String(g)}
	}
	count := func(where ...store.Cond) int {
		t.Helper()
		res, err := db.Select(ctx, store.Select{Table: "grp", Where: append(where, store.Equal("domain", store.String("c")))})
		if err != nil {
			t.Fatal(err)
		}
		return res.Len()
	}
	var many [][]store.Value
	for i := range 9000 { // more than a statement takes
		many = append(many, row(fmt.Sprintf("u%d", i), "g"))
	}
	if n, err := db.Apply(ctx, store.Change{Verb: store.VerbInsert, Table: "grp", Columns: columns, Rows: many}); err != nil || n != 9000 {
		t.Fatalf("%d rows, %v", n, err)
	}
	// All or none.
	_, err := db.Apply(ctx,
		store.Change{Verb: store.VerbDelete, Table: "grp", Where: []store.Cond{store.Equal("domain", store.String("c"))}},
		store.Change{Verb: store.VerbInsert, Table: "grp", Columns: []string{"nocolumn"}, Rows: [][]store.Value{{store.Null}}})
	if err == nil || count() != 9000 {
		t.Errorf("after a change that failed %d rows, %v", count(), err)
	}
	if n, err := db.Update(ctx, "grp", []store.Set{{Column: "grp", Value: store.String("h")}}, store.Equal("username", store.String("u7"))); err != nil || n != 1 {
		t.Errorf("update %d, %v", n, err)
	}
	if n, err := db.Delete(ctx, "grp", store.Equal("grp", store.String("g")), store.Equal("domain", store.String("c"))); err != nil || n != 8999 || count() != 1 {
		t.Errorf("delete %d, %v", n, err)
	}
	key := []string{"username", "domain", "grp"}
	set := append([]string{"last_modified"}, columns...)
	for _, when := range []string{"2026-01-01 00:00:00", "2026-01-02 00:00:00"} {
		rows := [][]store.Value{append([]store.Value{store.String(when)}, row("u7", "h")...), append([]store.Value{store.String(when)}, row("new", "h")...)}
		if _, err := db.Apply(ctx, store.Change{Verb: store.VerbUpsert, Table: "grp", Key: key, Columns: set, Rows: rows}); err != nil {
			t.Fatal(err)
		}
	}
	res, err := db.Select(ctx, store.Select{Table: "grp", Columns: []string{"username", "last_modified"}, Where: []store.Cond{store.Equal("domain", store.String("c"))}, Order: "username"})
	if err != nil || res.Len() != 2 || res.Row(0)[1] != store.String("2026-01-02 00:00:00") {
		t.Errorf("upsert: %+v, %v", res, err)
	}
	err = db.Replace(ctx, "grp", store.Set{Column: "username", Value: store.String("new")}, store.Set{Column: "domain", Value: store.String("c")}, store.Set{Column: "grp", Value: store.String("h")})
	if db.URL().Scheme == store.Postgres {
		if !errors.Is(err, store.ErrUnsupported) {
			t.Errorf("replace: %v", err)
		}
	} else if err != nil || count() != 2 {
		t.Errorf("replace: %d rows, %v", count(), err)
	}
	if err := db.Insert(ctx, "grp", store.Set{Column: "grp` x", Value: store.Null}); err == nil || !strings.Contains(err.Error(), "is no name") {
		t.Errorf("a column that is none: %v", err)
	}
}

func testMigrate(t *testing.T, db *store.DB, url string) {
	ctx := context.Background()
	exec := func(text string) {
		t.Helper()
		if _, err := db.Exec(ctx, new(store.Statement).SQL(text)); err != nil {
			t.Fatal(err)
		}
	}
	exec("DROP TABLE domain")
	exec("CREATE TABLE domain (id INTEGER PRIMARY KEY NOT NULL, domain VARCHAR(10) NOT NULL)")
	exec("INSERT INTO domain (id, domain) VALUES (7, 'old.org')")
	exec("UPDATE version SET table_version=2 WHERE table_name='domain'")
	exec("DROP TABLE speed_dial")
	exec("DELETE FROM version WHERE table_name='speed_dial'")
	steps, err := store.Migrate(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	if all := strings.Join(steps, "; "); !strings.Contains(all, "table domain: column attrs added") || !strings.Contains(all, "table speed_dial: made") {
		t.Errorf("%s", all)
	}
	err = db.Load(ctx, store.Select{Table: "domain", Version: 4, Columns: []string{"id", "domain", "attrs", "accept_subdomain"}}, func(r *store.Row) error {
		if r.Int(0) != 7 || r.Text(1) != "old.org" || !r.IsNull(2) || r.Int(3) != 0 {
			t.Errorf("%v %v %v %v", r.Value(0), r.Value(1), r.Value(2), r.Value(3))
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if db.URL().Scheme != store.SQLite {
		exec("INSERT INTO domain (id, domain) VALUES (8, 'longer.than.before.org')")
	}
	exec("UPDATE version SET table_version=99 WHERE table_name='domain'")
	if _, err := store.Migrate(ctx, url); err == nil || !strings.Contains(err.Error(), "version 99") {
		t.Errorf("a newer one: %v", err)
	}
}
