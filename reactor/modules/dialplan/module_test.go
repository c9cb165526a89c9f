package dialplan_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sipreactor/reactor/modules/db_sqlite"
	"sipreactor/reactor/modules/dialplan"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
	"sipreactor/reactor/store/storetest"
)

var modules = []script.Constructor{db_sqlite.New, dialplan.New}

func TestDocumented(t *testing.T) { moduletest.Documented(t, dialplan.New) }

func database(t *testing.T) (*store.DB, string) {
	t.Helper()
	url := storetest.SQLite(t)
	if err := store.Create(t.Context(), url, "dialplan"); err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(url, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	insert(t, db, 240, 1, `^(0040|\+40|0|40)21[0-9]+`, `^(0040|\+40|0|40)(.+)`, `40\2`, "bucharest")
	insert(t, db, 10, 0, "SIP server", "", "OpenSIPS", "")
	insert(t, db, 10, 1, "^021456[0-9]{5}", "", "", "serviceX")
	return db, moduletest.Head("db_sqlite", "dialplan") + fmt.Sprintf("modparam(\"dialplan\", \"db_url\", %q)\n", url)
}

func insert(t *testing.T, db *store.DB, plan, op int64, match, subst, repl, attrs string) {
	t.Helper()
	null := func(s string) store.Value {
		if s == "" {
			return store.Null
		}
		return store.String(s)
	}
	err := db.Insert(t.Context(), "dialplan", store.Set{Column: "dpid", Value: store.Int(plan)}, store.Set{Column: "match_op", Value: store.Int(op)},
		store.Set{Column: "match_exp", Value: store.String(match)}, store.Set{Column: "subst_exp", Value: null(subst)},
		store.Set{Column: "repl_exp", Value: null(repl)}, store.Set{Column: "attrs", Value: null(attrs)})
	if err != nil {
		t.Fatal(err)
	}
}

func TestTranslate(t *testing.T) {
	_, head := database(t)
	head += `modparam("dialplan", "partition", "default: example_partition")` + "\n" + `modparam("dialplan", "partition", "example_partition: table_name = dialplan")` + "\n"
	for _, c := range []struct{ run, want string }{
		{`$var(in) = "0040211234567"; dp_translate(240, $var(in), $var(out)); xlog("translated into '$var(out)'");`, "translated into '40211234567'"},
		{`$var(x) = 240; $avp(src) = "0211"; dp_translate($var(x), $avp(src), $var(y), $var(attrs)); xlog("$var(y) with attributes: '$var(attrs)'");`, "40211 with attributes: 'bucharest'"},
		{`$var(id) = 10; $avp(in) = "02145612345"; if (dp_translate($var(id), $avp(in), , $avp(attrs), "example_partition")) xlog("'$avp(attrs)'");`, "'serviceX'"},
		{`$var(part) = "default"; $var(in) = "SIP server"; if (dp_translate(10, $var(in), , , $var(part))) xlog("matched");`, "matched"},
		{`$var(a) = "old"; dp_translate(10, "SIP server", $var(o), $var(a)); xlog("<$var(o)> <$var(a)>");`, "<OpenSIPS> <>"},
		{`$var(o) = "old"; dp_translate(10, "02145612345", $var(o)); xlog("$var(o)");`, "old"},
		{`dp_translate(10, "nobody", $var(o)); xlog("$rc");`, "-1"},
		{`dp_translate(11, "SIP server"); xlog("$rc");`, "-1"},
	} {
		if got := strings.Join(moduletest.Logs(t, head, c.run, modules...), "|"); got != c.want {
			t.Errorf("%s: %s, want %s", c.run, got, c.want)
		}
	}
}

func TestCommands(t *testing.T) {
	db, head := database(t)
	b := moduletest.New(t, head+"route { exit; }\n", modules...)
	for _, c := range []struct {
		method string
		params any
		want   string
	}{
		{"dialplan:translate", []any{240, "+40219"}, `{"Output":"40219","ATTRIBUTES":"bucharest"}`},
		{"dp_translate", []any{10, "02145612345", "default"}, `{"Output":"","ATTRIBUTES":"serviceX"}`},
		{"dp_translate", []any{10, "x"}, "No translation"},
		{"dp_translate", []any{10, "x", "none"}, "no such partition"},
		{"dp_reload", []any{"none"}, "no such partition"},
		{"dp_show_partition", nil, `"rules":3`},
	} {
		if got := b.Command(t, c.method, c.params); !strings.Contains(got, c.want) {
			t.Errorf("%s %v: %s, want %s", c.method, c.params, got, c.want)
		}
	}
	insert(t, db, 10, 0, "new", "", "x", "")
	if got := b.Command(t, "dialplan:reload", nil); got != `"OK"` {
		t.Error(got)
	}
	if got := b.Command(t, "dp_translate", []any{10, "new"}); !strings.Contains(got, `"Output":"x"`) {
		t.Error(got)
	}
	// All or nothing, and the row is named.
	insert(t, db, 10, 1, `(a)\1`, "", "", "")
	if got := b.Command(t, "dp_reload", []any{"default"}); !strings.Contains(got, "column match_exp") || !strings.Contains(got, "5") {
		t.Error(got)
	}
	if got := b.Command(t, "dp_translate", []any{10, "new"}); !strings.Contains(got, `"Output":"x"`) {
		t.Error("the rules before are gone:", got)
	}
}

func TestFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "plan.csv")
	text := "dpid,pr,match_op,match_exp,match_flags,subst_exp,repl_exp,disabled,attrs\n" +
		"1,5,1,^00,0,^00(.*)$,+\\1,0,international\n1,1,1,^00,0,,,1,off\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	head := moduletest.Head("dialplan") + fmt.Sprintf("modparam(\"dialplan\", \"dialplan_file\", %q)\n", file)
	got := moduletest.Logs(t, head, `dp_translate(1, "004930", $var(o), $var(a)); xlog("$var(o) $var(a)");`, modules...)
	if strings.Join(got, "|") != "+4930 international" {
		t.Errorf("%q", got)
	}
}

func TestErrors(t *testing.T) {
	_, head := database(t)
	for text, want := range map[string]string{
		`modparam("dialplan", "partition", "pstn")`:                   `is not written as`,
		`modparam("dialplan", "partition", "pstn: color = red")`:      "unknown key color",
		`modparam("dialplan", "partition", "pstn: db_url = nothing")`: "db_url",
		`modparam("dialplan", "partition", "default: none")`:          "there is no partition none",
		`route { dp_translate(1, "x", , , "none"); }`:                 "there is no partition none",
		`route { dp_translate(1); }`:                                  "dp_translate(",
	} {
		l := script.Loader{Modules: modules}
		if _, err := l.Compile("cfg", []byte(head+text+"\n")); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
	l := script.Loader{Modules: modules}
	if _, err := l.Compile("cfg", []byte(moduletest.Head("dialplan")+"route { exit; }\n")); err == nil || !strings.Contains(err.Error(), "db_url is not set") {
		t.Errorf("without a database: %v", err)
	}
}
