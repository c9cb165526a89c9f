package sql_cacher_test

import (
	"fmt"
	"strings"
	"testing"

	"sipreactor/reactor/modules/db_sqlite"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/sql_cacher"
	"sipreactor/reactor/script"
	"sipreactor/reactor/store/storetest"
)

var modules = []script.Constructor{db_sqlite.New, sql_cacher.New}

func TestDocumented(t *testing.T) { moduletest.Documented(t, sql_cacher.New) }

// database makes the documentation's table.
func database(t *testing.T) (url string, exec func(query string)) {
	t.Helper()
	url = storetest.SQLite(t)
	exec = func(query string) {
		t.Helper()
		storetest.Exec(t, url, query)
	}
	exec("CREATE TABLE carrierfailureroute (id INTEGER PRIMARY KEY, domain INTEGER, host_name TEXT, reply_code TEXT, flags INTEGER, next_domain TEXT)")
	exec("INSERT INTO carrierfailureroute VALUES (1, 99, '', '408', 16, NULL), (2, 99, 'gw1', '404', 0, '100'), (4, 99, '', '404', 2048, 'asterisk-1')")
	return url, exec
}

func head(specs ...string) string {
	text := moduletest.Head("db_sqlite", "sql_cacher")
	for _, s := range specs {
		text += "modparam(\"sql_cacher\", \"cache_table\", \"" + s + "\")\n"
	}
	return text
}

// TestValues: the documentation's example, of a whole table and on demand.
func TestValues(t *testing.T) {
	url, exec := database(t)
	spec := func(id, more string) string {
		return "id=" + id + "\ndb_url=" + url + "\ncachedb_url=local://\ntable=carrierfailureroute\nkey=id\n" + more
	}
	h := head(spec("whole", "columns=host_name reply_code flags next_domain"), spec("all", "on_demand=0"), spec("some", "columns=reply_code next_domain\non_demand=1\nexpire=3600"))
	for use, want := range map[string]string{
		`$sql_cached_value(whole:reply_code:1)`:              "408",
		`$sql_cached_value(whole:host_name:2)`:               "gw1",
		`$sql_cached_value(whole:flags:4)`:                   "2048",
		`$sql_cached_value(whole:next_domain:1)`:             "<null>",
		`$sql_cached_value(whole:next_domain:3)`:             "<null>",
		`$sql_cached_value(whole:next_domain:$var(some_id))`: "asterisk-1",
		`$sql_cached_value(whole:next_domain:$var(none))`:    "<null>",
		`$(sql_cached_value(all:domain:4){s.len})`:           "2",
		`$sql_cached_value(all:nothing:4)`:                   "<null>",
		`$sql_cached_value(some:reply_code:2)`:               "404",
		`$sql_cached_value(some:next_domain:$var(some_id))`:  "asterisk-1",
		`$sql_cached_value(some:reply_code:x' OR '1'='1)`:    "<null>",
	} {
		log := moduletest.Logs(t, h, `$var(some_id) = 4; $var(none) = NULL; xlog("`+use+`");`, modules...)
		if got := log[len(log)-1]; got != want {
			t.Errorf("%s: %q, want %q", use, got, want)
		}
	}
	b := moduletest.New(t, h+`route { xlog("$sql_cached_value(whole:reply_code:2) $sql_cached_value(some:reply_code:2)"); }`, modules...)
	says := func(want string) {
		t.Helper()
		if b.Receive(moduletest.Invite); strings.Join(b.Log, "|") != want {
			t.Errorf("%v, want %s", b.Log, want)
		}
	}
	says("404 404")
	exec("UPDATE carrierfailureroute SET reply_code = '500'")
	says("404 404")
	for _, params := range []any{[]string{"whole"}, []string{"some", "2"}} {
		if got := b.Command(t, "sql_cacher_reload", params); got != `"OK"` {
			t.Error(got)
		}
	}
	says("500 500")
	exec("DELETE FROM carrierfailureroute")
	for _, params := range []any{[]string{"whole"}, []string{"some", "2"}} {
		if got := b.Command(t, "sql_cacher_reload", params); got != `"OK"` {
			t.Error(got)
		}
	}
	says("<null> <null>")
	for want, params := range map[string]any{"Cache id not found": []string{"x"}, "Invalid params: \"key is missing: the table is cached on demand\"": []string{"some"}} {
		if got := b.Command(t, "sql_cacher_reload", params); got != want {
			t.Error(got)
		}
	}
}

// TestWrong: what is wrong is told at load.
func TestWrong(t *testing.T) {
	url, _ := database(t)
	good := "id=a\ndb_url=" + url + "\ntable=t\nkey=id\ncolumns=b"
	for spec, want := range map[string]string{
		"id=a\ntable=t":                      "has to have id, db_url, table and key",
		"id=a\ndb_url=x://secret@y\ntable=t": "db_url that is wrong",
		good + "\non_demand=2":               "not 0 or 1",
		good + "\nexpire=0":                  "no number of seconds",
		good + "\ncolumn=b":                  "did you mean columns",
		good + " b;c":                        "has the column b;c",
		good + "\non_demand":                 "without a value",
	} {
		if got := moduletest.Wrong(t, head(spec)+"route { exit; }\n", modules...); !strings.Contains(got, want) {
			t.Errorf("%s: %s", spec, got)
		}
	}
	if got := moduletest.Wrong(t, head(good, good)+"route { exit; }\n", modules...); !strings.Contains(got, "a second time") {
		t.Error(got)
	}
	for use, want := range map[string]string{"x:b:1": "no cache_table with the id x", "a:c:1": "no column c", "a:b": "is not id:column:key", "a:b:": "is not id:column:key"} {
		if got := moduletest.Wrong(t, head(good)+fmt.Sprintf("route { xlog(\"$sql_cached_value(%s)\"); }\n", use), modules...); !strings.Contains(got, want) {
			t.Errorf("%s: %s", use, got)
		}
	}
	const delimiters = "modparam(\"sql_cacher\", \"spec_delimiter\", \";\")\nmodparam(\"sql_cacher\", \"columns_delimiter\", \",\")\nmodparam(\"sql_cacher\", \"pvar_delimiter\", \"/\")\n"
	log := moduletest.Logs(t, head("id=a;db_url="+url+"; table=carrierfailureroute; key=id; columns=flags,host_name")+delimiters, `xlog("$sql_cached_value(a/host_name/2)");`, modules...)
	if got := log[len(log)-1]; got != "gw1" {
		t.Error(log)
	}
}
