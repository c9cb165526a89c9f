package userblacklist_test

import (
	"fmt"
	"strings"
	"testing"

	"sipreactor/reactor/modules/db_sqlite"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/userblacklist"
	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
	"sipreactor/reactor/store/storetest"
)

var modules = []script.Constructor{db_sqlite.New, userblacklist.New}

func TestDocumented(t *testing.T) { moduletest.Documented(t, userblacklist.New) }

// The documentation's tables.
func TestLists(t *testing.T) {
	url := storetest.SQLite(t)
	if err := store.Create(t.Context(), url, "userblacklist", "globalblacklist"); err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(url, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	text := store.String
	user := func(name, domain, prefix string, white int64) []store.Value {
		return []store.Value{text(name), text(domain), text(prefix), store.Int(white)}
	}
	_, err = db.Apply(t.Context(),
		store.Change{Verb: store.VerbInsert, Table: "globalblacklist", Columns: []string{"prefix", "whitelist"}, Rows: [][]store.Value{
			{text(""), store.Int(0)}, {text("1"), store.Int(1)}, {text("123456"), store.Int(0)}, {text("123455787"), store.Int(0)},
		}},
		store.Change{Verb: store.VerbInsert, Table: "userblacklist", Columns: []string{"username", "domain", "prefix", "whitelist"}, Rows: [][]store.Value{
			user("49721123456788", "", "1234", 0), user("49721123456788", "", "123456788", 1), user("49721123456789", "", "12345", 0),
			user("494675231", "", "499034133", 1), user("494675231", "test", "499034132", 0),
		}})
	if err != nil {
		t.Fatal(err)
	}
	head := moduletest.Head("db_sqlite", "userblacklist") + fmt.Sprintf("modparam(\"userblacklist\", \"db_url\", %q)\n", url)
	domain := "modparam(\"userblacklist\", \"use_domain\", 1)\n"
	for _, c := range []struct{ more, run, want string }{
		{"", `$rU = "15"; check_blacklist("globalblacklist"); xlog("$rc");`, "1"},
		{"", `$rU = "1234567"; check_blacklist("globalblacklist"); xlog("$rc");`, "-1"},
		{"", `$rU = "12345678"; check_blacklist("globalblacklist"); xlog("$rc");`, "-1"},
		{"", `$rU = "234"; check_blacklist("globalblacklist"); xlog("$rc");`, "-1"},
		{"", `$rU = "12345"; check_user_blacklist("49721123456788", "example.net"); xlog("$rc");`, "-1"},
		{"", `$rU = "1234567889"; check_user_blacklist("49721123456788", "example.net"); xlog("$rc");`, "1"},
		{"", `check_user_blacklist("49721123456789", "example.net", "123456"); xlog("$rc");`, "-1"},
		{"", `check_user_blacklist("49721123456789", "example.net", "1234"); xlog("$rc");`, "1"},
		{"", `check_user_blacklist("nobody", "example.net", "1234", "userblacklist"); xlog("$rc");`, "1"},
		{"", `check_user_blacklist("494675231", "", "4990341321"); xlog("$rc");`, "-1"},
		{domain, `check_user_blacklist("494675231", "", "4990341321"); xlog("$rc");`, "1"},
		{domain, `check_user_blacklist("494675231", "test", "4990341321"); xlog("$rc");`, "-1"},
		{"", `check_user_blacklist("x", "", "1", "notable"); xlog("$rc");`, "-1"},
		{"", `check_user_blacklist("", ""); xlog("$rc");`, "-1"},
	} {
		log := moduletest.Logs(t, head+c.more, c.run, modules...)
		if got := log[len(log)-1]; got != c.want {
			t.Errorf("%s: %v, want %s", c.run, log, c.want)
		}
	}
	b := moduletest.New(t, head+"route { $rU = \"77\"; check_blacklist(\"globalblacklist\"); xlog(\"$rc\"); }\n", modules...)
	if err := db.Insert(t.Context(), "globalblacklist", store.Set{Column: "prefix", Value: text("77")}, store.Set{Column: "whitelist", Value: store.Int(1)}); err != nil {
		t.Fatal(err)
	}
	if got := b.Command(t, "reload_blacklist", nil); got != `"OK"` {
		t.Error(got)
	}
	if b.Receive(moduletest.Invite); strings.Join(b.Log, "") != "1" {
		t.Error("what was reloaded does not hold:", b.Log)
	}
	b = moduletest.New(t, head+"route { exit; }\n", modules...)
	if got := b.Command(t, "reload_blacklist", nil); !strings.Contains(got, "there are no lists") {
		t.Error(got)
	}
	if got := moduletest.Wrong(t, head+"route { check_blacklist(\"\"); }\n", modules...); !strings.Contains(got, "name of a table") {
		t.Error(got)
	}
}
