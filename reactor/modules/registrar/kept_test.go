package registrar_test

import (
	"os"
	"strings"
	"testing"

	"sipreactor/reactor/modules/db_sqlite"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/store"
	"sipreactor/reactor/store/storetest"
)

// TestKept: what the database has not taken when the program stops is there in the next life, whether the database takes it
// then or not: contacts that are new, that were refreshed, and that went. The file goes once the database has it all.
func TestKept(t *testing.T) {
	url := storetest.SQLite(t)
	if err := store.Create(t.Context(), url, "location"); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	text := moduletest.Head("signaling", "usrloc", "registrar", "sipmsgops", "db_sqlite") + `
modparam("usrloc", "working_mode_preset", "single-instance-sql-write-back")
modparam("usrloc", "db_url", "` + url + `")
modparam("registrar", "min_expires", 1)
route { save("location"); }
`
	life := func(name string, f func(t *testing.T, b *moduletest.Bench)) {
		t.Helper()
		if !t.Run(name, func(t *testing.T) { f(t, moduletest.In(t, dir, text, append(all, db_sqlite.New)...)) }) {
			t.FailNow()
		}
	}
	files := func() int {
		list, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	has := func(t *testing.T, b *moduletest.Bench, want ...string) {
		t.Helper()
		got := b.Command(t, "ul_show_contact", []string{"location", "alice"})
		for _, c := range want {
			if !strings.Contains(got, `"Contact":"`+c+`"`) {
				t.Errorf("%s is not in %s", c, got)
			}
		}
		if n := strings.Count(got, `"Contact":`); n != len(want) {
			t.Errorf("%d contacts, want %d: %s", n, len(want), got)
		}
	}
	life("the database is there", func(_ *testing.T, b *moduletest.Bench) {
		b.Receive(register(1, "Contact: <sip:stays@192.0.2.9>, <sip:goes@192.0.2.9>, <sip:again@192.0.2.9>;expires=1000"))
	})
	var free func()
	life("it takes nothing", func(inner *testing.T, b *moduletest.Bench) {
		has(inner, b, "sip:stays@192.0.2.9", "sip:goes@192.0.2.9", "sip:again@192.0.2.9")
		free = storetest.LockSQLite(t, url)
		b.Receive(register(2, "Contact: <sip:goes@192.0.2.9>;expires=0, <sip:again@192.0.2.9>;expires=2000, <sip:new,x@192.0.2.9>;+sip.instance=\"<urn:uuid:1>\""))
		if got := b.Status(); got != "200" {
			inner.Fatal(got)
		}
	})
	if files() != 1 {
		t.Fatal("nothing is kept")
	}
	life("it still takes nothing", func(inner *testing.T, b *moduletest.Bench) {
		has(inner, b, "sip:stays@192.0.2.9", "sip:again@192.0.2.9", "sip:new,x@192.0.2.9")
		b.Receive(register(3, "Contact: <sip:later@192.0.2.9>"))
	})
	free()
	life("it is back", func(inner *testing.T, b *moduletest.Bench) {
		has(inner, b, "sip:stays@192.0.2.9", "sip:again@192.0.2.9", "sip:new,x@192.0.2.9", "sip:later@192.0.2.9")
		if got := b.Command(inner, "ul_flush", nil); got != `"OK"` {
			t.Error(got)
		}
		if files() != 0 {
			t.Error("the file stays")
		}
		var texts []string
		rows, err := openDB(t, url).Select(t.Context(), store.Select{Table: "location", Columns: []string{"contact", "expires", "last_modified"}})
		if err != nil {
			t.Fatal(err)
		}
		for i := range rows.Len() {
			texts = append(texts, rows.Row(i)[0].Text())
		}
		if got := strings.Join(texts, " "); rows.Len() != 4 || strings.Contains(got, "goes") {
			t.Errorf("the database has %s", got)
		}
	})
	life("behind it", func(inner *testing.T, b *moduletest.Bench) {
		has(inner, b, "sip:stays@192.0.2.9", "sip:again@192.0.2.9", "sip:new,x@192.0.2.9", "sip:later@192.0.2.9")
	})
}

func openDB(t *testing.T, url string) *store.DB {
	t.Helper()
	db, err := store.Open(url, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}
