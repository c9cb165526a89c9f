package group_test

import (
	"fmt"
	"strings"
	"testing"

	"sipreactor/reactor/modules/db_sqlite"
	"sipreactor/reactor/modules/group"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
	"sipreactor/reactor/store/storetest"
)

var modules = []script.Constructor{db_sqlite.New, group.New, moduletest.Verified}

func TestDocumented(t *testing.T) { moduletest.Documented(t, group.New) }

func TestGroups(t *testing.T) {
	url := storetest.SQLite(t)
	if err := store.Create(t.Context(), url, "grp", "re_grp"); err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(url, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	text := store.String
	_, err = db.Apply(t.Context(),
		store.Change{Verb: store.VerbInsert, Table: "grp", Columns: []string{"username", "domain", "grp"}, Rows: [][]store.Value{
			{text("+4930123"), text("example.net"), text("ld")}, {text("alice"), text("other"), text("offline")},
		}},
		store.Change{Verb: store.VerbInsert, Table: "re_grp", Columns: []string{"reg_exp", "group_id"}, Rows: [][]store.Value{
			{text(`^sip:\+49`), store.Int(7)}, {text(`@example\.net$`), store.Int(8)}, {text("^sip:a"), store.Int(9)},
		}})
	if err != nil {
		t.Fatal(err)
	}
	head := moduletest.Head("db_sqlite", "group") + fmt.Sprintf("modparam(\"group\", \"db_url\", %q)\nmodparam(\"group\", \"re_table\", \"re_grp\")\n", url)
	domain := "modparam(\"group\", \"use_domain\", 1)\n"
	for _, c := range []struct{ more, run, want string }{
		{"", `if (db_is_user_in("Request-URI", "ld")) xlog("yes");`, "yes"},
		{domain, `if (db_is_user_in("To", "ld")) xlog("yes");`, "yes"},
		{"", `$avp(grouptocheck)="offline"; if (db_is_user_in("From", "$avp(grouptocheck)")) xlog("yes");`, "yes"},
		{domain, `db_is_user_in("From", "offline"); xlog("$rc");`, "-1"},
		{"", `db_is_user_in("Credentials", "offline"); xlog("$rc");`, "-1"},
		{"", `$avp(u) = "sip:alice@x"; db_is_user_in("$avp(u)", "offline"); xlog("$rc");`, "1"},
		{"", `$avp(u) = "nonsense"; db_is_user_in($avp(u), "offline"); xlog("$rc");`, "-1"},
		{"", `if (db_get_user_group("Request-URI", $avp(10))) xlog("$(avp(10)[*])");`, "7,8"},
		{"modparam(\"group\", \"multiple_gid\", 0)\n", `db_get_user_group("Request-URI", $avp(10)); xlog("$(avp(10)[*])");`, "7"},
		{"", `$avp(u) = "sip:bob@x"; db_get_user_group($avp(u), $avp(10)); xlog("$rc");`, "-1"},
	} {
		log := moduletest.Logs(t, head+c.more, c.run, modules...)
		if got := log[len(log)-1]; got != c.want {
			t.Errorf("%s: %v, want %s", c.run, log, c.want)
		}
	}
	credentials := strings.Replace(string(moduletest.Invite), "Contact:", "Authorization: Digest username=\"root\", realm=\"x\"\r\n"+
		"Authorization: Digest username=\"alice@other\", realm=\"other\"\r\nContact:", 1)
	for run, want := range map[string]string{"": "-1", "verified();": "1"} {
		b := moduletest.New(t, head+"loadmodule \"verified.so\"\n"+domain+"route { "+run+` db_is_user_in("Credentials", "offline"); xlog("$rc"); }`+"\n", modules...)
		if b.Receive([]byte(credentials)); b.Log[len(b.Log)-1] != want {
			t.Errorf("credentials, %q: %v", run, b.Log)
		}
	}
	for _, c := range []struct{ text, want string }{
		{head + `route { db_is_user_in("Nobody", "x"); }`, "expected Request-URI, To"},
		{head + `route { aaa_is_user_in("From", "x"); }`, "aaa_is_user_in() of the module group is not supported: there is no AAA"},
		{strings.Replace(head, "re_grp", "", 1) + `route { db_get_user_group("To", $avp(x)); }`, "needs the table of expressions"},
	} {
		if got := moduletest.Wrong(t, c.text+"\n", modules...); !strings.Contains(got, c.want) {
			t.Errorf("%s:\n%s", c.text, got)
		}
	}
	// An expression that is none, such as one with a back reference, stops the reload.
	b := moduletest.New(t, head+"route { db_get_user_group(\"To\", $avp(x)); xlog(\"$(avp(x)[*])\"); }\n", modules...)
	if err := db.Insert(t.Context(), "re_grp", store.Set{Column: "reg_exp", Value: text(`(a)\1`)}); err != nil {
		t.Fatal(err)
	}
	for _, c := range b.Config.Commands() {
		if c.Name == "group_reload" {
			if _, err := c.Func(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "table re_grp, id=4, column reg_exp: is no regular expression") {
				t.Errorf("%v", err)
			}
		}
	}
	if b.Receive(moduletest.Invite); b.Log[0] != "7,8" {
		t.Errorf("behind a reload that failed: %v", b.Log)
	}
}
