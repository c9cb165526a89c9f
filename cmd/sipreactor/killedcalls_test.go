package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"sipreactor/reactor/mi"
	"sipreactor/reactor/store"
)

const keptCallsConfig = `log_level=3
socket=tcp:ADDR
state_dir="DIR/state"
loadmodule "proto_tcp.so"
loadmodule "signaling.so"
loadmodule "sl.so"
loadmodule "tm.so"
loadmodule "rr.so"
loadmodule "sipmsgops.so"
loadmodule "dialog.so"
loadmodule "db_sqlite.so"
loadmodule "acc.so"
loadmodule "httpd.so"
loadmodule "mi_http.so"
modparam("httpd", "port", WEB)
modparam("httpd", "token", "none")
modparam("dialog", "db_mode", MODE)
modparam("dialog", "db_update_period", 1)
modparam("dialog", "db_url", "URL")
modparam("dialog", "profiles_with_value", "caller")
modparam("acc", "db_url", "URL")
route {
	if (has_totag()) {
		if (loose_route() && validate_dialog())
			t_relay();
		else if (!is_method("ACK"))
			send_reply(481, "No Such Call");
		exit;
	}
	record_route();
	create_dialog();
	set_dlg_profile("caller", "$fU");
	do_accounting("db", "cdr");
	$du = "sip:PARTY;transport=tcp";
	t_relay();
}
`

// keptCalls is how many calls are up when the program is killed: SIPREACTOR_CALLS, or a few.
func keptCalls() int {
	if n, err := strconv.Atoi(os.Getenv("SIPREACTOR_CALLS")); err == nil {
		return n
	}
	return 300
}

// TestKilledWithCalls: the program is killed with calls that are stored. The next one has them all, their BYEs go
// through, and each has one record.
func TestKilledWithCalls(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"1", "2"} {
		t.Run("db_mode "+mode, func(t *testing.T) { t.Parallel(); killedWithCalls(t, mode, keptCalls()) })
	}
}

func killedWithCalls(t *testing.T, mode string, n int) {
	dir := t.TempDir()
	url := "sqlite://" + filepath.Join(dir, "sip.db")
	if err := store.Create(t.Context(), url, "version", "dialog", "acc"); err != nil {
		t.Fatal(err)
	}
	p := newParties(t)
	c := &trial{T: t, dir: dir, web: freePort(t)}
	addr := "127.0.0.1:" + freePort(t)
	path := config(t, strings.NewReplacer("ADDR", addr, "DIR", dir, "WEB", c.web, "MODE", mode, "URL", url, "PARTY", p.at).Replace(keptCallsConfig))
	db, err := store.Open(url, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	var log *output
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("log:\n%s", log)
		}
	})
	rows := func(table string, where ...store.Cond) (ids map[string]int) {
		ids = make(map[string]int)
		r, err := db.Select(t.Context(), store.Select{Table: table, Columns: []string{"callid"}, Where: where})
		if err != nil && !errors.Is(err, store.ErrDown) {
			return ids // it is being written to
		}
		if r != nil {
			for i := range r.Len() {
				ids[r.Row(i)[0].Text()]++
			}
		}
		return ids
	}
	within := func(what string, ok func() bool) {
		t.Helper()
		// With 50,000 calls a look costs a query: it is not asked more often.
		for end := time.Now().Add(6 * patience); !ok(); time.Sleep(100 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("never: %s\n%s", what, log)
			}
		}
	}
	active := func() string { return c.mi("get_statistics", "active_dialogs") }

	child, first := asChild(t, "-f", path)
	log = first
	log.wait(t, "msg=ready")
	p.dial(addr)
	begin := time.Now()
	var calls []string
	for i := range n {
		calls = append(calls, "call-"+strconv.Itoa(i))
		p.held[calls[i]] = new(held)
	}
	invite := func(id string) string { return p.request("INVITE", id, 1, "", false) }
	up := func() int { return p.up }
	p.say(calls[:1], invite, up) // few may wait for a connect
	p.say(calls[1:], invite, up)
	t.Logf("%d calls are up after %v", n, time.Since(begin).Round(time.Millisecond))
	within("all are stored", func() bool { return len(rows("dialog", store.Equal("state", store.Int(4)))) == n })
	t.Logf("all are stored after %v", time.Since(begin).Round(time.Millisecond))
	if err := child.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait()
	p.hangUp()

	begin = time.Now()
	child, log = asChild(t, "-f", path)
	within("it is ready again", func() bool { return strings.Contains(log.String(), "msg=ready") })
	t.Logf("ready again after %v", time.Since(begin).Round(time.Millisecond))
	if got, want := strings.TrimSpace(active()), fmt.Sprintf("dialog:active_dialogs: %d", n); !strings.Contains(got, want) {
		t.Fatalf("%s, want %s\n%s", got, want, log)
	}
	client := &mi.Client{Target: "http://127.0.0.1:" + c.web + "/mi"}
	begin = time.Now()
	all, err := client.Call(t.Context(), "dlg_list", nil)
	if err != nil || strings.Count(string(all), `"callid"`) != n {
		t.Errorf("dlg_list: %v, %d calls", err, strings.Count(string(all), `"callid"`))
	}
	t.Logf("dlg_list of all takes %v for %d bytes", time.Since(begin).Round(time.Millisecond), len(all))
	begin = time.Now()
	page, err := client.Call(t.Context(), "dlg_list", map[string]any{"index": n / 2, "counter": 10})
	if err != nil || strings.Count(string(page), `"callid"`) != 10 {
		t.Errorf("a page of dlg_list: %v, %s", err, page)
	}
	t.Logf("a page of 10 takes %v", time.Since(begin).Round(time.Millisecond))

	p.dial(addr)
	begin = time.Now()
	bye := func(id string) string { // from either side
		if h := p.held[id]; id[len(id)-1]%2 == 0 {
			return p.request("BYE", id, 2, h.routes, false)
		} else {
			return p.request("BYE", id, 2, h.back, true)
		}
	}
	done := func() int { return p.done }
	p.say(calls[:1], bye, done)
	p.say(calls[1:], bye, done)
	t.Logf("all are ended after %v", time.Since(begin).Round(time.Millisecond))
	if p.code[200] != n || p.byes != n {
		t.Errorf("%d BYEs came through, of %d; answers %v", p.byes, n, p.code)
	}
	within("all have a record", func() bool { return len(rows("acc")) == n })
	within("the rows are gone", func() bool { return len(rows("dialog")) == 0 })
	for id, records := range rows("acc") {
		if records != 1 {
			t.Errorf("%s has %d records", id, records)
		}
	}
	within("none is active", func() bool { return strings.Contains(active(), "dialog:active_dialogs: 0") })
	if err := child.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait()
}
