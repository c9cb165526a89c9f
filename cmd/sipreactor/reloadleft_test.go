package main

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"weak"

	"sipreactor/reactor/script"
)

// TestReloadsLeaveNothing: what a reload has replaced is garbage, routes and modules. The first configuration is not: the
// program goes on to ask it for the places of its parameters.
func TestReloadsLeaveNothing(t *testing.T) {
	destinations := filepath.Join(t.TempDir(), "d.csv")
	if err := os.WriteFile(destinations, []byte("setid,destination\n1,sip:127.0.0.9\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	path := config(t, `socket=udp:127.0.0.1:5060
loadmodule "proto_udp.so"
loadmodule "signaling.so"
loadmodule "sl.so"
loadmodule "tm.so"
loadmodule "rr.so"
loadmodule "maxfwd.so"
loadmodule "sipmsgops.so"
loadmodule "db_sqlite.so"
loadmodule "acc.so"
loadmodule "dialog.so"
loadmodule "topology_hiding.so"
loadmodule "uac_auth.so"
loadmodule "uac.so"
loadmodule "rtpengine.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "dispatcher.so"
loadmodule "nathelper.so"
modparam("rtpengine", "rtpengine_sock", "udp:127.0.0.1:9")
modparam("dispatcher", "dispatcher_file", "`+destinations+`")
modparam("dialog", "profiles_with_value", "caller")
modparam("acc", "extra_fields", "log: x")
route {
	if (has_totag() && loose_route()) { t_relay(); exit; }
	if (is_method("INVITE")) { create_dialog("B"); set_dlg_profile("caller", $fU); do_accounting("log", "cdr|missed"); t_on_failure("f"); }
	t_relay();
}
failure_route[f] { exit; }
timer_route[t, 60] { $var(x) = 1; }
`)
	n, _, levels := inProcess(t, path)
	n.load = reloader(options{file: path})
	var replaced []weak.Pointer[script.Program]
	for range 10 {
		if _, err := n.reloadRoutes(levels); err != nil {
			t.Fatal(err)
		}
		replaced = append(replaced, weak.Make(n.cfg.Load().Program))
	}
	left := 0
	for range 5 { // what has a finalizer takes a second round
		runtime.GC()
		left = 0
		for _, w := range replaced[:len(replaced)-2] { // the machine of the one before the last may be in a pool
			if w.Value() != nil {
				left++
			}
		}
	}
	if left > 0 {
		t.Errorf("%d of %d programs are kept", left, len(replaced)-2)
	}
}
