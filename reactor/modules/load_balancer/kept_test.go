package loadbalancer_test

import (
	"fmt"
	"strings"
	"testing"

	"sipreactor/reactor/internal/waittest"
	"sipreactor/reactor/modules/db_sqlite"
	"sipreactor/reactor/modules/dialog"
	loadbalancer "sipreactor/reactor/modules/load_balancer"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/sl"
	"sipreactor/reactor/modules/tm"
	"sipreactor/reactor/store"
	"sipreactor/reactor/store/storetest"
)

// TestLoadIsKept: what calls take is known again in another life of the program, until they end.
func TestLoadIsKept(t *testing.T) {
	const count = `
	load_balance(1, "pstn");
	load_balance(1, "pstn");
	lb_count_call("127.0.0.1", 5100, 1, "vm");
	lb_count_call("127.0.0.1", 5300, 1, "vm");
	lb_count_call("127.0.0.1", 5300, 1, "vm", 1);
	`
	t.Run("behind create_dialog", func(t *testing.T) {
		loadIsKept(t, `route { create_dialog(); `+count+` t_relay(); }`, "200 OK")
	})
	t.Run("before create_dialog", func(t *testing.T) {
		loadIsKept(t, `route { `+count+` create_dialog(); t_relay(); }`, "200 OK")
	})
	t.Run("create_dialog in a failure_route", func(t *testing.T) {
		loadIsKept(t, `route { `+count+` t_on_failure("f"); t_relay(); } failure_route[f] { route(follow); $du = "sip:127.0.0.1:5200;transport=tls"; t_relay(); } route[follow] { create_dialog(); }`, "404 Not Found", "200 OK")
	})
}

// loadIsKept has two calls that are answered so.
func loadIsKept(t *testing.T, routes string, answers ...string) {
	url := storetest.SQLite(t)
	if err := store.Create(t.Context(), url, "dialog"); err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(head(t), `loadmodule "load_balancer.so"`,
		"loadmodule \"db_sqlite.so\"\nloadmodule \"dialog.so\"\nloadmodule \"load_balancer.so\"", 1) +
		fmt.Sprintf("modparam(\"dialog\", \"db_mode\", 3)\nmodparam(\"dialog\", \"db_url\", %q)\n", url) + routes
	life := func(f func(b *moduletest.Bench)) {
		t.Run("a life", func(t *testing.T) {
			f(moduletest.New(t, text, tm.New, sl.New, dialog.New, loadbalancer.New, db_sqlite.New))
		})
	}
	const taken = "1/pstn=2 1/vm=2"
	life(func(b *moduletest.Bench) {
		for _, id := range []string{"a", "b"} {
			send(b, "INVITE", id, id)
			for _, status := range answers {
				answer(t, b, sent(t, b), status)
			}
		}
		until(t, b, taken)
	})
	life(func(b *moduletest.Bench) {
		until(t, b, taken)
		b.Ask(t, "dlg_end_dlg", `{"dialog_id": "a"}`)
		until(t, b, "1/pstn=1 1/vm=1")
	})
	life(func(b *moduletest.Bench) {
		until(t, b, "1/pstn=1 1/vm=1")
		b.Ask(t, "dlg_end_dlg", `{"dialog_id": "b"}`)
		until(t, b, "")
	})
}

// TestLoadOfCallsReadLater: calls that are read while the program runs count likewise, and each once.
func TestLoadOfCallsReadLater(t *testing.T) {
	url := storetest.SQLite(t)
	if err := store.Create(t.Context(), url, "dialog"); err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(url, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	exec := func(text string) {
		t.Helper()
		if _, err := db.Exec(t.Context(), new(store.Statement).SQL(text)); err != nil {
			t.Fatal(err)
		}
	}
	text := strings.Replace(head(t), `loadmodule "load_balancer.so"`,
		"loadmodule \"db_sqlite.so\"\nloadmodule \"dialog.so\"\nloadmodule \"load_balancer.so\"", 1) +
		fmt.Sprintf("modparam(\"dialog\", \"db_mode\", 3)\nmodparam(\"dialog\", \"db_url\", %q)\n", url) + `route { create_dialog(); load_balance(1, "pstn"); t_relay(); }`
	var one, both string
	t.Run("a life", func(t *testing.T) {
		b := moduletest.New(t, text, tm.New, sl.New, dialog.New, loadbalancer.New, db_sqlite.New)
		call := func(id string) string {
			send(b, "INVITE", id, id)
			answer(t, b, sent(t, b), "200 OK")
			return loads(t, b)
		}
		one, both = call("a"), call("b")
	})
	exec("CREATE TABLE away AS SELECT * FROM dialog")
	exec("DELETE FROM dialog WHERE callid = 'b'")
	t.Run("another", func(t *testing.T) {
		b := moduletest.New(t, text, tm.New, sl.New, dialog.New, loadbalancer.New, db_sqlite.New)
		until(t, b, one)
		exec("DELETE FROM dialog")
		exec("INSERT INTO dialog SELECT * FROM away")
		b.Ask(t, "dlg_db_sync", `{}`)
		until(t, b, both)
		b.Ask(t, "dlg_db_sync", `{}`)
		until(t, b, both)
		b.Ask(t, "dlg_end_dlg", `{"dialog_id": "b"}`)
		until(t, b, one)
	})
}

// until waits for loads of the destinations, which dialogs of a database give behind what reads them.
func until(t *testing.T, b *moduletest.Bench, want string) {
	t.Helper()
	waittest.For(t, "the loads are "+want, func() bool { return loads(t, b) == want })
}
