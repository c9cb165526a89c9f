package uac_test

import (
	"strings"
	"testing"

	"sipreactor/reactor/modules/dialog"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/script"
)

// force_dialog has a call whose From is replaced followed as one by create_dialog(), also if it is replaced for one branch
// only; a retransmission ends the script there.
func TestForceDialog(t *testing.T) {
	with := append([]script.Constructor{dialog.New}, modules...)
	const routes = `
modparam("uac", "force_dialog", 1)
route {
	if (loose_route()) { t_relay(); exit; }
	record_route();
	if ($rU == "bob") uac_replace_from("", "sip:anonymous@anonymous.invalid"); else t_on_branch("b");
	xlog("routed");
	t_relay();
}
branch_route[b] { uac_replace_from("", "sip:anonymous@anonymous.invalid"); }
onreply_route { xlog("$DLG_status"); }
`
	for _, user := range []string{"bob", "carol"} {
		b := moduletest.New(t, head+`loadmodule "dialog.so"`+routes, with...)
		uri := strings.Replace(bob, "bob", user, 1)
		b.Receive(request("INVITE " + uri))
		if got := line(t, b, "From"); got != "<sip:anonymous@anonymous.invalid>;tag=a" || !strings.Contains(line(t, b, "Record-Route"), ";did=") {
			t.Fatalf("%s: %s", user, b.Sent[len(b.Sent)-1].Text)
		}
		out := b.Sent[len(b.Sent)-1]
		if user == "bob" {
			b.Receive(request("INVITE " + uri))
			if len(b.Log) > 0 {
				t.Errorf("a retransmission was routed: %q", b.Log)
			}
		}
		answer(t, b, out, "200 OK")
		if len(b.Log) != 1 || b.Log[0] != "3" && b.Log[0] != "2" && b.Log[0] != "1" {
			t.Errorf("%s: the dialog's state is %q", user, b.Log)
		}
	}
	if got := moduletest.Wrong(t, head+"modparam(\"uac\", \"force_dialog\", 1)\nroute { exit; }", modules...); !strings.Contains(got, "force_dialog needs the module dialog") {
		t.Error(got)
	}
}

// A call that is followed keeps the parties in its dialog, and the Record-Route says nothing of them: requests from either
// side name them as the other side knows them, and responses as who asked does.
func TestPartiesInTheDialog(t *testing.T) {
	for name, text := range map[string]string{
		"create_dialog": `route { if (loose_route()) { t_relay(); exit; } create_dialog(); record_route(); route(replace); }`,
		"force_dialog":  `modparam("uac", "force_dialog", 1) route { if (loose_route()) { t_relay(); exit; } record_route(); route(replace); }`,
	} {
		// dialog comes last, so that what follows requests is asked in the other order.
		b := moduletest.New(t, head+`loadmodule "dialog.so"
`+text+`
route[replace] {
	uac_replace_from("", "sip:anonymous@anonymous.invalid");
	uac_replace_to("", "sip:service@example.org");
	t_relay();
}`, append(append([]script.Constructor{}, modules...), dialog.New)...)
		b.Receive(request("INVITE " + bob))
		invite := b.Sent[len(b.Sent)-1]
		route := line(t, b, "Record-Route")
		if !strings.Contains(route, ";did=") || strings.Contains(route, "vsf=") || strings.Contains(route, "vst=") || line(t, b, "To") != "<sip:service@example.org>" {
			t.Fatalf("%s: %s", name, invite.Text)
		}
		answer(t, b, invite, "200 OK")
		expect := func(what, from, to string) {
			t.Helper()
			if got := line(t, b, "From"); got != from {
				t.Errorf("%s, %s: From is %s, want %s; log %q", name, what, got, from, b.Log)
			}
			if got := line(t, b, "To"); got != to {
				t.Errorf("%s, %s: To is %s, want %s", name, what, got, to)
			}
		}
		expect("200", `"Alice A." <sip:alice@example.net>;tag=a`, "<sip:bob@example.net>;tag=b")
		b.Receive(request("INFO "+bob, "Route: "+route, "To: <sip:bob@example.net>;tag=b", "CSeq: 8 INFO"))
		expect("INFO of the caller", `"Alice A." <sip:anonymous@anonymous.invalid>;tag=a`, "<sip:service@example.org>;tag=b")
		b.Receive(request("BYE sip:alice@192.0.2.9;transport=tls", "Via: SIP/2.0/TLS 10.0.0.9:40000;branch=z9hG4bKup", "Route: "+route,
			"From: <sip:service@example.org>;tag=b", "To: <sip:anonymous@anonymous.invalid>;tag=a"))
		expect("BYE of the callee", "<sip:bob@example.net>;tag=b", "<sip:alice@example.net>;tag=a")
		bye := b.Sent[len(b.Sent)-1]
		b.Log, b.Sent = nil, nil
		if !strings.HasPrefix(bye.Text, "BYE") {
			t.Fatalf("%s: %s", name, bye.Text)
		}
	}
}

// Requests of the dialog's own name the parties as the callee was told them, also where one branch alone was.
func TestPartiesOfOurOwn(t *testing.T) {
	for name, text := range map[string]string{
		"route":        `route { create_dialog("auto-prack"); record_route(); uac_replace_from("", "sip:anonymous@anonymous.invalid"); t_relay(); }`,
		"branch_route": `route { create_dialog("auto-prack"); record_route(); t_on_branch("b"); t_relay(); } branch_route[b] { uac_replace_from("", "sip:anonymous@anonymous.invalid"); }`,
		"no restore":   `modparam("uac", "restore_mode", "none") route { create_dialog("auto-prack"); record_route(); uac_replace_from("", "sip:anonymous@anonymous.invalid"); t_relay(); }`,
	} {
		b := moduletest.New(t, head+"loadmodule \"dialog.so\"\n"+text, append(append([]script.Constructor{}, modules...), dialog.New)...)
		b.Receive(request("INVITE "+bob, "Contact: <sip:alice@192.0.2.9;transport=tls>"))
		answer(t, b, b.Sent[len(b.Sent)-1], "183 Session Progress", "Contact: <sip:bob@192.0.2.9;transport=tls>", "Require: 100rel", "RSeq: 1")
		found := false
		for _, s := range b.Sent {
			if strings.HasPrefix(s.Text, "PRACK ") {
				if found = true; !strings.Contains(s.Text, "\r\nFrom: <sip:anonymous@anonymous.invalid>;tag=a\r\n") || !strings.Contains(s.Text, "\r\nTo: <sip:bob@example.net>;tag=b\r\n") {
					t.Errorf("%s: %s", name, s.Text)
				}
			}
		}
		if !found {
			t.Errorf("%s: there is no PRACK: %q", name, b.Log)
		}
	}
}
