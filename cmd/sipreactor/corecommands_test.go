package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCoreCommands: caches are reached by the management interface, and it tells how ready the program and its parts are.
func TestCoreCommands(t *testing.T) {
	dir := t.TempDir()
	write := func(text string) {
		if err := os.WriteFile(filepath.Join(dir, "sets.csv"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("setid,destination\n1,sip:127.0.0.1:9\n")
	text := fmt.Sprintf(`log_level=1
socket=udp:127.0.0.1:%[1]s
state_dir="%[2]s/state"
loadmodule "proto_udp.so"
loadmodule "signaling.so"
loadmodule "sl.so"
loadmodule "cachedb_local.so"
loadmodule "dispatcher.so"
loadmodule "mi_fifo.so"
modparam("mi_fifo", "fifo_name", "%[2]s/fifo")
modparam("dispatcher", "dispatcher_file", "%[2]s/sets.csv")
route { exit; }
event_route[E_CORE_SR_STATUS_CHANGED, sync] { cache_store("local", "$param(group) $param(identifier)", "$param(old_status) to $param(status): $param(details)"); }
startup_route { sr_check_status("dispatcher", "default"); cache_store("local", "at start", "$rc"); }
`, freePort(t), dir)
	path := config(t, text)
	log := newOutput()
	go func() { run(t.Context(), []string{"-f", path}, newOutput(), log) }()
	log.wait(t, "msg=ready")
	for _, c := range []struct{ ask, want string }{
		{"cache_store local name value", "OK"},
		{"cache_fetch local name", "value: value"},
		{"cache_remove local name", "OK"},
		{"cache_fetch local name", "Value not found"},
		{"cache_fetch elsewhere name", "there is no such cache"},
		{"cache_store local name value soon", "expire is a number of seconds"},
		{"cache_fetch local at+start", "value: 1"},
		{"sr_get_status core", "Readiness: true|Status: 1|Details: running"},
		{"sr_get_status dispatcher all", "Details: aggregated"},
		{"sr_get_status dispatcher", "there is no such identifier"},
		{"sr_get_status nobody", "there is no such group"},
		{"sr_list_identifiers dispatcher", "1: default|    2: default;events"},
		{"sr_list_reports dispatcher default", "Log: 1 destinations loaded (0 discarded)"},
		{"ds_set_state i 1 sip:127.0.0.1:9", "OK"},
		{"sr_list_reports dispatcher default;events", "Log: DESTINATION <sip:127.0.0.1:9>, set 1 switched to [inactive] due to management interface"},
		{"sr_list_status dispatcher", "Name: default|"},
	} {
		args := []string{"mi", "-f", path}
		for _, a := range strings.Fields(c.ask) {
			args = append(args, strings.ReplaceAll(a, "+", " "))
		}
		_, out, errs := command(t, args...)
		if got := strings.ReplaceAll(out+errs, "\n", "|"); !strings.Contains(strings.Join(strings.Fields(got), " "), strings.Join(strings.Fields(c.want), " ")) {
			t.Errorf("%s: %s, want %s", c.ask, got, c.want)
		}
	}
	// A reload that fails tells so, and what was loaded before goes on.
	write("no table\n")
	command(t, "mi", "-f", path, "ds_reload")
	_, out, _ := command(t, "mi", "-f", path, "sr_list_reports", "dispatcher", "default")
	_, status, _ := command(t, "mi", "-f", path, "sr_get_status", "dispatcher", "default")
	if !strings.Contains(out, "DB data loading failed, discarding") || !strings.Contains(status, "Details: data available") {
		t.Errorf("after a reload that failed: %s%s", out, status)
	}
	if _, out, errs := command(t, "mi", "-f", path, "cache_fetch", "local", "dispatcher default"); !strings.Contains(out, "value: 2 to 1: data available") {
		t.Errorf("the event of a status: %s%s", out, errs)
	}
}
