package pua_dialoginfo

import (
	"slices"
	"strings"
	"testing"

	"sipreactor/reactor/modules/dialog"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/pua"
	"sipreactor/reactor/modules/rr"
	"sipreactor/reactor/modules/tm"
	"sipreactor/reactor/script"
)

func TestDocumented(t *testing.T) { moduletest.Documented(t, New) }

var modules = []script.Constructor{tm.New, rr.New, dialog.New, pua.New, New}

func head(params string) string {
	return moduletest.Head("tm", "rr", "dialog", "pua", "pua_dialoginfo") + params
}

// TestTrying: with publish_on_trying the caller's call is told at once, the callee's not before it rings.
func TestTrying(t *testing.T) {
	b := moduletest.New(t, head(`modparam("pua_dialoginfo", "publish_on_trying", 1)
modparam("pua_dialoginfo", "include_tags", 0)
modparam("pua_dialoginfo", "include_callid", 0)
modparam("pua_dialoginfo", "caller_confirmed", 1)
modparam("pua_dialoginfo", "presence_server", "sip:192.0.2.5:5061;transport=tls")
modparam("pua_dialoginfo", "caller_spec_param", "$var(who)")
route { create_dialog(); $var(who) = "A & B <sip:ab@example.org;x=1>"; xlog("$(rc)"); dialoginfo_set(); xlog("$rc"); }
`), modules...)
	b.Receive(moduletest.Invite)
	i := slices.IndexFunc(b.Sent, func(s moduletest.Sent) bool { return strings.HasPrefix(s.Text, "PUBLISH ") })
	if i < 0 {
		t.Fatalf("sent %s: %q", b.Status(), b.Log)
	}
	sent := b.Sent[i]
	for _, want := range []string{"PUBLISH sip:ab@example.org SIP/2.0", `entity="sip:ab@example.org"`, `direction="initiator"><state>confirmed</state>`, `<identity display="A &amp; B">sip:ab@example.org</identity><target uri="sip:ab@example.org;x=1"/>`} {
		if !strings.Contains(sent.Text, want) {
			t.Errorf("no %q in\n%s", want, sent.Text)
		}
	}
	if strings.Contains(sent.Text, "call-id=") || strings.Contains(sent.Text, "-tag=") {
		t.Errorf("what is not to be included is in\n%s", sent.Text)
	}
}

// TestSides: of one side alone nothing is told of the other; without a dialog it is an error.
func TestSides(t *testing.T) {
	b := moduletest.New(t, head(`modparam("pua_dialoginfo", "publish_on_trying", 1)
route { dialoginfo_set("B"); xlog("$rc"); create_dialog(); dialoginfo_set("b"); xlog("$rc"); }
`), modules...)
	b.Receive(moduletest.Invite)
	if got := strings.Join(b.Log, "|"); !strings.Contains(got, "behind create_dialog()") || !strings.HasSuffix(got, "|-1|1") || strings.Contains(b.Status(), "PUBLISH") {
		t.Errorf("logged %s, sent %s", got, b.Status())
	}
	for text, want := range map[string]string{
		"route { dialoginfo_set(\"C\"); }\n":                                            "expected A or B",
		"modparam(\"pua_dialoginfo\", \"caller_spec_param\", \"x\")\nroute { exit; }\n": "x",
		"branch_route[b] { dialoginfo_mute_branch(); }\n":                               "a call is published once",
	} {
		if got := moduletest.Wrong(t, head(text), modules...); !strings.Contains(got, want) {
			t.Errorf("%s: %s", text, got)
		}
	}
}
