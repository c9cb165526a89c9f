package config_test

import (
	"fmt"
	"strings"
	"testing"

	"sipreactor/reactor/modules/config"
	"sipreactor/reactor/modules/db_sqlite"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/store/storetest"
)

func TestDocumented(t *testing.T) { moduletest.Documented(t, config.New) }

// TestSettings: what the table says, what the script and management change, and what becomes of that.
func TestSettings(t *testing.T) {
	url := storetest.SQLite(t)
	storetest.Exec(t, url,
		"CREATE TABLE config (id INTEGER PRIMARY KEY, name TEXT UNIQUE, value TEXT, description TEXT)",
		"INSERT INTO config (name, value, description) VALUES ('debug_mode', '0', 'Enable Debug mode'), ('none', NULL, NULL)")
	b := moduletest.New(t, moduletest.Head("db_sqlite", "config")+fmt.Sprintf("modparam(\"config\", \"db_url\", %q)\n", url)+`
route {
	$var(n) = "debug_mode";
	xlog("$config(debug_mode)|$config.description($var(n))|$config(none)|$config(other)|$config($var(n))");
	if ($ua == "tester 1.0") $config(other) = 5;
}`, db_sqlite.New, config.New)
	says := func(want string) {
		t.Helper()
		if b.Receive(moduletest.Invite); strings.Join(b.Log, "") != want {
			t.Errorf("%v, want %s", b.Log, want)
		}
	}
	commands := func(steps ...[3]any) {
		t.Helper()
		for _, s := range steps {
			if got := b.Command(t, s[0].(string), s[1]); got != s[2] {
				t.Errorf("%s %v: %s", s[0], s[1], got)
			}
		}
	}
	says("0|Enable Debug mode|<null>|<null>|0")
	says("0|Enable Debug mode|<null>|5|0")
	commands(
		[3]any{"config_push", []string{"debug_mode", "1"}, `"OK"`},
		[3]any{"config_push", []string{"new", "x", "is new"}, `"OK"`},
		[3]any{"config_push_bulk", []any{[]map[string]any{{"name": "other", "value": "6"}, {"name": "none", "value": nil, "description": "d"}}}, `2`},
		[3]any{"config_push_bulk", map[string]any{"configs": `[{"name":"other","value":"7"}]`}, `1`},
		[3]any{"config_list", nil, `[{"name":"debug_mode","value":"1"},{"name":"new","value":"x"},{"name":"none","value":null},{"name":"other","value":"7"}]`},
		[3]any{"config_list", []int{1}, `[{"name":"debug_mode","value":"1","description":"Enable Debug mode"},{"name":"new","value":"x","description":"is new"},{"name":"none","value":null,"description":"d"},{"name":"other","value":"7","description":null}]`},
		[3]any{"config_flush", []string{"missing"}, `Setting not found`},
		[3]any{"config_flush", []string{"debug_mode"}, `1`},
		[3]any{"config_reload", nil, `"OK"`},
		[3]any{"config_list", nil, `[{"name":"debug_mode","value":"1"},{"name":"none","value":null}]`},
		[3]any{"config_push", []string{"debug_mode", "2"}, `"OK"`},
		[3]any{"config_flush", nil, `2`},
		[3]any{"config_reload", nil, `"OK"`},
	)
	says("2|Enable Debug mode|<null>|<null>|2")
	for _, bad := range []any{[]any{"x"}, []any{[]map[string]any{{"value": "1"}}}, []any{map[string]any{"name": "x"}}} {
		if got := b.Command(t, "config_push_bulk", bad); !strings.Contains(got, "Invalid params") {
			t.Errorf("%v: %s", bad, got)
		}
	}
}
