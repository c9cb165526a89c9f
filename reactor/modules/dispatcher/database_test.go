package dispatcher_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"sipreactor/reactor/modules/db_sqlite"
	"sipreactor/reactor/modules/dispatcher"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/proto_tcp"
	"sipreactor/reactor/modules/proto_tls"
	"sipreactor/reactor/modules/proto_udp"
	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
)

// database makes a SQLite database with the table dispatcher of two destinations.
func database(t *testing.T) (url string, db *store.DB) {
	t.Helper()
	url = "sqlite://" + filepath.Join(t.TempDir(), "sip.db")
	if err := store.Create(t.Context(), url, "dispatcher"); err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(url, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	for i, state := range []int64{0, 1} {
		if err := db.Insert(t.Context(), "dispatcher", store.Set{Column: "setid", Value: store.Int(1)}, store.Set{Column: "destination", Value: store.String(fmt.Sprintf("sip:10.0.0.%d", i+1))},
			store.Set{Column: "state", Value: store.Int(state)}); err != nil {
			t.Fatal(err)
		}
	}
	return url, db
}

// states reads the states that the table has, ordered by destination.
func states(t *testing.T, db *store.DB) (s string) {
	t.Helper()
	if err := db.Load(t.Context(), store.Select{Table: "dispatcher", Columns: []string{"state"}, Order: "destination"}, func(r *store.Row) error {
		s += r.Text(0)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestDatabase: states are read from the table, and written to it.
func TestDatabase(t *testing.T) {
	for _, persistent := range []bool{true, false} {
		t.Run(fmt.Sprint(persistent), func(t *testing.T) {
			url, db := database(t)
			text := moduletest.Head("db_sqlite", "dispatcher") + fmt.Sprintf("modparam(\"dispatcher\", \"db_url\", %q)\n", url)
			if !persistent {
				text += "modparam(\"dispatcher\", \"persistent_state\", 0)\n"
			}
			t.Run("module", func(t *testing.T) {
				b := moduletest.New(t, text+`route { ds_select_dst(1, 8); ds_mark_dst(); ds_select_dst(1, 8); xlog("$rc"); }`, db_sqlite.New, dispatcher.New)
				b.Receive(moduletest.Invite)
				want := "-1"
				if !persistent {
					want = "1"
				}
				if got := lines(b.Log); got != want {
					t.Errorf("%s", got)
				}
				if got := b.Ask(t, "ds_set_state", `["a", "1", "sip:10.0.0.2"]`); got != `"OK"` {
					t.Error(got)
				}
			}) // at whose end the module stops
			want := "10"
			if !persistent {
				want = "01"
			}
			if got := states(t, db); got != want {
				t.Errorf("states %s, want %s", got, want)
			}
		})
	}
}

// TestWrongVersion: a table of another layout is not read.
func TestWrongVersion(t *testing.T) {
	url, db := database(t)
	if _, err := db.Update(t.Context(), "version", []store.Set{{Column: "table_version", Value: store.Int(7)}}, store.Equal("table_name", store.String("dispatcher"))); err != nil {
		t.Fatal(err)
	}
	l := script.Loader{Modules: []script.Constructor{proto_tcp.New, proto_tls.New, proto_udp.New, db_sqlite.New, dispatcher.New}}
	cfg, err := l.Compile("test.cfg", []byte(moduletest.Head("db_sqlite", "dispatcher")+"db_default_url = \""+url+"\"\nroute { exit; }\n"))
	if err != nil {
		t.Fatal(err)
	}
	if err := cfg.Start(script.Surroundings{}, nil); err == nil || !strings.Contains(err.Error(), "version 9 is wanted") {
		t.Errorf("%v", err)
	}
}
