package main

import (
	"strings"
	"testing"
	"time"

	"sipreactor/reactor/mi"
)

const endedConfig = `log_level=3
socket=udp:EDGE
loadmodule "proto_udp.so"
loadmodule "signaling.so"
loadmodule "sl.so"
loadmodule "tm.so"
loadmodule "rr.so"
loadmodule "sipmsgops.so"
loadmodule "dialog.so"
loadmodule "uac.so"
loadmodule "httpd.so"
loadmodule "mi_http.so"
modparam("httpd", "port", WEB)
modparam("httpd", "token", "none")
route {
	if (has_totag()) {
		if (is_method("ACK") && t_check_trans())
			exit;
		loose_route();
		t_relay();
		exit;
	}
	create_dialog();
	record_route();
	uac_replace_from("", "sip:anonymous@anonymous.invalid");
	t_on_failure("again");
	$du = "sip:OUTER";
	t_relay();
}
failure_route[again] {
	xlog("L_NOTICE", "failed with $T_reply_code");
	$du = "sip:OUTER";
	t_relay();
}
`

// TestEndedByManagement: dlg_end_dlg ends a call that rings by a CANCEL, whose 487 the caller gets, and no failure_route
// calls anybody else; a call that nobody has answered at all, too, once it rings. One that is up gets a BYE on either side, which names the parties as that side
// knows them.
func TestEndedByManagement(t *testing.T) {
	port, edge, web := freePort(t), "127.0.0.23:"+freePort(t), freePort(t)
	log := newOutput()
	path := config(t, strings.NewReplacer("EDGE", edge, "OUTER", "127.0.0.22:"+port, "WEB", web).Replace(endedConfig))
	code := make(chan int, 1)
	go func() { code <- run(t.Context(), []string{"-f", path}, newOutput(), log) }()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("log:\n%s", log)
		}
	})
	log.wait(t, "msg=ready")
	a, b := newSide(t, "inn", "127.0.0.21", port, edge), newSide(t, "out", "127.0.0.22", port, edge)
	client := &mi.Client{Target: "http://127.0.0.1:" + web + "/mi"}
	ends := func(id string) {
		t.Helper()
		if got, err := client.Call(t.Context(), "dlg_end_dlg", map[string]any{"dialog_id": id}); err != nil || string(got) != `"OK"` {
			t.Fatalf("dlg_end_dlg: %s %v", got, err)
		}
	}
	for _, rings := range []bool{true, false} {
		a.begin(b)
		a.request("INVITE")
		m := b.hear("INVITE")
		if rings {
			b.answer(m, "180 Ringing")
			a.hear("180 INVITE")
			ends(a.callID)
		} else {
			a.hear("100 INVITE")
			ends(a.callID)
			b.answer(m, "180 Ringing")
		}
		b.answer(b.hear("CANCEL"), "200 OK")
		b.answer(m, "487 Request Terminated")
		b.hear("ACK")
		a.hear("487 INVITE")
		a.refused()
		for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) { // it ends behind the answer
			got, err := client.Call(t.Context(), "get_statistics", []any{[]string{"active_dialogs"}})
			if err == nil && strings.Contains(string(got), `"dialog:active_dialogs":0`) {
				break
			}
			if err != nil || time.Now().After(end) {
				t.Fatalf("%s %v", got, err)
			}
		}
	}

	a.begin(b)
	a.request("INVITE")
	m := b.hear("INVITE") // and not the failure_route's of those before
	if string(m.CallID) != a.callID {
		t.Fatalf("the callee is called for %s", m.CallID)
	}
	b.answer(m, "200 OK")
	a.learn(a.hear("200 INVITE"))
	a.request("ACK")
	b.hear("ACK")
	ends(a.callID)
	for _, bye := range []struct {
		at       *side
		from, to string
	}{
		{a, "<sip:bob@example.com>;tag=b", "<sip:alice@example.com>;tag=a"},
		{b, "<sip:anonymous@anonymous.invalid>;tag=a", "<sip:bob@example.com>;tag=b"},
	} {
		m := bye.at.hear("BYE")
		if string(m.From) != bye.from || string(m.To) != bye.to {
			t.Errorf("the BYE of the %s side is from %s to %s", bye.at.name, m.From, m.To)
		}
		bye.at.answer(m, "200 OK")
	}
	if got, err := client.Call(t.Context(), "dlg_end_dlg", map[string]any{"dialog_id": a.callID}); err == nil {
		t.Errorf("it ends twice: %s", got)
	}
}
