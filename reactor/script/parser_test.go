package script

import (
	"strings"
	"testing"
)

// parsed parses a configuration, whose errors it returns.
func parsed(name, src string) (*parsedFile, error) {
	rep := &report{}
	f := parse(name, []byte(src), rep, readFile)
	return f, rep.err()
}

// statements parses the statements of a route.
func statements(t *testing.T, src string) string {
	t.Helper()
	f, err := parsed("t.cfg", "route {\n"+src+"\n}")
	if err != nil {
		t.Fatalf("%s\n%v", src, err)
	}
	return printStmts(f.Items[0].(*routeItem).Body.List)
}

func TestPrecedence(t *testing.T) {
	// The levels are those of OpenSIPS 3, where && and || are one, and + and *.
	for _, tt := range []struct{ src, want string }{
		{"$var(a) || $var(b) && $var(c)", "(&& (|| $var(a) $var(b)) $var(c))"},
		{"$var(a) && $var(b) || $var(c)", "(|| (&& $var(a) $var(b)) $var(c))"},
		{"$var(a) and $var(b) or not $var(c)", "(|| (&& $var(a) $var(b)) (! $var(c)))"},
		{"!$var(a) && $var(b)", "(&& (! $var(a)) $var(b))"},
		{"!!$var(a)", "(! (! $var(a)))"},
		{"!$var(a) == 5", "(! (== $var(a) 5))"},
		{"!is_method(\"INVITE\") && $rU=~\"^00\"", `(&& (! (is_method "INVITE")) (=~ $rU "^00"))`},
		{"$var(a) == 1 || ($var(b) == 2 && $var(c) == 3)", "(|| (== $var(a) 1) (&& (== $var(b) 2) (== $var(c) 3)))"},
		{"$si == 10.0.0.0/8", "(== $si <10.0.0.0/8>)"},
		{"$si != [2001:db8::1]", "(!= $si <2001:db8::1>)"},
		{"$si == 2001:db8::/32", "(== $si <2001:db8::/32>)"},
		{"$var(a) == -5", "(== $var(a) -5)"},
		{"$ru == myself", "(== $ru myself)"},
		{"$hdr(X) == NULL", "(== $hdr(X) NULL)"},
		{"$var(a) != null", "(!= $var(a) NULL)"},
		{"[$var(a) & 4] == 4", "(== (& $var(a) 4) 4)"},
		{"$var(a)<=3 || $var(a)>=7", "(|| (<= $var(a) 3) (>= $var(a) 7))"},
		{"$ua !~ \"friendly\"", `(!~ $ua "friendly")`},
		{"is_myself($rd,$rp)", "(is_myself $rd $rp)"},
		{"route(check) && $rc > 0", "(&& (route check) (> $rc 0))"},
	} {
		if got := statements(t, "if ("+tt.src+") exit;"); got != "(if "+tt.want+" exit)" {
			t.Errorf("%s\n got %s\nwant (if %s exit)", tt.src, got, tt.want)
		}
	}
	for _, tt := range []struct{ src, want string }{
		{"2 + 3 * 4", "(* (+ 2 3) 4)"},
		{"2 * 3 + 4", "(+ (* 2 3) 4)"},
		{"2 - 3 - 4", "(- (- 2 3) 4)"},
		{"1 | 2 & 3 ^ 4 << 5 >> 6", "(>> (<< (^ (& (| 1 2) 3) 4) 5) 6)"},
		{"1 + 2 | 3 * 4", "(| (+ 1 2) (* 3 4))"},
		{"~1 + 2", "(+ (~ 1) 2)"},
		{"~~1", "(~ (~ 1))"},
		{"2 * (3 + 4)", "(* 2 (+ 3 4))"},
		{"10 / 3 % 2", "(% (/ 10 3) 2)"},
		{`"sip:" + $rU + "@" + $rd`, `(+ (+ (+ "sip:" $rU) "@") $rd)`},
		{`"sip:" . $rU`, `(+ "sip:" $rU)`},
		{"$var(b) == 5 + 2", "(+ (== $var(b) 5) 2)"},
		{"0x1f + 010", "(+ 31 8)"},
		{"yes", "1"},
		{"NULL", "NULL"},
	} {
		if got := statements(t, "$var(x) = "+tt.src+";"); got != "(= $var(x) "+tt.want+")" {
			t.Errorf("%s\n got %s\nwant (= $var(x) %s)", tt.src, got, tt.want)
		}
	}
}

func TestStatements(t *testing.T) {
	for _, tt := range []struct{ src, want string }{
		{"exit;", "exit"},
		{"exit();", "exit"},
		{"drop;;;", "drop"},
		{"return;", "(return)"},
		{"return(1);", "(return 1)"},
		{"return -1;", "(return -1)"},
		{"return $var(x);", "(return $var(x))"},
		{`return(1, "a", $ru);`, `(return 1 "a" $ru)`},
		{"return();", "(return)"},
		{"{ exit; { drop; } }", "{exit {drop}}"},
		{"if ($rm) exit; else drop;", "(if $rm exit drop)"},
		{"if ($rm) { exit; } else if ($rd) drop; else return;", "(if $rm {exit} (if $rd drop (return)))"},
		{"if ($rm) if ($rd) exit; else drop;", "(if $rm (if $rd exit drop))"},
		{"if ($rm) ; else exit;", "(if $rm {} exit)"},
		{"while ($var(i) < 3) { $var(i) += 1; break; }", "(while (< $var(i) 3) {(+= $var(i) 1) break})"},
		{"for ($var(x) in $(avp(y)[*])) xlog(\"$var(x)\");", `(for $var(x) $avp(y)[*] (xlog "$var(x)"))`},
		{`switch ($rm) { case "INVITE": exit; break; case 1: case -2: drop; default: return; }`,
			"(switch $rm [INVITE: exit break] [1: ] [-2: drop] [default: (return)])"},
		{"$ru = \"sip:a@b\";", `(= $ru "sip:a@b")`},
		{"$avp(x) := 1;", "(:= $avp(x) 1)"},
		{"$var(a) -= 1; $var(a) *= 2; $var(a) /= 2; $var(a) %= 2; $var(a) &= 1; $var(a) |= 1; $var(a) ^= 1;",
			"(-= $var(a) 1) (*= $var(a) 2) (/= $var(a) 2) (%= $var(a) 2) (&= $var(a) 1) (|= $var(a) 1) (^= $var(a) 1)"},
		{"forward();", "(forward)"},
		{`f("a", 1, -2, $ru);`, `(f "a" 1 -2 $ru)`},
		{`f(,"x");`, `(f _ "x")`},
		{`f("x",,);`, `(f "x" _ _)`},
		{"route(1);", "(route 1)"},
		{`route(relay, "x", $ru, NULL, 5);`, `(route relay "x" $ru NULL 5)`},
		{`route("r_$rm");`, `(route "r_$rm")`},
		{`assert($ua != "x", "no");`, `(assert (!= $ua "x") "no")`},
		{"setflag(NATED);", "(setflag NATED)"},
	} {
		if got := statements(t, tt.src); got != tt.want {
			t.Errorf("%s\n got %s\nwant %s", tt.src, got, tt.want)
		}
	}
}

func TestVariables(t *testing.T) {
	for _, tt := range []struct{ src, want string }{
		{"$ru", "$ru"},
		{"$(ru)", "$ru"},
		{"$hdr(Via)", "$hdr(Via)"},
		{"$hdr(Via)[1]", "$hdr(Via)[1]"},
		{"$(hdr(Via)[-1])", "$hdr(Via)[-1]"},
		{"$(hdr(Via)[*])", "$hdr(Via)[*]"},
		{"$(hdr(Via)[$var(i)])", "$hdr(Via)[$var(i)]"},
		{"$(ru{uri.host})", "$ru{uri.host}"},
		{"$(ru{uri.user}{s.substr,0,3})", "$ru{uri.user}{s.substr|0|3}"},
		{"$(hdr(X){param.value,$var(n)})", "$hdr(X){param.value|$var(n)}"},
		{"$(hdr(X){s.select,1,,})", "$hdr(X){s.select|1|,}"},
		{"$(rU{re.subst,/^(.{2}),(.*)$/\\2/g})", "$rU{re.subst|/^(.{2}),(.*)$/\\2/g}"},
		{"$hdr($var(name))", "$hdr($var(name))"},
		{"$socket_in(ip)", "$socket_in(ip)"},
		{"$err.info", "$err.info"},
		{"$time(%H:%M)", "$time(%H:%M)"},
		{"$avp(a b)", "$avp(a b)"},
		{"$$", "$$"},
	} {
		if got := statements(t, "$var(x) = "+tt.src+";"); got != "(= $var(x) "+tt.want+")" {
			t.Errorf("%s\n got %s\nwant (= $var(x) %s)", tt.src, got, tt.want)
		}
	}
}

func TestFormat(t *testing.T) {
	for _, tt := range []struct{ src, want string }{
		{"plain", "'plain'"},
		{"$ru", "$ru"},
		{"a $ru b", "'a '$ru' b'"},
		{"$rU@$rd:$rp", "$rU'@'$rd':'$rp"},
		{"$ru.example.org", "$ru'.example.org'"},
		{"$$5 and $$", "'$5 and $'"},
		{"$(ru{uri.host})x", "$ru{uri.host}'x'"},
		{"[$hdr(X)]", "'['$hdr(X)']'"},
		{"$hdr(X)[0]", "$hdr(X)[0]"},
		{"$rU[x]", "$rU'[x]'"},
		{"", "''"},
	} {
		rep := &report{}
		var got strings.Builder
		for _, p := range formatOf(rep, &stringExpr{Text: tt.src}) {
			if p.Var != nil {
				got.WriteString(printVar(p.Var))
			} else {
				got.WriteString("'" + p.Text + "'")
			}
		}
		if got.String() != tt.want || len(rep.list) > 0 {
			t.Errorf("%q\n got %s %v\nwant %s", tt.src, got.String(), rep.list, tt.want)
		}
	}
}

func TestRoutes(t *testing.T) {
	f, err := parsed("t.cfg", `
route { exit; }
route[relay] { exit; }
route[1] { exit; }
route["quoted"] { exit; }
route[named(a, b)] { exit; }
onreply_route { exit; }
onreply_route[x] { exit; }
error_route { exit; }
timer_route[t, 30] { exit; }
event_route[E_CORE_TCP_DISCONNECT] { exit; }
startup_route { exit; }
local_route { exit; }
failure_route[f] { exit; }
branch_route[b] { exit; }
`)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, item := range f.Items {
		r := item.(*routeItem)
		got = append(got, r.Kind.String()+"/"+r.Name+"/"+strings.Join(r.Params, ","))
		if r.Kind == TimerRoute && r.Seconds != 30 {
			t.Errorf("seconds %d", r.Seconds)
		}
	}
	want := "route// route/relay/ route/1/ route/quoted/ route/named/a,b onreply_route// onreply_route/x/ error_route// " +
		"timer_route/t/ event_route/E_CORE_TCP_DISCONNECT/ startup_route// local_route// failure_route/f/ branch_route/b/"
	if s := strings.Join(got, " "); s != want {
		t.Errorf("got  %s\nwant %s", s, want)
	}
}
