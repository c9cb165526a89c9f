package registrar_test

import (
	"regexp"
	"strings"
	"testing"

	"sipreactor/reactor/internal/waittest"
	"sipreactor/reactor/modules/db_mysql"
	"sipreactor/reactor/modules/db_postgres"
	"sipreactor/reactor/modules/db_sqlite"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
	"sipreactor/reactor/store/storetest"
)

// TestDatabases writes contacts to each kind of database in each working mode, and reads them in another life of the
// program, which begins while the first one has not ended: as behind a crash, nothing was written at an end.
func TestDatabases(t *testing.T) {
	modules := append([]script.Constructor{db_sqlite.New, db_mysql.New, db_postgres.New}, all...)
	for _, kind := range []struct {
		name string
		url  func(testing.TB) string
	}{
		{"sqlite", storetest.SQLite},
		{"mysql", func(t testing.TB) string { return storetest.MariaDB(t).URL("sip") }},
		{"postgres", func(t testing.TB) string { return storetest.Postgres(t).URL("sip") }},
	} {
		t.Run(kind.name, func(t *testing.T) {
			url := kind.url(t)
			if err := store.Create(t.Context(), url, "location"); err != nil {
				t.Fatal(err)
			}
			modes := []string{
				`modparam("usrloc", "working_mode_preset", "single-instance-sql-write-through")`,
				`modparam("usrloc", "working_mode_preset", "single-instance-sql-write-back")`,
				`modparam("usrloc", "working_mode_preset", "sql-only")`,
				`modparam("usrloc", "db_mode", 1)`, `modparam("usrloc", "db_mode", 2)`, `modparam("usrloc", "db_mode", 3)`,
				"modparam(\"usrloc\", \"working_mode_preset\", \"\")\nmodparam(\"usrloc\", \"cluster_mode\", \"sql-only\")",
				"modparam(\"usrloc\", \"working_mode_preset\", \"\")\nmodparam(\"usrloc\", \"restart_persistency\", \"load-from-sql\")\nmodparam(\"usrloc\", \"sql_write_mode\", \"write-back\")",
			}
			if kind.name != "sqlite" { // the modes are names of these two
				modes = modes[:3]
			}
			for _, mode := range modes {
				stored(t, url, mode, modules)
			}
		})
	}
}

// volatile is what a contact's life begins anew: its state to the database, and the connection that it came by.
var volatile = regexp.MustCompile(`"State":"[A-Z_]*",|,"Connection":\d+|"Expires":\d+,`)

func stored(t *testing.T, url, mode string, modules []script.Constructor) {
	t.Helper()
	text := moduletest.Head("signaling", "usrloc", "registrar", "sipmsgops", "db_sqlite", "db_mysql", "db_postgres") + mode + `
modparam("usrloc", "db_url", "` + url + `")
modparam("usrloc", "timer_interval", 1)
modparam("usrloc", "nat_bflag", "NAT")
modparam("registrar", "received_avp", "$avp(rcv)")
modparam("registrar", "attr_avp", "$avp(attr)")
route { $avp(rcv) = "sip:192.0.2.7:5070;transport=tls"; $avp(attr) = "it's \"quoted\"; é"; setbflag("NAT"); save("location", "path-lazy"); }
`
	first := moduletest.New(t, text, modules...)
	first.Receive(register(1, `Contact: <sip:a@192.0.2.9;x=1>;q=0.5;+sip.instance="<urn:uuid:1>";methods="INVITE, BYE", <sip:b'@192.0.2.9>|Path: <sip:p1;lr>, <sip:p2;lr>|Supported: path`))
	if got := first.Status(); got != "200" {
		t.Fatalf("%s: %s", mode, got)
	}
	show := func(b *moduletest.Bench) string {
		return b.Command(t, "ul_show_contact", []string{"location", "alice"})
	}
	waittest.For(t, mode+": both are written", func() bool { return strings.Count(show(first), `"State":"CS_SYNC"`) == 2 })
	second := moduletest.New(t, text, modules...)
	want, got := volatile.ReplaceAllString(show(first), ""), volatile.ReplaceAllString(show(second), "")
	if got != want || !strings.Contains(got, `é`) {
		t.Errorf("%s: in another life\n%s\nwant\n%s", mode, got, want)
	}
	second.Receive(register(2, "Contact: *|Expires: 0"))
	db, err := store.Open(url, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	waittest.For(t, mode+": the rows went", func() bool {
		rows, err := db.Select(t.Context(), store.Select{Table: "location", Columns: []string{"contact"}})
		return err == nil && rows.Len() == 0
	})
}
