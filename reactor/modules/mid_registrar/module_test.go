package mid_registrar

import (
	"strings"
	"testing"

	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/signaling"
	"sipreactor/reactor/modules/sl"
	"sipreactor/reactor/modules/tm"
	"sipreactor/reactor/modules/usrloc"
	"sipreactor/reactor/script"
)

var all = []script.Constructor{New, signaling.New, sl.New, tm.New, usrloc.New}

func TestDocumented(t *testing.T) { moduletest.Documented(t, New, usrloc.New) }

func TestErrors(t *testing.T) {
	head := moduletest.Head("signaling", "sl", "tm", "usrloc", "mid_registrar")
	for text, want := range map[string]string{
		"modparam(\"mid_registrar\", \"mode\", 3)":                                 `mode`,
		"modparam(\"mid_registrar\", \"contact_id_insertion\", \"other\")":         `is "ct-param" or "ct-username", not "other"`,
		"modparam(\"mid_registrar\", \"contact_id_param\", \"a;b\")":               `has to be letters, digits`,
		"modparam(\"mid_registrar\", \"at_escape_str\", \"<\")":                    `could not stand in the user of a URI`,
		"modparam(\"mid_registrar\", \"pn_enable_purr\", 1)":                       `pn_enable_purr needs pn_enable`,
		"onreply_route { mid_registrar_save(\"location\"); }":                      `mid_registrar_save() cannot be used in onreply_route`,
		"route[x] { mid_registrar_save(\"location\", \"nonsense-flag\"); }":        `unknown flag "nonsense-flag"`,
		"route[x] { mid_registrar_lookup(\"location\", \"branch,no-branches\"); }": `exclude one another`,
	} {
		if got := moduletest.Wrong(t, head+text+"\nroute { exit; }\n", all...); !strings.Contains(got, want) {
			t.Errorf("%s:\n%s", text, got)
		}
	}
}

// TestKept reads what is kept with a contact, and nothing that others have put there.
func TestKept(t *testing.T) {
	for _, k := range []kept{
		{until: 1764427000, sent: "sip:a@h;ctid=1", uri: "sip:main", to: "sip:a@example.org"},
		{until: 1, sent: "sip:a@h", uri: "sip:main", hop: "udp:192.0.2.1:5060", to: "sip:a@example.org"},
	} {
		text := string(k.text())
		if got := readKept(text); got != k {
			t.Errorf("%q is read as %+v", text, got)
		}
		if got := keptUntil(text); got != k.until {
			t.Errorf("%q ends at %d", text, got)
		}
	}
	for _, text := range []string{"", "mid", "mid ", "mid x a b c d", "mid 1 a b c", "mid 1 a b c d e", `{"from":"sip:a@h"}`, "other 1 a b c d"} {
		if got := readKept(text); got != (kept{}) {
			t.Errorf("%q is read as %+v", text, got)
		}
	}
	if got := string(appendUser(nil, []byte("a b@h\"<>"), "%40")); got != "a%20b%40h%22%3C%3E" {
		t.Error(got)
	}
}
