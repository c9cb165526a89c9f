package dialog_test

import (
	"strings"
	"testing"
)

// judged routes what has no Route by the word of the sender: anybody may send that, who knows Call-ID and tags.
const judged = `
route {
	if (has_totag()) {
		if (loose_route()) { t_relay(); exit; }
		match_dialog();
		xlog("$rm $DLG_status");
		switch ($hdr(X-Do)) {
		case "sl_404": sl_send_reply(404, "Not Here"); exit;
		case "t_404": t_reply(404, "Not Here"); exit;
		case "t_first": t_newtran(); t_reply(403, "No"); exit;
		case "sl_200": sl_send_reply(200, "OK"); exit;
		case "t_200": t_reply(200, "OK"); exit;
		case "relay": t_relay(); exit;
		case "forward": forward(); exit;
		}
		exit;
	}
	create_dialog();
	record_route();
	t_relay();
}
`

// TestJudged ends a call by a BYE that the script sends on or accepts, and by no other.
func TestJudged(t *testing.T) {
	for do, left := range map[string]string{"sl_404": "1", "t_404": "1", "t_first": "1", "nothing": "1",
		"sl_200": "0", "t_200": "0", "relay": "0", "forward": "0"} {
		t.Run(do, func(t *testing.T) {
			c := newCall(t, judged)
			c.up()
			c.routes = nil
			c.request("BYE", "2", false, "X-Do: "+do)
			c.wants("BYE 5")
			if got := c.statistics("active_dialogs"); got != left {
				t.Errorf("%s calls are left, want %s: %v", got, left, c.Sent)
			}
		})
	}
}

// TestRefused has requests that are refused leave no trace in the dialog: the ones behind them are what they were.
func TestRefused(t *testing.T) {
	c := newCall(t, judged)
	out := c.request("INVITE", "1", false)
	c.answer(out, "200 OK", "b")
	routes := c.routes
	before := c.command("dlg_list", "{}")
	c.routes = nil
	c.request("ACK", "1", false, "X-Do: nothing")
	c.wants("ACK 4")
	for _, method := range []string{"INVITE", "UPDATE", "INFO"} {
		c.request(method, "77", false, "X-Do: sl_404", "m: <sip:mallory@203.0.113.66;transport=tls>")
		c.wants(method + " 3")
	}
	if got := c.command("dlg_list", "{}"); got != before {
		t.Errorf("the dialog has become\n%s\nfrom\n%s", got, before)
	}
	c.routes = routes
	c.request("ACK", "1", false)
	if got := c.command("dlg_list", "{}"); !strings.Contains(got, `"state":4`) {
		t.Errorf("not confirmed by the ACK that passed:\n%s", got)
	}
}

// TestForeignCallID has a did that is right find nothing with another call's Call-ID.
func TestForeignCallID(t *testing.T) {
	for _, mode := range []string{"0", "1"} {
		c := newCall(t, `modparam("dialog", "dlg_match_mode", `+mode+")\n"+routes)
		c.up()
		c.id = "zzz"
		c.request("BYE", "2", false)
		if len(c.Log) == 0 || !strings.HasPrefix(c.Log[0], "BYE <null>") {
			t.Errorf("mode %s: %v", mode, c.Log)
		}
		if got := c.statistics("active_dialogs"); got != "1" {
			t.Errorf("mode %s: %s calls are left", mode, got)
		}
	}
}
