package script

import (
	"slices"
	"strings"
	"testing"
)

func TestFlow(t *testing.T) {
	for _, tt := range []struct{ name, src, want string }{
		{"if and else", `if ($rp == 1) xlog("a"); else if ($rp == 5070) xlog("b"); else xlog("c");`, "b"},
		{"exit ends all", `xlog("a"); { if (1) { exit; } } xlog("b");`, "a"},
		{"while", `$var(i) = 0; while ($var(i) < 3) { $var(i) += 1; if ($var(i) == 2) { xlog("two"); } } xlog("$var(i)");`, "two|3"},
		{"break", `while (1) { $var(i) = $rp; break; } xlog("$var(i)");`, "5070"},
		{"endless while", `$var(i) = 0; while (1) $var(i) += 1; xlog("$var(i)");`, "script: while: stopped after max_while_loops rounds at=test.cfg:20:|100"},
		{"for over avp", `$avp(x) = "a"; $avp(x) = "b"; $avp(x) = 3; for ($var(v) in $(avp(x)[*])) xlog("$var(v)"); xlog("end");`, "3|b|a|end"},
		{"for over headers", `for ($var(v) in $(hdr(P-Note)[*])) { if ($var(v) == "last") break; xlog("<$var(v)>"); }`, "<one>|<two, three>"},
		{"for into avp", `for ($avp(v) in $(hdr(P-Note)[*])) xlog("$avp(v)");`, "one|two, three|last"},
		{"switch", `switch ($rm) { case "BYE": xlog("bye"); case "invite": xlog("a"); case 5: xlog("falls through"); break; default: xlog("d"); }`, "a|falls through"},
		{"switch on number", `switch ($rp) { case 1: xlog("1"); break; case 5070: xlog("hit"); break; default: xlog("d"); }`, "hit"},
		{"switch default", `switch ($rp) { case 1: xlog("1"); default: xlog("d"); }`, "d"},
		{"switch on null", `switch ($hdr(None)) { case "": xlog("empty"); break; default: xlog("d"); }`, "d"},
		{"switch without match", `switch ($rp) { case 1: xlog("1"); } xlog("on");`, "on"},
		{"break leaves the inner one", `while (1) { switch ($rp) { default: break; } xlog("in"); break; } xlog("out");`, "in|out"},
		{"retcode", `is_method("BYE"); xlog("$rc"); is_method("INVITE"); xlog("$retcode");`, "-1|1"},
		{"retcode of a route", `route(three); xlog("$rc"); route(minus); xlog("$rc"); route(last); xlog("$rc"); route(plain); xlog("$rc");`, "3|-2|-1|1"},
		{"return 0 ends the script", `route(zero); xlog("not reached");`, ""},
		{"return 0 in a condition", `if (route(zero)) xlog("a"); else xlog("b"); xlog("c");`, ""},
		{"drop", `route(dropped); xlog("not reached");`, ""},
		{"params", `$var(a) = 5; route(params, "x$var(a)", $var(a), NULL, $rU, 7);`, "x5 5 <null> +4930123 7 <null>"},
		{"params belong to the call", `route(outer, "o");`, "outer o|inner i|outer o"},
		{"params by number in a variable", `route(byvar, "one", "two");`, "one two"},
		{"named params", `route(named, "first", 2);`, "first 2"},
		{"fewer params", `route(named, "first");`, "first <null>"},
		{"return values", `route(values); xlog("$rc $return(0) $return(1) $return(2)");`, "2 v +4930123 <null>"},
		{"route by name", `$var(r) = "three"; if (route($var(r))) xlog("$rc"); route("mi$var(x)nus_$rp"); xlog("on");`, `3|script: route(): there is no route[mi<null>nus_5070] at=test.cfg:20:|on`},
		{"avp assignments", `$avp(x) = 1; $avp(x) = 2; xlog("$avp(x) $(avp(x)[1]) $(avp(x)[-1])"); $avp(x) := 9; xlog("$(avp(x)[*])"); $avp(x) = 8; $avp(x) = NULL; xlog("$(avp(x)[*])"); $avp(x) := NULL; xlog("$avp(x)");`, "2 1 1|9|9|<null>"},
		{"avp index", `$avp(x) = 1; $avp(x) = 2; $(avp(x)[1]) = "one"; xlog("$(avp(x)[*])"); $(avp(x)[0]) = NULL; xlog("$(avp(x)[*])"); $(avp(x)[*]) = NULL; xlog("$(avp(x)[*])");`, "2,one|one|<null>"},
		{"compound assignments", `$var(x) = 10; $var(x) += 5; $var(x) -= 1; $var(x) *= 2; $var(x) /= 4; $var(x) %= 4; $var(x) |= 4; $var(x) &= 6; $var(x) ^= 1; xlog("$var(x)"); $var(s) = "a"; $var(s) += "b"; xlog("$var(s)");`, "7|ab"},
		{"compound with null", `$var(x) += 1; xlog("on");`, "script: assignment to $var(x): one side is NULL at=test.cfg:20:|on"},
		{"value of a call that fails", `$var(r) = "none"; $var(rc) = route($var(r)); xlog("$rc"); if ($var(rc) < 0) xlog("$var(rc)"); $var(rc) = 5; $avp(x) = 1; $var(rc) = (route($var(r))); xlog("$var(rc)");`,
			"script: route(): there is no route[none] at=test.cfg:20:|-1|-1|script: route(): there is no route[none] at=test.cfg:20:|-1"},
		{"assert", `assert($rm == "INVITE", "fine"); assert($rm == "BYE", "no bye"); xlog("not reached");`, "script: assert(): no bye at=test.cfg:20:"},
		{"empty statements", `;;{} if (1) ; xlog("a");`, "a"},
	} {
		b := newBench(t, allModules+`
route {
`+tt.src+`
}
route[three] { return(3); }
route[minus] { return -2; }
route[last] { xlog("") ; is_method("BYE"); }
route[plain] { return; }
route[zero] { return(0); }
route[dropped] { drop; }
route[params] { xlog("$param(1) $param(2) $param(3) $param(4) $param(5) $param(6)"); }
route[outer] { xlog("outer $param(1)"); route(inner, "i"); xlog("outer $param(1)"); }
route[inner] { xlog("inner $param(1)"); }
route[byvar] { $var(i) = 2; xlog("$param(1) $param($var(i))"); }
route[named(a, b)] { xlog("$param(a) $param(b)"); }
route[values] { return(2, "v", $rU); }
`)
		b.receive(invite)
		var got []string
		for _, l := range b.log {
			if l == "" {
				continue
			}
			if i := strings.Index(l, "at=test.cfg:"); i >= 0 {
				l = l[:i+len("at=test.cfg:22:")]
				l = strings.Replace(l, ":22:", ":20:", 1)
			}
			got = append(got, l)
		}
		if s := strings.Join(got, "|"); s != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, s, tt.want)
		}
	}
}

func TestVariablesBeginAnew(t *testing.T) {
	b := newBench(t, allModules+`route { xlog("$var(x) $avp(y)"); $var(x) = "kept"; $avp(y) = 1; setflag(F); if (isflagset(F)) xlog("set"); }`)
	for range 2 {
		b.receive(invite)
		if got := strings.Join(b.log, "|"); got != "<null> <null>|set" {
			t.Error(got)
		}
	}
}

func TestRunawayScripts(t *testing.T) {
	for name, src := range map[string]string{
		"recursion":         `route { route(a); xlog("end"); } route[a] { route(a); xlog("not reached"); }`,
		"nested loops":      `route { while (1) { while (1) { while (1) { while (1) $var(x) = 1; } } } xlog("not reached"); }`,
		"recursing loops":   `route { route(a); } route[a] { while (1) route(b); } route[b] { while (1) route(c); } route[c] { while (1) route(d); } route[d] { while (1) $var(x) = 1; }`,
		"growing text":      `route { $var(x) = $mb; while (1) { $var(x) = $var(x) + $var(x); } xlog("end"); }`,
		"growing by pieces": `route { while (1) { $var(n) = 0; while ($var(n) < 90) { $var(n) += 1; $var(x) = $mb + $var(n); $var(x) = $var(x) + $var(x) + $var(x) + $var(x) + $var(x) + $var(x) + $var(x) + $var(x); } } xlog("end"); }`,
	} {
		b := newBench(t, allModules+strings.ReplaceAll(src, "} route", "}\nroute"))
		b.receive(invite)
		for _, l := range b.log {
			if l == "not reached" {
				t.Errorf("%s: %v", name, b.log)
			}
		}
		if len(b.log) == 0 {
			t.Errorf("%s: nothing was logged", name)
		}
	}
}

func TestErrorRoute(t *testing.T) {
	const routes = `
error_route {
	xlog("$err.class $err.level $err.rcode $err.rreason: $err.info");
	$var(y) = 1 / $var(zero);
	if (is_method("BYE")) exit;
}
`
	b := newBench(t, allModules+`
route {
	$var(zero) = 0;
	$var(x) = 5 / $var(zero);
	xlog("goes on $var(x)");
	$var(uri) = "not a uri";
	$ru = $var(uri);
	if ($var(text) == NULL) { $var(n) = 1 - $rU; }
	xlog("end");
}`+routes)
	b.receive(invite)
	want := []string{
		"script: operator /: division by 0", "3 3 500 Server Internal Error: division by 0", "script: operator /: division by 0",
		"goes on <null>",
		"script: assignment to $ru: proxy: not a URI", "3 3 500 Server Internal Error: proxy: not a URI",
		"script: operator -: its left side is a number and its right side a text", "3 3 500 Server Internal Error: its left side is a number and its right side a text",
		"end",
	}
	i := 0
	for _, l := range b.log {
		if i < len(want) && strings.HasPrefix(l, want[i]) {
			i++
		}
	}
	if i != len(want) {
		t.Errorf("missing %q in\n%s", want[i], strings.Join(b.log, "\n"))
	}

	if !slices.ContainsFunc(b.cfg.Notes, func(n Note) bool { return strings.Contains(n.Msg, "error_route is run for a function") }) {
		t.Errorf("who brings one is not told what it gets: %v", b.cfg.Notes)
	}
	b.receive([]byte(strings.Replace(string(invite), "INVITE", "BYE", 2)))
	if strings.Contains(strings.Join(b.log, "\n"), "goes on") {
		t.Errorf("exit in the error_route ends the script:\n%s", strings.Join(b.log, "\n"))
	}
}

func TestErrorsAreNotRepeated(t *testing.T) {
	b := newBench(t, allModules+`route { $var(i) = 0; while ($var(i) < 50) { $var(i) += 1; $var(x) = $rU - 1; } }`)
	b.receive(invite)
	if len(b.log) > 2 {
		t.Errorf("%d lines for one place: %v", len(b.log), b.log)
	}
}
