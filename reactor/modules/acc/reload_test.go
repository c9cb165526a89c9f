package acc_test

import (
	"bytes"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sipreactor/reactor/modules/acc"
	"sipreactor/reactor/modules/db_sqlite"
	"sipreactor/reactor/modules/dialog"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/proto_tls"
	"sipreactor/reactor/modules/rr"
	"sipreactor/reactor/modules/signaling"
	"sipreactor/reactor/modules/sipmsgops"
	"sipreactor/reactor/modules/sl"
	"sipreactor/reactor/modules/tm"
	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
)

// TestCDRsOverReload: calls that end at any point of a reload, or whose BYE is not answered when the program ends, have
// their records.
func TestCDRsOverReload(t *testing.T) {
	url := "sqlite://" + filepath.Join(t.TempDir(), "acc.db")
	if err := store.Create(t.Context(), url, "version", "acc", "missed_calls"); err != nil {
		t.Fatal(err)
	}
	text := dialogHead + `
modparam("acc", "db_url", "` + url + `")
route {
	if (has_totag()) { loose_route(); t_relay(); exit; }
	do_accounting("db", "cdr");
	record_route();
	t_relay();
}
`
	b := moduletest.New(t, text, withDialog...)
	first := b.Config
	defer func() { b.Config = first }()
	named := func(call string, message []byte) []byte {
		return []byte(strings.NewReplacer("Call-ID: c1", "Call-ID: "+call, "branch=z9hG4bK", "branch=z9hG4bK"+call).Replace(string(message)))
	}
	all := []string{"ended-before", "ended-meanwhile", "ended-beside", "answered-late", "ended-after", "unanswered"}
	slices.Sort(all)
	for _, call := range all {
		b.Receive(named(call, request("INVITE "+bob, "")))
		answer(t, b, last(b), "200 OK")
		b.Receive(named(call, request("ACK "+bob, ";tag=b", route)))
	}
	bye := func(call string) moduletest.Sent {
		b.Receive(named(call, request("BYE "+bob, ";tag=b", route)))
		return last(b)
	}
	end := func(call string) { answer(t, b, bye(call), "200 OK") }

	end("ended-before")
	late := bye("answered-late")
	// between starts behind dialog and before acc.
	between := func(*script.Config) *script.Module {
		return &script.Module{Name: "between", Start: func(*script.Env) error { end("ended-meanwhile"); return nil }}
	}
	l := script.Loader{Modules: []script.Constructor{tm.New, sl.New, signaling.New, rr.New, sipmsgops.New, dialog.New, between, acc.New, db_sqlite.New, proto_tls.New}}
	next, err := l.Compile("test.cfg", []byte(strings.Replace(text, `loadmodule "acc.so"`, `loadmodule "between.so"`+"\n"+`loadmodule "acc.so"`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	around := script.Surroundings{Log: slog.New(slog.DiscardHandler), Proxy: b.Proxy, Commands: b.Commands, StateDir: t.TempDir()}
	if err := next.Start(around, b.Config); err != nil {
		t.Fatal(err)
	}
	end("ended-beside")
	b.Proxy.SetRouter(next.Router())
	b.Config.Stop(next)
	b.Config = next
	answer(t, b, late, "200 OK")
	end("ended-after")
	bye("unanswered")
	next.Stop(nil)

	db, err := store.Open(url, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	r, err := db.Select(t.Context(), store.Select{Table: "acc", Columns: []string{"callid"}, Order: "callid"})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for i := range r.Len() {
		got = append(got, r.Row(i)[0].Text())
	}
	if !slices.Equal(got, all) {
		t.Errorf("records of %q, want %q", got, all)
	}
}

// TestFlagsOverReload: requests that a reload overtakes while their script runs are accounted by the flags that they have
// set, whose numbers are others in the next configuration.
func TestFlagsOverReload(t *testing.T) {
	reload := func() {}
	pausing := func(*script.Config) *script.Module {
		return &script.Module{Name: "pausing", Functions: []script.Function{{Name: "pause", Usage: "pause()", Help: "Reloads.", Routes: script.Requests,
			Build: func(*script.Args) script.Action { return func(*script.Machine) int { reload(); return 1 } }}}}
	}
	constructors := append([]script.Constructor{pausing}, modules...)
	text := moduletest.Head("tm", "sl", "signaling", "rr", "acc", "pausing") + `
modparam("acc", "log_flag", "ACC")
modparam("acc", "log_extra", "src=$fU")
`
	b := moduletest.New(t, text+`route { setflag("ACC"); pause(); t_relay(); }`, constructors...)
	first := b.Config
	defer func() { b.Config = first }()
	var next *script.Config
	var log bytes.Buffer
	reload = func() {
		l := script.Loader{Modules: append([]script.Constructor{proto_tls.New}, constructors...)}
		var err error
		if next, err = l.Compile("test.cfg", []byte(strings.Replace(text, `"log_flag"`, `"log_missed_flag", "MISSED") modparam("acc", "log_flag"`, 1)+`route { setflag("MISSED"); t_relay(); }`)); err != nil {
			t.Fatal(err)
		}
		around := script.Surroundings{Log: slog.New(slog.NewTextHandler(&log, nil)), Proxy: b.Proxy, Commands: b.Commands, StateDir: t.TempDir()}
		if err := next.Start(around, b.Config); err != nil {
			t.Fatal(err)
		}
		b.Proxy.SetRouter(next.Router())
		b.Config.Stop(next)
	}
	b.Receive(request("INVITE "+bob, ""))
	answer(t, b, last(b), "200 OK")
	if got := log.String(); !strings.Contains(got, "transaction answered") || !strings.Contains(got, "src=alice") {
		t.Errorf("logged %q", got)
	}
	next.Stop(nil)
}
