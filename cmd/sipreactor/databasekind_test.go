package main

import (
	"strings"
	"testing"
)

// TestDatabaseKind: what a module stores is in a database whose module is loaded: its parameters count for all.
func TestDatabaseKind(t *testing.T) {
	for name, text := range map[string]string{
		"usrloc": `loadmodule "usrloc.so"
modparam("usrloc", "working_mode_preset", "single-instance-sql-write-back")
`,
		"dialog": `loadmodule "tm.so"
loadmodule "rr.so"
loadmodule "dialog.so"
modparam("dialog", "db_mode", 1)
`,
		"auth_db": `loadmodule "auth.so"
loadmodule "auth_db.so"
`,
	} {
		for _, url := range []string{
			`modparam("` + name + `", "db_url", "mysql://u:p@127.0.0.1:1/x")` + "\n",
			`db_default_url="mysql://u:p@127.0.0.1:1/x"` + "\n",
		} {
			head := "socket=udp:127.0.0.1:" + freePort(t) + "\nloadmodule \"proto_udp.so\"\nloadmodule \"signaling.so\"\nloadmodule \"sl.so\"\n"
			body := text + url + "route { exit; }\n"
			if code, _, errs := command(t, "-C", "-f", config(t, head+body)); code == 0 || !strings.Contains(errs, `loadmodule "db_mysql.so"`) {
				t.Errorf("%s: code %d: %s", name, code, errs)
			}
			// Where something else is wrong it is not told, and nothing is tried that needs it.
			if code, _, errs := command(t, "-C", "-f", config(t, "socket=udp:127.0.0.1:0\n"+head+body)); code == 0 || strings.Contains(errs, "db_mysql") {
				t.Errorf("%s, wrong elsewhere: code %d: %s", name, code, errs)
			}
			if code, _, errs := command(t, "-C", "-f", config(t, head+"loadmodule \"db_mysql.so\"\n"+body)); code != 0 {
				t.Errorf("%s with db_mysql: %s", name, errs)
			}
		}
	}
}
