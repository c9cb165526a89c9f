package domain_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sipreactor/reactor/modules/db_sqlite"
	"sipreactor/reactor/modules/domain"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/rpc"
	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
	"sipreactor/reactor/store/storetest"
)

var modules = []script.Constructor{db_sqlite.New, domain.New}

func TestDocumented(t *testing.T) { moduletest.Documented(t, domain.New) }

func database(t *testing.T) (*store.DB, string) {
	t.Helper()
	url := storetest.SQLite(t)
	if err := store.Create(t.Context(), url, "domain"); err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(url, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	rows := [][]store.Value{
		{store.String("Atlanta.example"), store.String("gold"), store.Int(0)},
		{store.String("example.net"), store.Null, store.Int(1)},
	}
	if _, err := db.Apply(t.Context(), store.Change{Verb: store.VerbInsert, Table: "domain", Columns: []string{"domain", "attrs", "accept_subdomain"}, Rows: rows}); err != nil {
		t.Fatal(err)
	}
	return db, moduletest.Head("db_sqlite", "domain") + fmt.Sprintf("modparam(\"domain\", \"db_url\", %q)\n", url)
}

var questions = []struct{ run, want string }{
	{`if (is_from_local()) xlog("yes");`, "yes"},
	{`if (is_from_local($var(attrs))) xlog("$var(attrs)");`, "gold"},
	{`$var(a) = "x"; if (is_uri_host_local($var(a)) && $var(a) == NULL) xlog("none");`, "none"},
	{`if (is_domain_local($rd)) xlog("yes");`, "yes"},
	{`$avp(some_avp) = "ATLANTA.Example"; if (is_domain_local($avp(some_avp), $avp(attrs))) xlog("$avp(attrs)");`, "gold"},
	{`is_domain_local("a.b.example.net"); xlog("$rc");`, "1"},
	{`is_domain_local("sub.atlanta.example"); xlog("$rc");`, "-1"},
	{`is_domain_local("net"); xlog("$rc");`, "-1"},
	{`is_domain_local("x' OR '1'='1"); xlog("$rc");`, "-1"},
	{`is_domain_local($avp(none)); xlog("$rc");`, "-1"},
}

func TestAsking(t *testing.T) {
	db, head := database(t)
	if _, err := db.Update(t.Context(), "domain", []store.Set{{Column: "domain", Value: store.String("atlanta.example")}}, store.Equal("id", store.Int(1))); err != nil {
		t.Fatal(err)
	}
	for _, c := range questions {
		if got := strings.Join(moduletest.Logs(t, head, c.run, modules...), "|"); got != c.want {
			t.Errorf("%s: %s, want %s", c.run, got, c.want)
		}
	}
	b := moduletest.New(t, head+"route { is_from_local(); }\n", modules...)
	if _, err := command(t, b, "domain_reload"); err == nil || !strings.Contains(err.Error(), "db_mode is 0") {
		t.Errorf("%v", err)
	}
}

func command(t *testing.T, b *moduletest.Bench, name string) (any, error) {
	t.Helper()
	for _, c := range b.Config.Commands() {
		if c.Name == name {
			return c.Func(t.Context(), &rpc.Args{})
		}
	}
	t.Fatalf("there is no command %s", name)
	return nil, nil
}

func TestCached(t *testing.T) {
	db, head := database(t)
	head += "modparam(\"domain\", \"db_mode\", 3)\n"
	for _, c := range questions {
		if got := strings.Join(moduletest.Logs(t, head, c.run, modules...), "|"); got != c.want {
			t.Errorf("%s: %s, want %s", c.run, got, c.want)
		}
	}
	b := moduletest.New(t, head+"route { is_domain_local(\"new.example\"); xlog(\"$rc\"); }\n", modules...)
	ask := func() string {
		b.Receive(moduletest.Invite)
		return b.Log[len(b.Log)-1]
	}
	if err := db.Insert(t.Context(), "domain", store.Set{Column: "domain", Value: store.String("new.example")}); err != nil {
		t.Fatal(err)
	}
	if got := ask(); got != "-1" {
		t.Errorf("before the reload: %s", got)
	}
	if _, err := command(t, b, "domain_reload"); err != nil || ask() != "1" {
		t.Errorf("behind the reload: %v, %v", err, b.Log)
	}
	if list, err := command(t, b, "domain_dump"); err != nil || !strings.Contains(fmt.Sprint(list), "name:atlanta.example") || !strings.Contains(fmt.Sprint(list), "attributes:gold") {
		t.Errorf("%v, %v", list, err)
	}
	// All or nothing.
	if err := db.Insert(t.Context(), "domain", store.Set{Column: "domain", Value: store.String(" ")}); err != nil {
		t.Fatal(err)
	}
	if _, err := command(t, b, "domain_reload"); err == nil || !strings.Contains(err.Error(), "column domain: is empty") || ask() != "1" {
		t.Errorf("a bad row: %v, %v", err, b.Log)
	}
}

// TestOtherColumns reads a table whose columns have names of their own.
func TestOtherColumns(t *testing.T) {
	db, head := database(t)
	for _, text := range []string{
		"CREATE TABLE ours (host TEXT, note TEXT, below INTEGER)",
		"INSERT INTO version (table_name, table_version) VALUES ('ours', 4)",
		"INSERT INTO ours VALUES ('example.net', 'silver', 1), ('example.com', 'bronze', 0)",
	} {
		if _, err := db.Exec(t.Context(), new(store.Statement).SQL(text)); err != nil {
			t.Fatal(err)
		}
	}
	for name, value := range map[string]string{"domain_table": "ours", "domain_col": "host", "attrs_col": "note", "subdomain_col": "below"} {
		head += fmt.Sprintf("modparam(\"domain\", %q, %q)\n", name, value)
	}
	for _, mode := range []int{0, 1} {
		head := head + fmt.Sprintf("modparam(\"domain\", \"db_mode\", %d)\n", mode)
		got := moduletest.Logs(t, head, `$var(x) = ""; is_domain_local("a.example.net", $var(x)); xlog("$rc $var(x)"); is_domain_local("a.example.com"); xlog("$rc"); is_domain_local("example.com"); xlog("$rc");`, modules...)
		if want := "1 silver|-1|1"; strings.Join(got, "|") != want {
			t.Errorf("db_mode %d: %v, want %s", mode, got, want)
		}
	}
}

func TestFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "domains.csv")
	if err := os.WriteFile(file, []byte("domain\natlanta.example\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	head := moduletest.Head("domain") + fmt.Sprintf("modparam(\"domain\", \"domain_file\", %q)\n", file)
	if got := moduletest.Logs(t, head, `if (is_from_local() && !is_uri_host_local()) xlog("yes");`, modules...); len(got) != 1 || got[0] != "yes" {
		t.Errorf("%v", got)
	}
}

func TestErrors(t *testing.T) {
	head := moduletest.Head("domain")
	for text, want := range map[string]string{
		"": "db_url is not set, and there is no db_default_url",
		"modparam(\"domain\", \"db_url\", \"mysql://u:secret@h/d\")\n":               "needs the module db_mysql",
		"modparam(\"domain\", \"db_url\", \"mysql://u:secret@h\")\n":                 "names no database",
		"db_default_url=\"sqlite:///x\"\nmodparam(\"domain\", \"db_mode\", \"x\")\n": "needs the module db_sqlite",
	} {
		if got := moduletest.Wrong(t, head+text+"route { is_from_local(); }\n", modules...); !strings.Contains(got, want) || strings.Contains(got, "secret") {
			t.Errorf("%s:\n%s", text, got)
		}
	}
}
