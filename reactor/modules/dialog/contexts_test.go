package dialog_test

import (
	"strings"
	"testing"
)

// TestLoadedDialog: a request whose script has loaded another call's dialog is none of that call, whatever becomes of it.
func TestLoadedDialog(t *testing.T) {
	c := newCall(t, strings.Replace(routes, `create_dialog("B");`, `if ($ci == "c2") { load_dialog_ctx("c1"); xlog("$dlg_val(k)"); t_relay(); exit; }
	if ($ci == "c3") {
		load_dialog_ctx("c1");
		create_dialog();
		$var(rc) = $rc;
		xlog("$var(rc) $dlg_val(k)");
		unload_dialog_ctx();
		xlog("$DLG_status $dlg_val(k)");
		t_relay();
		exit;
	}
	if ($ci == "c4") { load_dialog_ctx("c1"); t_reply(403, "No"); exit; }
	create_dialog("B");`, 1))
	c.up()
	begin := func(id, cseq string) string {
		c.id, c.toTag, c.routes = id, "", nil
		out := c.request("INVITE", cseq, false)
		c.Log = null(c.Log)
		return out
	}
	check := func(what, want string) {
		t.Helper()
		if got := c.statistics("active_dialogs", "failed_dialogs"); got != want {
			t.Errorf("%s: active and failed are %s, want %s", what, got, want)
		}
	}
	out := begin("c2", "11")
	c.wants("v")
	c.answer(out, "404 Not Found", "x")
	check("relayed with another's loaded", "1 0")
	out = begin("c3", "12")
	c.wants("1 v", "1 -")
	check("created with another's loaded", "2 0")
	c.answer(out, "404 Not Found", "x")
	check("which fails", "1 1")
	begin("c4", "13")
	check("answered with another's loaded", "1 1")
}
