package registrar_test

import (
	"strings"
	"testing"

	"sipreactor/reactor/internal/waittest"
	"sipreactor/reactor/modules/db_sqlite"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/store"
)

// stored lists the URIs of the rows of a database, in their order.
func storedURIs(t *testing.T, url string) string {
	t.Helper()
	db, err := store.Open(url, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Select(t.Context(), store.Select{Table: "location", Columns: []string{"contact"}, Order: "contact"})
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for i := range rows.Len() {
		list = append(list, rows.Row(i)[0].Text())
	}
	return strings.Join(list, "|")
}

// execute runs a statement.
func execute(t *testing.T, url, text string) {
	t.Helper()
	db, err := store.Open(url, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(t.Context(), new(store.Statement).SQL(text)); err != nil {
		t.Fatal(err)
	}
}

// TestWriteThrough: what is answered is stored.
func TestWriteThrough(t *testing.T) {
	for _, mode := range []string{"single-instance-sql-write-through", "sql-only"} {
		t.Run(mode, func(t *testing.T) {
			url := "sqlite://" + t.TempDir() + "/sip.db"
			if err := store.Create(t.Context(), url, "location"); err != nil {
				t.Fatal(err)
			}
			b := moduletest.New(t, moduletest.Head("signaling", "usrloc", "registrar", "db_sqlite")+`
modparam("usrloc", "working_mode_preset", "`+mode+`")
modparam("usrloc", "db_url", "`+url+`")
modparam("usrloc", "timer_interval", 3600)
route { if (is_method("REGISTER")) save("location"); else remove("location", "sip:alice@example.org"); }
loadmodule "sipmsgops.so"
`, append(all, db_sqlite.New)...)
			for i, s := range []struct{ contacts, want string }{
				{"Contact: <sip:a@192.0.2.9>, <sip:b@192.0.2.9>", "sip:a@192.0.2.9|sip:b@192.0.2.9"},
				{"Contact: <sip:a@192.0.2.9>;expires=0", "sip:b@192.0.2.9"},
				{"Contact: *|Expires: 0", ""},
				{"Contact: <sip:c@192.0.2.9>", "sip:c@192.0.2.9"},
			} {
				b.Receive(register(i+1, s.contacts))
				if got := b.Status(); got != "200" {
					t.Fatalf("%s: %s", s.contacts, got)
				}
				if got := storedURIs(t, url); got != s.want {
					t.Errorf("behind %s: %s", s.contacts, got)
				}
			}
			b.Receive(moduletest.CRLF("MESSAGE sip:alice@example.org SIP/2.0\nVia: SIP/2.0/TLS 10.0.0.9:5061;branch=z9hG4bKm\nMax-Forwards: 70\n" +
				"From: <sip:bob@example.org>;tag=f\nTo: <sip:alice@example.org>\nCall-ID: m\nCSeq: 1 MESSAGE\nContent-Length: 0\n\n"))
			if got := storedURIs(t, url); got != "" {
				t.Errorf("behind remove(): %s", got)
			}
			execute(t, url, "DROP TABLE location")
			b.Receive(register(9, "Contact: <sip:d@192.0.2.9>"))
			want := "200" // what the database does not take waits
			if mode == "sql-only" {
				want = "500"
			}
			if got := b.Status(); got != want {
				t.Errorf("without a table: %s, want %s", got, want)
			}
		})
	}
}

// TestShared: two servers have one table, and what one saves or removes the other has.
func TestShared(t *testing.T) {
	url := "sqlite://" + t.TempDir() + "/sip.db"
	if err := store.Create(t.Context(), url, "location"); err != nil {
		t.Fatal(err)
	}
	text := moduletest.Head("signaling", "usrloc", "registrar", "sipmsgops", "db_sqlite") + `
modparam("usrloc", "working_mode_preset", "sql-only")
modparam("usrloc", "db_url", "` + url + `")
modparam("usrloc", "timer_interval", 1)
modparam("registrar", "max_contacts", 2)
modparam("registrar", "min_expires", 1)
route {
	if (is_method("REGISTER")) { save("location"); exit; }
	if (is_registered("location", "sip:alice@example.org")) xlog("registered");
	lookup("location"); $var(rc) = $rc; xlog("$var(rc) $ru");
}
`
	one := moduletest.New(t, text, append(all, db_sqlite.New)...)
	two := moduletest.New(t, text, append(all, db_sqlite.New)...)
	look := func(b *moduletest.Bench) string {
		before := len(b.Lines())
		b.Receive(moduletest.CRLF("MESSAGE sip:alice@example.org SIP/2.0\nVia: SIP/2.0/TLS 10.0.0.9:5061;branch=z9hG4bKm\nMax-Forwards: 70\n" +
			"From: <sip:bob@example.org>;tag=f\nTo: <sip:alice@example.org>\nCall-ID: m\nCSeq: 1 MESSAGE\nContent-Length: 0\n\n"))
		lines := b.Lines()
		if len(lines) < before {
			before = 0
		}
		return strings.Join(lines[before:], "|")
	}
	save := func(b *moduletest.Bench, seq int, contacts, want string) {
		t.Helper()
		b.Receive(register(seq, contacts))
		if got := b.Status(); got != want {
			t.Errorf("%s: %s, want %s", contacts, got, want)
		}
	}
	save(one, 1, "Contact: <sip:a@192.0.2.9>", "200")
	if got := look(two); got != "registered|1 sip:a@192.0.2.9" {
		t.Errorf("the other server finds %s", got)
	}
	save(two, 2, "Contact: <sip:b@192.0.2.9>", "200")
	save(one, 3, "Contact: <sip:c@192.0.2.9>", "503") // it counts both
	save(one, 1, "Contact: <sip:b@192.0.2.9>", "400") // and knows the CSeq of the other
	save(two, 4, "Contact: <sip:a@192.0.2.9>;expires=0", "200")
	if got := look(one); got != "registered|1 sip:b@192.0.2.9" {
		t.Errorf("behind a removal by the other: %s", got)
	}
	save(two, 5, "Contact: <sip:b@192.0.2.9>;expires=600", "200")
	if got := one.Command(t, "ul_show_contact", []string{"location", "alice"}); !strings.Contains(got, `"Cseq":5`) {
		t.Errorf("management shows %s", got)
	}
	if got := one.Command(t, "ul_rm_contact", []string{"location", "alice", "sip:b@192.0.2.9"}); !strings.Contains(got, "OK") {
		t.Errorf("ul_rm_contact: %s", got)
	}
	if got := look(two); got != "-1 sip:alice@example.org" {
		t.Errorf("behind a removal by management: %s", got)
	}
	save(one, 6, "Contact: <sip:d@192.0.2.9>;expires=1", "200")
	waittest.For(t, "the row of a contact that is over goes", func() bool { return storedURIs(t, url) == "" })
}

// TestKeys keeps texts with a user.
func TestKeys(t *testing.T) {
	b := moduletest.New(t, moduletest.Head("signaling", "usrloc", "registrar", "sipmsgops")+`
route {
	if (is_method("REGISTER")) { save("location", "no-reply"); }
	$var(add) = ul_add_key("location", "$tU@$td", "route", "<sip:edge;lr>");
	$var(get) = ul_get_key("location", "sip:$tU@$td", "route", $avp(kept));
	$var(del) = ul_del_key("location", "$tU", "route");
	$var(none) = ul_get_key("location", "$tU", "route", $avp(other));
	xlog("$var(add) $var(get) $avp(kept) $var(del) $var(none)");
}
`, all...)
	b.Receive(moduletest.CRLF("MESSAGE sip:alice@example.org SIP/2.0\nVia: SIP/2.0/TLS 10.0.0.9:5061;branch=z9hG4bKm\nMax-Forwards: 70\n" +
		"From: <sip:bob@example.org>;tag=f\nTo: <sip:alice@example.org>\nCall-ID: m\nCSeq: 1 MESSAGE\nContent-Length: 0\n\n"))
	b.Receive(register(1, "Contact: <sip:a@192.0.2.9>"))
	got := strings.Join(b.Lines(), "|")
	if want := "1 1 <sip:edge;lr> 1 -1"; !strings.HasSuffix(got, want) {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestRefusedContact: a contact that the database refuses keeps no others from being stored.
func TestRefusedContact(t *testing.T) {
	url := "sqlite://" + t.TempDir() + "/sip.db"
	if err := store.Create(t.Context(), url, "location"); err != nil {
		t.Fatal(err)
	}
	execute(t, url, "CREATE TRIGGER refuse BEFORE INSERT ON location WHEN NEW.contact = 'sip:bad@h' BEGIN SELECT RAISE(ABORT, 'too long'); END")
	b := moduletest.New(t, moduletest.Head("signaling", "usrloc", "registrar", "db_sqlite")+`
modparam("usrloc", "working_mode_preset", "single-instance-sql-write-back")
modparam("usrloc", "db_url", "`+url+`")
modparam("usrloc", "timer_interval", 3600)
route { save("location"); }
`, append(all, db_sqlite.New)...)
	b.Receive(register(1, "Contact: <sip:a@h>, <sip:bad@h>, <sip:c@h>"))
	if got := b.Command(t, "ul_flush", nil); !strings.Contains(got, "OK") {
		t.Error(got)
	}
	if got := storedURIs(t, url); got != "sip:a@h|sip:c@h" {
		t.Errorf("stored are %s", got)
	}
}

// TestRefusedAlone: of two that write together, the database refuses the contact of one, and the other is not told.
func TestRefusedAlone(t *testing.T) {
	url := "sqlite://" + t.TempDir() + "/sip.db"
	if err := store.Create(t.Context(), url, "location"); err != nil {
		t.Fatal(err)
	}
	execute(t, url, "CREATE TRIGGER refuse BEFORE INSERT ON location WHEN NEW.contact = 'sip:bad@h' BEGIN SELECT RAISE(ABORT, 'too long'); END")
	b := moduletest.New(t, moduletest.Head("signaling", "usrloc", "registrar", "db_sqlite")+`
modparam("usrloc", "working_mode_preset", "sql-only")
modparam("usrloc", "db_url", "`+url+`")
modparam("usrloc", "timer_interval", 3600)
route { save("location"); }
`, append(all, db_sqlite.New)...)
	for i, s := range []struct{ contact, want string }{
		{"sip:bad@h", "500"}, {"sip:a@h", "200"}, {"sip:bad@h", "500"}, {"sip:b@h", "200"},
	} {
		b.Receive(register(i+1, "Contact: <"+s.contact+">"))
		if got := b.Status(); got != s.want {
			t.Errorf("%s: %s, want %s", s.contact, got, s.want)
		}
	}
	if got := storedURIs(t, url); got != "sip:a@h|sip:b@h" {
		t.Errorf("stored are %s", got)
	}
	if got := b.Lines(); strings.Contains(strings.Join(got, "\n"), "they wait") {
		t.Errorf("the log: %q", got)
	}
}
