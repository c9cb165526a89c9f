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
