package sqlops_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"sipreactor/reactor/modules/db_mysql"
	"sipreactor/reactor/modules/db_postgres"
	"sipreactor/reactor/modules/db_sqlite"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/sqlops"
	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
	"sipreactor/reactor/store/storetest"
)

var modules = []script.Constructor{db_sqlite.New, db_mysql.New, db_postgres.New, sqlops.New}

func TestDocumented(t *testing.T) { moduletest.Documented(t, sqlops.New) }

// database makes one with some users, and the beginning of a configuration with it.
func database(t *testing.T, url string) (*store.DB, string) {
	t.Helper()
	if err := store.Create(t.Context(), url, "subscriber", "usr_preferences", "version"); err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(url, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	rows := [][]store.Value{
		{store.String("alice"), store.String("atlanta.example"), store.String("secret"), store.String("h1"), store.Null},
		{store.String("bob"), store.String("biloxi.example"), store.String("other"), store.String("h2"), store.String("r")},
		{store.String("sip:+4930123@example.net"), store.String("x"), store.String("p3"), store.String("h3"), store.Null},
	}
	change := store.Change{Verb: store.VerbInsert, Table: "subscriber", Columns: []string{"username", "domain", "password", "ha1", "rpid"}, Rows: rows}
	if _, err := db.Apply(t.Context(), change); err != nil {
		t.Fatal(err)
	}
	u := db.URL()
	return db, moduletest.Head(u.Scheme.Module(), "sqlops") + fmt.Sprintf("modparam(\"sqlops\", \"db_url\", %q)\n", url)
}

func TestQuery(t *testing.T) {
	_, head := database(t, storetest.SQLite(t))
	for _, c := range []struct{ run, want string }{
		{`sql_query("SELECT password, ha1 FROM subscriber WHERE username='$tu'", "$avp(pass);$avp(hash)"); xlog("$rc $avp(pass) $avp(hash)");`, "1 p3 h3"},
		{`sql_query("SELECT username, id, rpid FROM subscriber ORDER BY id", "$avp(u);$avp(id);$avp(r)"); xlog("$(avp(u)[0]) $(avp(u)[1]) $(avp(id)[*]) $(avp(r)[*])");`,
			"alice bob 1,2,3 <null>,r,<null>"},
		{`sql_query("SELECT username, id + 1 FROM subscriber WHERE id=1"); xlog("$avp(1) $avp(2)");`, "alice 2"},
		{`if (sql_query("SELECT 1 FROM subscriber WHERE username='$fd'", "$avp(x)")) xlog("yes"); else xlog("$rc");`, "-2"},
		{`sql_query("SELEKT", "$avp(x)"); xlog("$rc");`, "-1"},
		{`sql_query("DELETE FROM subscriber WHERE id=3"); xlog("$rc"); sql_query("SELECT count(*) FROM subscriber", "$avp(n)"); xlog("$avp(n)");`, "1|2"},
		{`$avp(id) = 0; sql_query("SELECT 1", "$avp(x)", $avp(id)); xlog("$rc");`, "1"},
		{`$avp(id) = "7"; sql_query("SELECT 1", "$avp(x)", $avp(id)); xlog("$rc");`, "-1"},
		{`$var(n) = 2; sql_query("SELECT username FROM subscriber ORDER BY id LIMIT $var(n)", "$avp(u)"); xlog("$(avp(u)[*])");`, "alice,bob"},
		{`$var(n) = "1; DROP TABLE subscriber"; sql_query("SELECT username FROM subscriber LIMIT $var(n)", "$avp(u)"); xlog("$rc");`, "-1"},
		{`$var(q) = "SELECT ha1 FROM subscriber WHERE username='" + $fU + "'"; sql_query($var(q), "$avp(h)"); xlog("$avp(h)");`, "h1"},
		{`$var(u) = "' OR 1=1 -- "; sql_query("SELECT ha1 FROM subscriber WHERE username='$var(u)'", "$avp(h)"); xlog("$rc");`, "-2"},
		{`$var(u) = "O'Brien"; sql_query("SELECT '$(var(u){s.escape.common})', '$var(u)'", "$avp(a);$avp(b)"); xlog("$avp(a) $avp(b)");`, "O'Brien O'Brien"},
		{`sql_query_one("SELECT password, rpid FROM subscriber WHERE username='$fU'", "$var(pass);$var(r)"); if ($var(r) == NULL) xlog("$var(pass)");`, "secret"},
		{`sql_query_one("SELECT password, ha1 FROM subscriber ORDER BY id DESC", "$var(pass);$var(hash)"); xlog("$var(pass) $var(hash)");`, "other h2"},
		{`sql_query_one("SELECT password, ha1 FROM subscriber ORDER BY id DESC", "$var(pass), $var(hash)"); xlog("$var(pass) $var(hash)");`, "other h2"},
		{`sql_query_one("SELECT password, ha1 FROM subscriber", "$var(pass)"); xlog("$rc");`, "-1"},
		{`sql_query_one("SELECT password FROM subscriber WHERE 1=0", "$var(pass)"); xlog("$rc");`, "-2"},
	} {
		check(t, head, c.run, c.want)
	}
}

// check runs statements and compares what they log, joined by |. What is logged
// besides, of errors, is left out.
func check(t *testing.T, head, run, want string) {
	t.Helper()
	var got []string
	for _, line := range moduletest.Logs(t, head, run, modules...) {
		if !strings.Contains(line, "database") && !strings.Contains(line, "db_url") && !strings.Contains(line, "number of columns") {
			got = append(got, line)
		}
	}
	if s := strings.Join(got, "|"); s != want {
		t.Errorf("%s\n\t%s\n\twant %s", run, s, want)
	}
}

func TestStructured(t *testing.T) {
	db, head := database(t, storetest.SQLite(t))
	for _, c := range []struct{ run, want string }{
		{`sql_select('["password","ha1"]', 'subscriber', '[ {"username": "$tu"}, {"domain": {"!=": null}}]', , '$avp(pass);$avp(hash)'); xlog("$avp(pass) $avp(hash)");`, "p3 h3"},
		{`sql_select(, "subscriber", '[{"id":{"<":3}}]', "username", "$avp(id);$avp(u)"); xlog("$(avp(u)[*]) $(avp(id)[*])");`, "alice,bob 1,2"},
		{`$var(n) = 2; sql_select('["username"]', "subscriber", '[{"id":$var(n)}]', , "$avp(u)"); xlog("$avp(u)");`, "bob"},
		{`$var(n) = "2 OR 1"; sql_select('["username"]', "subscriber", '[{"id":$var(n)}]', , "$avp(u)"); xlog("$rc");`, "-1"},
		{`sql_select('["username"]', "subscriber", '[{"rpid":$var(nothing)},{"domain":"x"}]', , "$avp(u)"); xlog("$avp(u)");`, "sip:+4930123@example.net"},
		{`$var(u) = "x\"},{\"id\":{\">\":\"0"; sql_select('["username"]', "subscriber", '[{"username":"$var(u)"}]', , "$avp(u)"); xlog("$rc");`, "-2"},
		{`$var(f) = '[{"username":"bob"}]'; sql_select('["ha1"]', "subscriber", $var(f), , "$avp(u)"); xlog("$avp(u)");`, "h2"},
		{`$var(f) = 'x'; sql_select('["ha1"]', "subscriber", $var(f), , "$avp(u)"); xlog("$rc");`, "-1"},
		{`sql_select_one('["rpid","ha1"]', "subscriber", '[{"username": {"LIKE":"a%"}}]', , '$var(a);$var(b)'); if ($var(a) == NULL) xlog("$var(b)");`, "h1"},
		{`$var(c) = "nothing"; sql_select('["$var(c)"]', "subscriber"); xlog("$rc");`, "-1"}, // a start finds one that is written there
		{`sql_update( '[{"password":"my_secret"},{"rpid":null}]', 'subscriber', '[{"username": "$fU"}]'); xlog("$rc");`, "1"},
		{`sql_select_one('["password"]', "subscriber", '[{"username":"alice"}]', , "$var(p)"); xlog("$var(p)");`, "my_secret"},
		{`sql_insert("subscriber", '[{"username":"carol"},{"domain":"$fd"},{"rpid":null},{"ha1":12}]'); xlog("$rc");`, "1"},
		{`sql_insert("subscriber", '[{"username":"carol"},{"domain":"$fd"}]'); xlog("$rc");`, "-1"},
		{`sql_replace("subscriber", '[{"username":"carol"},{"domain":"$fd"},{"ha1":"new"}]'); xlog("$rc");`, "1"},
		{`sql_select(, "subscriber", '[{"username":"carol"}]', , "$avp(i);$avp(u);$avp(d);$avp(p);$avp(h)"); xlog("$(avp(h)[*])");`, "new"},
		{`sql_delete("subscriber", '[{"username":"carol"}]'); xlog("$rc");`, "1"},
		{`$var(f) = "[]"; sql_delete("subscriber", $var(f)); xlog("$rc");`, "-1"},
		{`sql_delete("subscriber"); xlog("$rc");`, "1"},
	} {
		check(t, head, c.run, c.want)
	}
	res, err := db.Select(t.Context(), store.Select{Table: "subscriber"})
	if err != nil || res.Len() != 0 {
		t.Errorf("%d rows are left, %v", res.Len(), err)
	}
}

func TestPreferences(t *testing.T) {
	db, head := database(t, storetest.SQLite(t))
	head += "modparam(\"sqlops\", \"db_scheme\", \"scheme1:table=subscriber;value_col=ha1\")\n"
	for _, c := range []struct{ run, want string }{
		{`$avp(a) = "x"; $avp(a) = "y"; $avp(n) = 7; sql_avp_store("$fu", "$avp(a)"); sql_avp_store("$fu/username", "$avp(n)"); xlog("$rc");`, "1"},
		{`sql_avp_load("$fu", "$avp(a)"); xlog("$(avp(a)[*])");`, "y,x"},
		{`sql_avp_load("$fu", "a"); xlog("$avp(a) $(avp(n){s.int})"); if ($avp(n) == 7) xlog("seven");`, "y 7|seven"},
		{`sql_avp_load("$fu/username", "$avp(a)", , "caller_"); xlog("$avp(caller_a)");`, "y"},
		{`sql_avp_load("$tu", "$avp(a)"); xlog("$rc");`, "-1"},
		{`sql_avp_load("$fu", "$avp(h)/$scheme1"); xlog("$avp(h)");`, "h1"},
		{`$avp(uuid) = "42"; $avp(m) = "mail"; sql_avp_store("$avp(uuid)", "$avp(m)/usr_preferences", 0); sql_avp_load("42", "$avp(m)"); xlog("$(avp(m)[*])");`, "mail,mail"},
		{`$avp(m) = "d"; sql_avp_store("$fd/domain", "$avp(m)"); sql_avp_delete("$fd/domain", "$avp(m)"); $avp(m) := NULL; sql_avp_load("$fd/domain", "$avp(m)"); xlog("$rc");`, "-1"},
		{`sql_avp_delete("$fu", "a"); sql_avp_load("$fu", "a"); xlog("$rc");`, "-1"},
		{`sql_avp_load("$avp(none)", "a"); xlog("$rc");`, "-1"},
		{`sql_avp_store("$fu", "$avp(none)"); xlog("$rc");`, "-1"},
	} {
		check(t, head, c.run, c.want)
	}
	res, err := db.Select(t.Context(), store.Select{Table: "usr_preferences", Columns: []string{"uuid", "attribute", "value", "type"}})
	if err != nil || res.Len() != 1 || !slices.Equal(res.Row(0), []store.Value{store.String("42"), store.String("m"), store.String("mail"), store.Int(0)}) {
		t.Errorf("%+v, %v", res, err)
	}
}

func TestUseDomain(t *testing.T) {
	_, head := database(t, storetest.SQLite(t))
	head += "modparam(\"sqlops\", \"use_domain\", 1)\n"
	check(t, head, `$avp(a) = "x"; sql_avp_store("$fu", "$avp(a)");
		$var(u) = "sip:alice@elsewhere.example"; sql_avp_load("$var(u)/uri", "$avp(a)"); xlog("$rc");
		$var(u) = "sip:alice@ATLANTA.example"; sql_avp_load("$var(u)/uri", "$avp(a)"); xlog("$rc");`, "-1|1")
}

func TestErrors(t *testing.T) {
	head := moduletest.Head("db_sqlite", "sqlops")
	url := "modparam(\"sqlops\", \"db_url\", \"sqlite:///tmp/x.db\")\n"
	for _, c := range []struct{ text, want string }{
		{`route { sql_query("SELECT 1"); }`, "test.cfg:8:9: sql_query() needs a database"},
		{`modparam("sqlops", "db_url", "mysql://u:secret@h/d")` + "\nroute { exit; }", `needs the module db_mysql: loadmodule "db_mysql.so"`},
		{`modparam("sqlops", "db_url", "x mysql://u:secret@h/d")` + "\nroute { exit; }", `"number url"`},
		{`modparam("sqlops", "db_url", "1 odbc://u:secret@h/d")` + "\nroute { exit; }", "begins with mysql://"},
		{url + `route { sql_query("SELECT 1", , 3); }`, "there is no db_url with the number 3"},
		{url + `route { sql_query("SELECT '$ru"); }`, "' that is not closed"},
		{url + "route { sql_query(\"SELECT `$ru`\"); }", "stands in a name"},
		{url + `route { sql_query("SELECT 1", "x"); }`, "expected AVPs"},
		{url + `route { sql_query_one("SELECT 1", "$ci"); }`, "cannot be assigned"},
		{url + `route { sql_select(, "t", '[{"a":'); }`, "the filter cannot be read as JSON"},
		{url + `route { sql_select(, "t", '[{"a":true}]'); }`, "expected a string, a number or null"},
		{url + `route { sql_select('["a"]'); }`, "the table is missing"},
		{url + `route { sql_update('[{"a":{"=":1}}]', "t"); }`, "expected a string, a number or null"},
		{url + `route { sql_avp_load("$ru/nothing", "a"); }`, "expected /username"},
		{url + `route { sql_avp_load("$ru", "x"); }`, "expected $avp(name)"},
		{url + `route { sql_avp_load("$ru", "$avp(x)/$y"); }`, "no db_scheme"},
		{`modparam("sqlops", "db_scheme", "x:tabel=y")` + "\nroute { exit; }", "unknown element"},
	} {
		if got := moduletest.Wrong(t, head+c.text+"\n", modules...); !strings.Contains(got, c.want) || strings.Contains(got, "secret") {
			t.Errorf("%s:\n\t%s\n\twant %s", c.text, got, c.want)
		}
	}
}

func TestNotes(t *testing.T) {
	_, head := database(t, storetest.SQLite(t))
	b := moduletest.New(t, head+"route { sql_query($var(q)); }\n", modules...)
	if len(b.Config.Notes) != 1 || !strings.Contains(b.Config.Notes[0].String(), "nothing in it is escaped") {
		t.Errorf("%v", b.Config.Notes)
	}
}

func TestServers(t *testing.T) {
	t.Run("mariadb", func(t *testing.T) { testServer(t, storetest.MariaDB(t)) })
	t.Run("postgres", func(t *testing.T) { testServer(t, storetest.Postgres(t)) })
}

// A server that is killed costs the message that asks it; the next one after its
// return has its answer.
func testServer(t *testing.T, s *storetest.Server) {
	_, head := database(t, s.URL("sip"))
	b := moduletest.New(t, head+`route {
	sql_query("SELECT password, id FROM subscriber WHERE username='$fU' AND domain LIKE '%.$(fd{s.select,-1,.})'", "$avp(p);$avp(id)");
	xlog("code $rc $avp(p) $avp(id)");
}
`, modules...)
	last := func() string {
		b.Receive(moduletest.Invite)
		return b.Log[len(b.Log)-1]
	}
	if got := last(); got != "code 1 secret 1" {
		t.Fatalf("%v", b.Log)
	}
	s.Kill()
	if got := last(); got != "code -1 <null> <null>" || strings.Contains(strings.Join(b.Log, "\n"), storetest.Password) {
		t.Errorf("%v", b.Log)
	}
	s.Start()
	for range 200 {
		if last() == "code 1 secret 1" {
			return
		}
	}
	t.Errorf("it is back: %v", b.Log)
}
