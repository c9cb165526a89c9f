package avpops_test

import (
	"fmt"
	"strings"
	"testing"

	"sipreactor/reactor/modules/avpops"
	"sipreactor/reactor/modules/db_sqlite"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
	"sipreactor/reactor/store/storetest"
)

var modules = []script.Constructor{db_sqlite.New, avpops.New}

func TestDocumented(t *testing.T) { moduletest.Documented(t, avpops.New) }

func TestManipulations(t *testing.T) {
	three := `$avp(a) = "one"; $avp(a) = "two"; $avp(a) = "three"; `
	numbers := `$avp(n) = 1; $avp(n) = 20; $avp(n) = 300; `
	for _, c := range []struct{ run, want string }{
		{three + `avp_delete("$avp(a)"); xlog("$rc $(avp(a)[*])");`, "1 two,one"},
		{three + `avp_delete("$avp(a)/g"); xlog("$rc $(avp(a)[*])"); avp_delete($avp(a)); xlog("$rc");`, "1 <null>|-1"},
		{three + `$avp(b) = 1; avp_delete("*"); xlog("$avp(a) $avp(b)");`, "<null> <null>"},

		{`avp_pushto("$ru/domain","$fd"); xlog("$ru");`, "sip:+4930123@atlanta.example:5070;transport=tls;user=phone"},
		{`$avp(678) = "sip:x@y"; avp_pushto("$ru","$avp(678)"); xlog("$ru");`, "sip:x@y"},
		{`$avp(d) = "one"; $avp(d) = "two"; avp_pushto("$ru/username","$avp(d)/g"); xlog("$rU");`, "two"},
		{`$avp(679) = "sip:next:5070"; avp_pushto("$du","$avp(679)"); xlog("$du");`, "sip:next:5070"},
		{`$avp(680) = "sip:b@c"; avp_pushto("$br","$avp(680)"); xlog("$branch(uri)");`, "sip:b@c"},
		{`$avp(u) = "sip:1@x"; $avp(u) = "sip:2@x"; $avp(u) = "sip:3@x"; avp_pushto("$ru", "$avp(u)/g"); xlog("$ru $(branch(uri)[*])");`, "sip:3@x sip:2@x,sip:1@x"},
		{`avp_pushto("$ru", "$avp(none)"); xlog("$rc");`, "-1"},

		{numbers + `avp_check("$avp(n)", "lt/345/g"); xlog("$rc"); avp_check("$avp(n)", "lt/i:0x12c"); xlog("$rc"); avp_check("$avp(n)", "lt/300/g"); xlog("$rc");`, "1|-1|1"},
		{`avp_check("$fd","eq/$td/I"); xlog("$rc"); avp_check("$fd", "eq/ATLANTA.example/i"); xlog("$rc"); avp_check("$fd", "eq/ATLANTA.example"); xlog("$rc");`, "-1|1|-1"},
		{`$avp(foo) = 5; $avp(bar) = 4; avp_check("$avp(foo)","gt/$avp(bar)/g"); xlog("$rc"); avp_check("$avp(foo)", "le/$avp(bar)"); xlog("$rc");`, "1|-1"},
		{`$avp(foo) = "sip:u@bar.net"; avp_check("$avp(foo)","re/sip:.*@bar.net/g"); xlog("$rc"); avp_check("$avp(foo)","re/^tel:"); xlog("$rc");`, "1|-1"},
		{`$avp(foo) = "abc/def"; $avp(fm_avp) = "a*[!x-z]f"; avp_check("$avp(foo)","fm/$avp(fm_avp)/g"); xlog("$rc"); avp_check("$avp(foo)", "fm/a?c"); xlog("$rc");`, "1|-1"},
		{numbers + `avp_check("$avp(n)", "and/4"); xlog("$rc"); avp_check("$avp(n)", "xor/300"); xlog("$rc"); avp_check("$avp(n)", "ne/300"); xlog("$rc");`, "1|-1|-1"},
		{`avp_check("$avp(none)", "ne/x"); xlog("$rc");`, "-1"},
		{`$avp(foo) = "x"; $avp(r) = "("; avp_check("$avp(foo)","re/$avp(r)"); xlog("$rc");`, "script: avp_check(): error parsing regexp: missing closing ): `(` peer=10.0.0.9:40000 at=test.cfg:8:33|-1"},

		{three + `avp_copy("$avp(a)", "$avp(345)/g"); xlog("$(avp(345)[*]) $(avp(a)[*])");`, "three,two,one three,two,one"},
		{three + `$avp(new) = "x"; avp_copy("$avp(a)","$avp(new)/gd"); xlog("$(avp(new)[*]) $avp(a)");`, "three,two,one,x <null>"},
		{three + `avp_copy("$avp(a)","$avp(new)"); xlog("$(avp(new)[*])");`, "three"},
		{`$avp(t) = "42"; avp_copy("$avp(t)", "$avp(t2)/n"); if ($avp(t2) == 42) xlog("number"); avp_copy("$avp(t2)", "$avp(t3)/s"); if ($avp(t3) == "42") xlog("text");`, "number|text"},
		{`avp_copy("$avp(none)", "$avp(new)"); xlog("$rc");`, "-1"},

		{`$avp(678) = "u@h"; avp_subst("$avp(678)", "/(.*)@(.*)/\1@$rd/"); xlog("$rc $avp(678)");`, "1 u@example.net"},
		{`$avp(678) = "u@h"; $avp(678) = "none"; $avp(678) = "v@h"; avp_subst("$avp(678)/$avp(679)/g", "/(.*)@(.*)/\1@$rd/"); xlog("$(avp(679)[*]) $(avp(678)[*])");`, "v@example.net,u@example.net v@h,none,u@h"},
		{`$avp(678) = "a-b-c"; avp_subst("$avp(678)", "/-/+/g"); xlog("$avp(678)"); avp_subst("$avp(678)", "/x/y/"); xlog("$rc");`, "a+b+c|-1"},
		{`$avp(678) = "a1"; $avp(678) = "a2"; avp_subst("$avp(678)/$avp(b)/gd", "/a/b/"); xlog("$(avp(b)[*]) $avp(678)");`, "b2,b1 <null>"},

		{numbers + `avp_op("$avp(n)", "add/i:345/g"); xlog("$(avp(n)[*])");`, "645,365,346"},
		{`$avp(number) = 10; $avp(number2) = 3; avp_op("$avp(number)","sub/$avp(number2)"); xlog("$avp(number)");`, "7"},
		{numbers + `avp_op("$avp(n)/$avp(m)", "mod/7/d"); xlog("$avp(m) $(avp(n)[*])");`, "6 20,1"},
		{numbers + `avp_op("$avp(n)", "div/0"); xlog("$rc $avp(n)"); avp_op("$avp(n)", "not/"); xlog("$avp(n)");`, "-1 300|-301"},
		{`$avp(x) = "text"; avp_op("$avp(x)", "mul/2"); xlog("$rc"); avp_op("$avp(none)", "mul/2"); xlog("$rc");`, "-1|-1"},

		{three + `avp_insert("$avp(a)", "new", 1); xlog("$(avp(a)[*])"); avp_insert("$avp(a)", "last", 99); xlog("$(avp(a)[*])");`, "three,new,two,one|three,new,two,one,last"},
		{three + `avp_shuffle("$avp(a)"); avp_shuffle("$avp(none)"); xlog("$rc $(avp(a){s.len})");`, ""},
	} {
		got := strings.Join(moduletest.Logs(t, moduletest.Head("avpops"), c.run, modules...), "|")
		if strings.Contains(c.run, "shuffle") {
			if !strings.HasPrefix(got, "-1 ") {
				t.Errorf("%s: %s", c.run, got)
			}
		} else if got != c.want {
			t.Errorf("%s\n\t%s\n\twant %s", c.run, got, c.want)
		}
	}
}

func TestDatabase(t *testing.T) {
	url := storetest.SQLite(t)
	if err := store.Create(t.Context(), url, "subscriber", "usr_preferences"); err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(url, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Insert(t.Context(), "subscriber", store.Set{Column: "username", Value: store.String("alice")}, store.Set{Column: "password", Value: store.String("secret")}); err != nil {
		t.Fatal(err)
	}
	head := moduletest.Head("db_sqlite", "avpops") + fmt.Sprintf("modparam(\"avpops\", \"db_url\", %q)\nmodparam(\"avpops\", \"db_url\", \"2 %s\")\n", url, url) +
		"modparam(\"avpops\", \"avp_table\", \"usr_preferences\")\n"
	for _, c := range []struct{ run, want string }{
		{`avp_db_query("select password, ha1 from subscriber where username='$fU'", "$avp(678);$avp(679)"); xlog("$rc $avp(678)");`, "1 secret"},
		{`avp_db_query("select 1 from subscriber where username='$rU'", "$avp(678)"); xlog("$rc");`, "-2"},
		{`avp_db_query("delete from subscriber","","2"); xlog("$rc");`, "1"},
		{`$avp(id)=2; avp_db_query("delete from subscriber","","$avp(id)"); xlog("$rc");`, "1"},
		{`$avp(678) = "value"; avp_db_store("$tu","$avp(678)"); avp_delete("$avp(678)/g"); avp_db_load("$tu", "$avp(678)", "2"); xlog("$avp(678)");`, "value"},
		{`avp_db_load("$tu", "$avp(678)", "", "caller_"); xlog("Loaded: $avp(caller_678)");`, "Loaded: value"},
		{`avp_db_delete("$tu","$avp(678)/usr_preferences"); avp_db_load("$tu", "a"); xlog("$rc");`, "-1"},
	} {
		if got := strings.Join(moduletest.Logs(t, head, c.run, modules...), "|"); got != c.want {
			t.Errorf("%s\n\t%s\n\twant %s", c.run, got, c.want)
		}
	}
}

func TestErrors(t *testing.T) {
	head := moduletest.Head("avpops")
	for call, want := range map[string]string{
		`avp_db_query("select 1")`:               "avp_db_query() needs a database",
		`avp_delete("$var(x)")`:                  "expected an AVP",
		`avp_delete("$avp(x)/q")`:                "expected of g",
		`avp_pushto("$fu", "$avp(x)")`:           "expected $ru, $ru/username",
		`avp_check("$avp(x)", "is/1")`:           "expected one of eq ne",
		`avp_check("$avp(x)", "re/(/g")`:         "is no expression",
		`avp_check("$avp(x)", "eq/i:x")`:         "expected a number behind i:",
		`avp_copy("$avp(x)", "$avp(y)/q")`:       "expected of gdns",
		`avp_subst("$avp(x)", "abc")`:            "/expression/replacement/flags",
		`avp_op("$avp(x)", "add/x")`:             "expected a number or a variable",
		`avp_op("$avp(x)/$avp(y)/q", "add/1")`:   "expected of gd",
		`avp_insert("$var(x)", "v", 1)`:          "expected an AVP",
		`avp_db_load("$ru", "$avp(x)/$scheme1")`: "needs a database",
	} {
		if got := moduletest.Wrong(t, head+"route { "+call+"; }\n", modules...); !strings.Contains(got, want) {
			t.Errorf("%s:\n%s", call, got)
		}
	}
}
