package pua_mi_test

import (
	"strings"
	"testing"

	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/pua"
	"sipreactor/reactor/modules/pua_mi"
	"sipreactor/reactor/modules/tm"
)

func TestDocumented(t *testing.T) { moduletest.Documented(t, pua_mi.New) }

// What is not sent is told why. Real answers are in the program's own test.
func TestWrong(t *testing.T) {
	b := moduletest.New(t, moduletest.Head("tm", "pua", "pua_mi")+"route { exit; }\n", tm.New, pua.New, pua_mi.New)
	for _, c := range []struct {
		command string
		params  []any
		want    string
	}{
		{"pua_publish", []any{"sip:bob@example.org", 600, "presence", "text/plain"}, "are given together"},
		{"pua_publish", []any{"sip:bob@example.org", 600, "presence"}, "nothing is published"},
		{"pua_publish", []any{"sip:bob@example.org", 0, "presence", "text/plain", ".", ".", "x"}, "nothing is published"},
		{"pua_publish", []any{"bob", 600, "presence", "text/plain", ".", ".", "x"}, "is none"},
		{"pua_subscribe", []any{"sip:bob@example.org", "us", "presence", 600}, "is none"},
		{"pua_subscribe", []any{"sip:bob@example.org", "sip:us@example.org", "presence"}, "expires"},
	} {
		if got := b.Command(t, c.command, c.params); !strings.Contains(got, c.want) {
			t.Errorf("%s %v: %s, want %s", c.command, c.params, got, c.want)
		}
	}
	text := moduletest.Head("tm", "pua", "pua_mi") + "modparam(\"pua_mi\", \"presence_server\", \"nowhere\")\nroute { exit; }\n"
	if got := moduletest.Wrong(t, text, tm.New, pua.New, pua_mi.New); !strings.Contains(got, "is no SIP URI") {
		t.Error(got)
	}
}
