package json_test

import (
	"strings"
	"testing"

	"sipreactor/reactor/modules/json"
	"sipreactor/reactor/modules/moduletest"
)

// TestVariables are the examples of the documentation.
func TestVariables(t *testing.T) {
	head := moduletest.Head("json")
	for _, tc := range []struct{ text, want string }{
		{`$json(ar1) := "[1,2,3,4]"; $var(i) = 0; while ($json(ar1[$var(i)])) { xlog("Found:[$json(ar1[$var(i)])]"); $json(ar1[$var(i)]) = $json(ar1[$var(i)]) + 1; $var(i) = $var(i) + 1; } xlog("$json(ar1)");`,
			"Found:[1]|Found:[2]|Found:[3]|Found:[4]|[ 2, 3, 4, 5 ]"},
		{`$json(foo) := "{\"a\": 1, \"b\": 2, \"c\": 3}"; for ($var(k) in $(json(foo.keys)[*])) xlog("$var(k)"); for ($var(v) in $(json(foo.values)[*])) xlog("$var(v)"); for ($var(v) in $(json(foo)[*])) xlog("$var(v)");`, "a|b|c|1|2|3|1|2|3"},
		{`$json(foo) := "[1, 2, 3]"; for ($var(v) in $(json(foo)[*])) xlog("$var(v)"); $json(foo[-1]) = NULL; $json(foo[]) = 9; $json(foo[]) := "null"; xlog("$json_compact(foo)");`, "1|2|3|[1,2,9,null]"},
		{`$json(object) := "{}"; $json(array) := "[1,2,3]"; $json(object/array) := $json(array); $json(object/some_key) = "some_value"; $var(k) = "n m"; $json(object/$var(k)) = 5; xlog("$json(object)"); xlog("$json(object/n m) $json(object/array[1]) $json(object/none) $json(none)");`,
			`{ "array": [ 1, 2, 3 ], "some_key": "some_value", "n m": 5 }|5 2 <null> <null>`},
		{`$json(o) := "{}"; $json(o/acc_enabled) = $json_true; $json(o/blocked) = $json_false; $json(o/text) = "true"; if ($json(o/acc_enabled) && $json(o/blocked) == 0) xlog("$json_compact(o)");`, `{"acc_enabled":true,"blocked":false,"text":"true"}`},
		{`$json(obj) := "{}"; $json(obj/path) = "/path/to/some/file"; xlog("$json_compact(obj)"); xlog("$json_compact_noescape(obj)");`, `{"path":"\/path\/to\/some\/file"}|{"path":"/path/to/some/file"}`},
		{`$json(b) := "[{},{},{}]"; json_link($json(stub), $json(b[0])); $json(stub/ana) = "are"; $json(stub/ar) := "[]"; $json(stub/ar[]) = 1; $json(stub/ar[]) = 2; $json(stub/ar[]) = 3; $json(b[0]/ar[0]) = NULL; xlog("$json(stub)"); xlog("$json(b)"); $json(stub) = NULL; xlog("$json(stub)"); xlog("$json(b)");`,
			`{ "ana": "are", "ar": [ 2, 3 ] }|[ { "ana": "are", "ar": [ 2, 3 ] }, { }, { } ]|<null>|[ { "ana": "are", "ar": [ 2, 3 ] }, { }, { } ]`},
		{`$json(val1) := "{}"; $json(val1/test1) = "test_val1"; $json(val1/common_val) = "val_from1"; $json(val2) := "{}"; $json(val2/test2) = "test_val2"; $json(val2/common_val) = "val_from2"; json_merge($json(val1), $json(val2), $var(m)); xlog("$var(m)");`,
			`{"test1":"test_val1","common_val":"val_from2","test2":"test_val2"}`},
		{`$json(n) := "{\"big\": 5000000000, \"f\": 1.5, \"t\": \"5\"}"; xlog("$json(n/big) $json(n/f) $json(n/t)");`, "5000000000 1.5 5"},
		{`$json(x) := "{\"user\": \"$rU\"}";  xlog("$json(x/user)");`, "$rU"},
	} {
		if got := strings.Join(moduletest.Logs(t, head, tc.text, json.New), "|"); got != tc.want {
			t.Errorf("%s\n got %s\nwant %s", tc.text, got, tc.want)
		}
	}
}

// TestFailures are errors of the script, and never the end of the program.
func TestFailures(t *testing.T) {
	for text, want := range map[string]string{
		`$json(x) := "{";`: "no JSON",
		`$json(x/a) = 1;`:  "there is no document x",
		`$json(b) := "[1]"; json_link($json(b[0]), $json(b));`: "the value would hold itself",
		`$json(b) := "[1]"; $json(b/x) = 1;`:                   "a key is that of an object",
	} {
		if got := strings.Join(moduletest.Logs(t, moduletest.Head("json"), text, json.New), "|"); !strings.Contains(got, want) {
			t.Errorf("%s: %s", text, got)
		}
	}
	for text, want := range map[string]string{
		`$json(x[a]) = 1;`:              "is no name of a value",
		`json_link($var(x), $json(b));`: "json_link() links values of documents",
		`xlog("$json(x[$nothing])");`:   "unknown variable $nothing",
	} {
		if got := moduletest.Wrong(t, moduletest.Head("json")+"route { "+text+" }", json.New); !strings.Contains(got, want) {
			t.Errorf("%s: %s", text, got)
		}
	}
	b := moduletest.New(t, moduletest.Head("json")+`route { if ($json(x) == NULL) xlog("none"); $json(x) := "[]"; } startup_route { $json(y) := "{}"; $json(y/a) = 1; xlog("$json(y/a)"); }`, json.New)
	b.Receive(moduletest.Invite)
	b.Receive(moduletest.Invite)
	if strings.Join(b.Log, "|") != "none" {
		t.Errorf("a document outlived its message: %v", b.Log)
	}
	b.Config.Program.Startup()
	if b.Log[len(b.Log)-1] != "1" {
		t.Error(b.Log)
	}
}
