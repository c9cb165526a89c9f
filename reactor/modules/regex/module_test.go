package regex

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sipreactor/reactor/modules/moduletest"
)

// TestFunctions match by the examples of the documentation.
func TestFunctions(t *testing.T) {
	file := filepath.Join(t.TempDir(), "groups")
	if err := os.WriteFile(file, []byte(example), 0o600); err != nil {
		t.Fatal(err)
	}
	head := moduletest.Head("regex") + "modparam(\"regex\", \"file\", \"" + file + "\")\n"
	for text, want := range map[string]string{
		`if (pcre_match("$ua", "(?i)^TESTER")) xlog("matches");`:                                                        "matches",
		`$var(e) = "^\+49[0-9]+$$"; if (pcre_match($rU, $var(e), $var(m))) xlog("$var(m)");`:                            "+4930123",
		`if (!pcre_match($rU, "^user[1234]$$", $var(m))) xlog("$var(m)");`:                                              "<null>",
		`if (pcre_match_group("Twinkle/1.4") && !pcre_match_group("x", 1) && pcre_match_group("1234", 2)) xlog("yes");`: "yes",
		`if (!pcre_match($hdr(None), "x")) xlog("no");`:                                                                 "no",
	} {
		if got := strings.Join(moduletest.Logs(t, head, text, New), "|"); got != want {
			t.Errorf("%s\n got %s\nwant %s", text, got, want)
		}
	}
	if got := strings.Join(moduletest.Logs(t, head, `if (!pcre_match_group("x", 9)) xlog("no");`, New), "|"); !strings.Contains(got, "there is no group 9") {
		t.Error(got)
	}
	for text, want := range map[string]string{
		moduletest.Head("regex") + `route { pcre_match_group("x"); }`:                          "there is no file of groups",
		moduletest.Head("regex") + `route { pcre_match("x", "("); }`:                           "is no regular expression",
		moduletest.Head("regex") + "modparam(\"regex\", \"file\", \"/none\")\nroute { exit; }": "file /none cannot be used: no such file",
	} {
		if got := moduletest.Wrong(t, text, New); !strings.Contains(got, want) {
			t.Errorf("%s\n%s", text, got)
		}
	}
}

// TestCommands match, and read the file again.
func TestCommands(t *testing.T) {
	file := filepath.Join(t.TempDir(), "groups")
	_ = os.WriteFile(file, []byte(example), 0o600)
	b := moduletest.New(t, moduletest.Head("regex")+"modparam(\"regex\", \"file\", \""+file+"\")\nroute { exit; }", New)
	call := func(method string, params any) string { return strings.Trim(b.Command(t, method, params), `"`) }
	for _, tc := range []struct {
		method string
		params any
		want   string
	}{
		{"regex:match", []string{"1234", "^1234$"}, "Match"}, {"regex_match", []string{"1234", "^1235$"}, "Not Match"}, {"regex:match_group", []any{"1234", 2}, "Match"}, {"regex_match_group", []any{"x", 2}, "Not Match"},
	} {
		if got := call(tc.method, tc.params); got != tc.want {
			t.Errorf("%s %v: %s", tc.method, tc.params, got)
		}
	}
	_ = os.WriteFile(file, []byte("[0]\n^new\n"), 0o600)
	if call("regex:reload", nil) != "OK" || call("regex_match_group", []any{"newer", 0}) != "Match" {
		t.Error("not read again")
	}
	_ = os.WriteFile(file, []byte("[0]\n(\n"), 0o600)
	if got := call("regex:reload", nil); !strings.Contains(got, "line 2") || call("regex_match_group", []any{"newer", 0}) != "Match" {
		t.Error(got)
	}
}
