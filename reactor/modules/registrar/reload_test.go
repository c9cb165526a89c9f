package registrar_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor/internal/waittest"
	"sipreactor/reactor/modules/db_sqlite"
	"sipreactor/reactor/modules/event_route"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/proto_tcp"
	"sipreactor/reactor/modules/proto_tls"
	"sipreactor/reactor/modules/proto_udp"
	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
)

// patience is how long anything may take.
const patience = 20 * time.Second

// reload has the bench run another configuration, as a reload of the script does.
func reload(t *testing.T, b *moduletest.Bench, text string, modules ...script.Constructor) {
	t.Helper()
	l := script.Loader{Modules: append([]script.Constructor{proto_tls.New, proto_udp.New, proto_tcp.New}, modules...)}
	next, err := l.Compile("test.cfg", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	running := make(chan struct{})
	close(running)
	around := script.Surroundings{Log: slog.New(slog.DiscardHandler), Proxy: b.Proxy, Commands: b.Commands, StateDir: t.TempDir(), Running: running}
	if err := next.Start(around, b.Config); err != nil {
		t.Fatal(err)
	}
	b.Proxy.SetRouter(next.Router())
	b.Config.Stop(next)
	b.Config = next
	t.Cleanup(func() { next.Stop(nil) })
}

// TestReload: behind a reload of the script users are found as before, contacts that are over go, and what changes is
// written.
func TestReload(t *testing.T) {
	url := "sqlite://" + t.TempDir() + "/sip.db"
	if err := store.Create(t.Context(), url, "location"); err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(url, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows := func() int {
		r, err := db.Select(t.Context(), store.Select{Table: "location", Columns: []string{"contact"}})
		if err != nil {
			t.Fatal(err)
		}
		return r.Len()
	}
	text := moduletest.Head("signaling", "usrloc", "registrar", "sipmsgops", "db_sqlite", "event_route") + `
modparam("usrloc", "working_mode_preset", "single-instance-sql-write-through")
modparam("usrloc", "db_url", "` + url + `")
modparam("registrar", "min_expires", 1)
route {
	if (is_method("REGISTER")) { save("location"); exit; }
	if (lookup("location")) send_reply(486, "Busy"); else send_reply(404, "Not Found");
}
`
	modules := append([]script.Constructor{db_sqlite.New, event_route.New}, all...)
	b := moduletest.New(t, text, modules...)
	b.Receive(register(1, "Contact: <sip:a@192.0.2.9>"))
	for n := range 2 {
		reload(t, b, text, modules...)
		if got := b.Command(t, "ul_dump", nil); !strings.Contains(got, "sip:a@192.0.2.9") {
			t.Fatalf("behind reload %d management has no contact: %s", n+1, got)
		}
		b.Receive(moduletest.CRLF("MESSAGE sip:alice@example.org SIP/2.0\nVia: SIP/2.0/TLS 10.0.0.9:5061;branch=z9hG4bKm\nMax-Forwards: 70\n" +
			"From: <sip:bob@example.org>;tag=f\nTo: <sip:alice@example.org>\nCall-ID: m\nCSeq: 1 MESSAGE\nContent-Length: 0\n\n"))
		if got := b.Status(); got != "486" {
			t.Errorf("behind reload %d the user is looked up with %s", n+1, got)
		}
		b.Receive(register(2+n, "Contact: <sip:b@192.0.2.9>;expires=1"))
		if got := b.Status(); got != "200" {
			t.Fatalf("behind reload %d: %s", n+1, got)
		}
		waittest.For(t, "the new contact is written", func() bool { return rows() == 2 })
		waittest.For(t, "it is over, and its row went", func() bool { return rows() == 1 })
	}
	if got := b.Command(t, "ul_show_contact", []string{"location", "alice"}); !strings.Contains(got, "sip:a@192.0.2.9") || strings.Contains(got, "sip:b@") {
		t.Errorf("at the end: %s", got)
	}
}
