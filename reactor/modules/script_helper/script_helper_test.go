package script_helper_test

import (
	"strings"
	"testing"

	"sipreactor/reactor/modules/dialog"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/rr"
	"sipreactor/reactor/modules/script_helper"
	"sipreactor/reactor/modules/sl"
	"sipreactor/reactor/modules/tm"
)

func TestDocumented(t *testing.T) { moduletest.Documented(t, script_helper.New) }

func bench(t *testing.T, text string) *moduletest.Bench {
	t.Helper()
	return moduletest.New(t, moduletest.Head("script_helper", "tm", "sl", "rr", "dialog")+text, script_helper.New, tm.New, sl.New, rr.New, dialog.New)
}

// later is a later request of the Invite's caller, with a Route or without.
func later(method, route string) []byte {
	return moduletest.CRLF(`
` + method + ` sip:bob@192.0.2.9:5061;transport=tls SIP/2.0
Via: SIP/2.0/TLS 10.0.0.9:5061;branch=z9hG4bK` + method + `
Max-Forwards: 69
From: "Alice A." <sip:alice@atlanta.example;x=1>;tag=1928301774
To: <sip:+4930123@example.net>;tag=b
Call-ID: a84b4c76e66710@pc33
CSeq: 314160 ` + method + `
` + route + `Content-Length: 0

`)
}

const own = "Route: <sip:edge.example.org:5061;transport=tls;lr;ftag=1928301774>\n"

// TestRequests: a first request is recorded and reaches the route; a later one is relayed
// without it.
func TestRequests(t *testing.T) {
	b := bench(t, `modparam("script_helper", "sequential_route", "later")
route { xlog("first: $rm"); $du = "sip:192.0.2.9:5061;transport=tls"; t_relay(); }
route[later] { xlog("later: $rm"); if ($rm == "INFO") { sl_send_reply(405, "No"); exit; } }
`)
	b.Receive(moduletest.Invite)
	if got := b.Status(); got != "100 INVITE" || !strings.Contains(b.Sent[1].Text, "Record-Route: <sip:edge.example.org:5061") {
		t.Fatalf("%s %q %+v", got, b.Log, b.Sent)
	}
	for _, c := range []struct{ method, route, status, log string }{
		{"BYE", own, "BYE", "later: BYE"},
		{"INFO", own, "405", "later: INFO"},
		{"UPDATE", "", "404", ""},
		{"ACK", "", "", ""},
		{"ACK", own, "ACK", "later: ACK"},
	} {
		b.Receive(later(c.method, c.route))
		if got, log := b.Status(), strings.Join(b.Log, "|"); got != c.status || log != c.log {
			t.Errorf("%s with %q: %s, logged %q; want %s, %q", c.method, c.route, got, log, c.status, c.log)
		}
	}
	b.Receive([]byte(strings.NewReplacer("INVITE", "MESSAGE", "776asdhds", "message").Replace(string(moduletest.Invite))))
	if last := b.Sent[len(b.Sent)-1].Text; strings.Contains(last, "Record-Route") {
		t.Errorf("a MESSAGE is recorded: %s", last)
	}
}

// TestDialog: with use_dialog calls are followed from their INVITE to their BYE.
func TestDialog(t *testing.T) {
	b := bench(t, `modparam("script_helper", "use_dialog", 1)
modparam("script_helper", "create_dialog_flags", "B")
route { $du = "sip:192.0.2.9:5061;transport=tls"; t_relay(); }
`)
	b.Receive(moduletest.Invite)
	if list := b.Command(t, "dlg_list", nil); !strings.Contains(list, "a84b4c76e66710@pc33") {
		t.Fatalf("no dialog: %s", list)
	}
	if !strings.Contains(b.Sent[len(b.Sent)-1].Text, ";did=") {
		t.Errorf("the Record-Route names no dialog: %s", b.Sent[len(b.Sent)-1].Text)
	}
}

func TestWrong(t *testing.T) {
	for param, want := range map[string]string{
		`"use_dialog", 1`:             "is for the module dialog",
		`"sequential_route", "none"`:  "none",
		`"create_dialog_flags", "B?"`: "?",
	} {
		text := moduletest.Head("tm", "rr", "script_helper") + "modparam(\"script_helper\", " + param + ")\nroute { exit; }\n"
		if got := moduletest.Wrong(t, text, tm.New, rr.New, script_helper.New); !strings.Contains(got, want) {
			t.Errorf("%s: %s", param, got)
		}
	}
}
