package alias_db_test

import (
	"fmt"
	"strings"
	"testing"

	"sipreactor/reactor/modules/alias_db"
	"sipreactor/reactor/modules/db_sqlite"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
	"sipreactor/reactor/store/storetest"
)

var modules = []script.Constructor{db_sqlite.New, alias_db.New}

func TestDocumented(t *testing.T) { moduletest.Documented(t, alias_db.New) }

func TestAliases(t *testing.T) {
	url := storetest.SQLite(t)
	if err := store.Create(t.Context(), url, "dbaliases"); err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(url, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(t.Context(), new(store.Statement).SQL("DROP INDEX dbaliases_alias_idx")); err != nil {
		t.Fatal(err)
	}
	var rows [][]store.Value
	for _, r := range []string{"+4930123 example.net alice atlanta.example", "+4930123 example.net bob biloxi.example", "+4930123 other.net carol c.example", "al sip.example alice atlanta.example", "odd odd.example bob> c.example"} {
		var row []store.Value
		for _, f := range strings.Fields(r) {
			row = append(row, store.String(f))
		}
		rows = append(rows, row)
	}
	change := store.Change{Verb: store.VerbInsert, Table: "dbaliases", Columns: []string{"alias_username", "alias_domain", "username", "domain"}, Rows: rows}
	if _, err := db.Apply(t.Context(), change); err != nil {
		t.Fatal(err)
	}
	head := moduletest.Head("db_sqlite", "alias_db") + fmt.Sprintf("modparam(\"alias_db\", \"db_url\", %q)\n", url)
	branches := "modparam(\"alias_db\", \"append_branches\", 1)\n"
	prefix := "modparam(\"alias_db\", \"domain_prefix\", \"sip.\")\n"
	for _, c := range []struct{ more, run, want string }{
		{"", `alias_db_lookup("dbaliases"); xlog("$rc $ru $branch(uri)");`, "1 sip:alice@atlanta.example <null>"},
		{branches, `alias_db_lookup("dbaliases"); xlog("$rc $ru $branch(uri)");`, "1 sip:alice@atlanta.example sip:bob@biloxi.example"},
		{branches, `$rd = "nowhere"; alias_db_lookup("dbaliases"); xlog("$rc");`, "-1"},
		{"", `$ru = "sip:+4930123@nowhere"; alias_db_lookup("dbaliases", "d"); xlog("$ru");`, "sip:alice@atlanta.example"},
		{"", `$ru = "sip:carol@nowhere"; alias_db_lookup("dbaliases", "rd"); xlog("$ru");`, "sip:+4930123@other.net"},
		{"", `$var(t) = "db"; alias_db_lookup("$var(t)aliases"); xlog("$ru");`, "sip:alice@atlanta.example"},
		{"", `alias_db_find("dbaliases", $fu, $avp(from_alias), "r"); xlog("$avp(from_alias) $ru");`, "sip:+4930123@example.net sip:+4930123@example.net:5070;transport=tls;user=phone"},
		{prefix, `alias_db_find("dbaliases", "sip:al@sip.sip.example", $var(x)); xlog("$var(x)");`, "sip:alice@atlanta.example"},
		{"", `alias_db_find("dbaliases", "sip:x' OR 1=1 -- @h", $var(x)); xlog("$rc");`, "-1"},
		{"", `alias_db_find("dbaliases", "nonsense", $var(x)); xlog("$rc");`, "-1"},
		{"", `$var(t) = "nothing"; alias_db_find("$var(t)", $fu, $var(x)); xlog("$rc");`, "-1"}, // a start knows no table to look for
	} {
		log := moduletest.Logs(t, head+c.more, c.run, modules...)
		if got := log[len(log)-1]; got != c.want {
			t.Errorf("%s: %v, want %s", c.run, log, c.want)
		}
	}
	log := strings.Join(moduletest.Logs(t, head, `$ru = "sip:odd@odd.example"; alias_db_lookup("dbaliases");`, modules...), "\n")
	if want := `table dbaliases, columns username and domain: "sip:bob>@c.example"`; !strings.Contains(log, want) {
		t.Errorf("%s\nlacks %s", log, want)
	}
	if got := moduletest.Wrong(t, head+"route { alias_db_lookup(\"dbaliases\", \"x\"); }\n", modules...); !strings.Contains(got, "expected d, r or both") {
		t.Error(got)
	}
}
