package dialog_test

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/script"
)

// routes are those of a residential configuration.
const routes = `
modparam("dialog", "profiles_with_value", "caller; callee/s")
modparam("dialog", "profiles_no_value", "inbound")
route {
	if (has_totag()) {
		if (is_method("ACK") && t_check_trans()) exit;
		loose_route();
		xlog("$rm $DLG_status $DLG_dir $dlg_val(k) $DLG_end_reason");
		if ($DLG_status != NULL) { validate_dialog(); $var(rc) = $rc; xlog("valid $var(rc)"); }
		t_relay();
		exit;
	}
	if (is_method("CANCEL")) { t_check_trans(); t_relay(); exit; }
	create_dialog("B");
	$var(rc) = $rc;
	$dlg_val(k) = "v";
	set_dlg_profile("inbound");
	set_dlg_profile("caller", $fU);
	record_route();
	t_on_reply("r");
	xlog("create $var(rc) $DLG_status");
	t_relay();
}
onreply_route[r] { xlog("reply $rs $DLG_status $dlg_val(k)"); }
`

func null(log []string) []string {
	for i := range log {
		log[i] = strings.TrimSpace(strings.ReplaceAll(log[i], "<null>", "-"))
	}
	return log
}

// TestCall follows a call from its INVITE to its BYE.
func TestCall(t *testing.T) {
	c := newCall(t, routes)
	out := c.request("INVITE", "1", false)
	c.wants("create 1 1")
	did := regexp.MustCompile(`Record-Route: <sip:[^>]*;lr;ftag=a;did=([0-9a-f]+\.[0-9a-f]+)>`).FindStringSubmatch(out)
	if did == nil {
		t.Fatalf("no did:\n%s", out)
	}
	c.answer(out, "180 Ringing", "b")
	c.wants("reply 180 1 v")
	c.answer(out, "200 OK", "b")
	c.wants("reply 200 2 v")
	c.request("ACK", "1", false)
	c.Log = null(c.Log)
	c.wants("ACK 4 downstream v -", "valid 1")
	info := c.request("INFO", "2", true)
	c.Log = null(c.Log)
	c.wants("INFO 4 upstream v -", "valid 1")
	c.answer(info, "200 OK", "b")
	c.request("INFO", "1", true)
	c.Log = null(c.Log)
	c.wants("INFO 4 upstream v -", "valid -1")
	if got := c.statistics("active_dialogs", "early_dialogs", "processed_dialogs"); got != "1 0 1" {
		t.Errorf("statistics %s", got)
	}
	if got := c.command("profile_get_size", `{"profile":"caller","value":"alice"}`); got != `{"Profile":{"name":"caller","value":"alice","count":1,"shared":"no","replicated":"no"}}` {
		t.Error(got)
	}
	list := c.command("dlg_list_ctx", `{}`)
	for _, want := range []string{`"ID":"` + did[1] + `"`, `"state":4`, `"callid":"c1"`, `"caller_tag":"a"`, `"callee_tag":"b"`, `"callee_contact":"sip:bob@192.0.2.9;transport=tls"`, `{"k":"v"}`, `{"caller":"alice"}`} {
		if !strings.Contains(list, want) {
			t.Errorf("lacks %s:\n%s", want, list)
		}
	}
	bye := c.request("BYE", "2", false)
	c.Log = null(c.Log)
	c.wants("BYE 5 downstream v Downstream BYE", "valid 1")
	c.answer(bye, "200 OK", "b")
	if got := c.statistics("active_dialogs", "failed_dialogs"); got != "0 0" {
		t.Errorf("statistics %s", got)
	}
	if got := c.command("profile_get_size", `{"profile":"inbound"}`); !strings.Contains(got, `"count":0`) {
		t.Error(got)
	}
}

// statistics gives the values of statistics.
func (c *call) statistics(names ...string) string {
	var out []string
	for _, name := range names {
		c.Config.ModuleStatistics(func(_ string, s *script.Statistic) {
			if s.Name == name {
				out = append(out, fmt.Sprint(s.Read()))
			}
		})
	}
	return strings.Join(out, " ")
}

// command carries out a command of management.
func (c *call) command(name, params string) string {
	c.t.Helper()
	b := c.Commands.Handle(context.Background(), fmt.Appendf(nil, `{"jsonrpc":"2.0","method":%q,"params":%s,"id":1}`, name, params))
	var r struct {
		Result json.RawMessage
		Error  *struct {
			Code    int
			Message string
		}
	}
	if err := json.Unmarshal(b, &r); err != nil {
		c.t.Fatalf("%s: %v", b, err)
	}
	if r.Error != nil {
		return fmt.Sprintf("%d %s", r.Error.Code, r.Error.Message)
	}
	return string(r.Result)
}

// TestFails has calls that nobody answers.
func TestFails(t *testing.T) {
	c := newCall(t, routes)
	out := c.request("INVITE", "1", false)
	c.answer(out, "486 Busy Here", "b")
	if got := c.statistics("active_dialogs", "failed_dialogs"); got != "0 1" {
		t.Errorf("statistics %s", got)
	}
	if got := c.command("dlg_end_dlg", `{"dialog_id":"c1"}`); got != "404 Requested Dialog not found" {
		t.Error(got)
	}
}

// TestMatching finds dialogs by did, by tags, and not by what was invented.
func TestMatching(t *testing.T) {
	for _, c := range []struct {
		name, params string
		change       func(c *call)
		found        bool
	}{
		{"did", "", func(*call) {}, true},
		{"no did, by tags", "", func(c *call) { c.strip() }, true},
		{"no did, by did alone", `modparam("dialog", "dlg_match_mode", 0)` + "\n", func(c *call) { c.strip() }, false},
		{"a wrong To tag", "", func(c *call) { c.toTag = "x" }, false},
		{"an invented did", `modparam("dialog", "dlg_match_mode", 0)` + "\n", func(c *call) {
			c.routes[0] = regexp.MustCompile(`did=[0-9a-f]+\.`).ReplaceAllString(c.routes[0], "did=1.")
		}, false},
		{"tags alone", `modparam("dialog", "dlg_match_mode", 2)` + "\n", func(c *call) {
			if strings.Contains(c.invite, "did=") {
				c.t.Error("the Record-Route names the dialog")
			}
		}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := newCall(t, c.params+routes)
			x.up()
			c.change(x)
			x.request("INFO", "5", false)
			found := len(x.Log) > 0 && strings.HasPrefix(x.Log[0], "INFO 4 downstream")
			if found != c.found {
				t.Errorf("%v", x.Log)
			}
		})
	}
}

func (c *call) strip() {
	c.routes[0] = regexp.MustCompile(`;did=[0-9a-f.]+`).ReplaceAllString(c.routes[0], "")
}

// TestFixRoute sends a request where its dialog says, whatever it says itself.
func TestFixRoute(t *testing.T) {
	c := newCall(t, strings.Replace(routes, `t_relay();
		exit;`, `if (!validate_dialog()) fix_route_dialog(); t_relay(); exit;`, 1))
	c.up()
	c.routes = append(c.routes, "Route: <sip:198.51.100.66;transport=tls;lr>")
	out := c.request("BYE", "2", false)
	if !strings.HasPrefix(out, "BYE sip:bob@192.0.2.9;transport=tls SIP/2.0\r\n") || strings.Contains(out, "198.51.100.66") {
		t.Errorf("sent on:\n%s\n%v", out, c.Log)
	}
}

// TestArmed runs the routes that a dialog has armed.
func TestArmed(t *testing.T) {
	c := newCall(t, strings.Replace(routes, "t_on_reply(\"r\");", `dlg_on_answer("answered"); dlg_on_hangup("gone");`, 1)+`
route[answered] { xlog("answered $DLG_status $dlg_val(k) $rm"); }
route[gone] { xlog("gone $DLG_status $DLG_end_reason"); }
`)
	out := c.request("INVITE", "1", false)
	c.answer(out, "200 OK", "b")
	c.wants("answered 3 v OPTIONS")
	c.request("ACK", "1", false)
	c.request("BYE", "2", true)
	if len(c.Log) == 0 || c.Log[len(c.Log)-1] != "gone 5 Upstream BYE" {
		t.Error(c.Log)
	}
}

// TestLoad sees another dialog.
func TestLoad(t *testing.T) {
	c := newCall(t, strings.Replace(routes, `create_dialog("B");`, `if (is_method("OPTIONS")) {
		xlog("own $DLG_did");
		load_dialog_ctx("c1"); $var(rc) = $rc;
		xlog("loaded $var(rc) $DLG_status $dlg_val(k)");
		unload_dialog_ctx();
		xlog("own $DLG_did");
		get_dialog_info("k", $avp(out), "k", "v", $var(n));
		xlog("$avp(out) $var(n)");
		get_profile_size("caller", "alice", $var(n));
		xlog("size $var(n)");
		exit;
	}
	create_dialog("B");`, 1))
	c.up()
	c.Receive([]byte("OPTIONS sip:x@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/TLS 10.0.0.9:40000;branch=z9hG4bKo\r\nMax-Forwards: 70\r\nFrom: <sip:x@h>;tag=x\r\n" +
		"To: <sip:x@h>\r\nCall-ID: other\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"))
	c.Log = null(c.Log)
	c.wants("own -", "loaded 1 4 v", "own -", "v 1", "size 1")
}

func TestErrors(t *testing.T) {
	for text, want := range map[string]string{
		`route { create_dialog("x"); }`:                                         `unknown flag "x"`,
		`route { set_dlg_profile("none"); }`:                                    `there is no profile "none"`,
		`route { match_dialog("DID"); }`:                                        `the mode is "DID_ONLY"`,
		"modparam(\"dialog\", \"db_mode\", 2)\nroute { exit; }":                 `db_mode 2 needs modparam("dialog", "db_url"`,
		"modparam(\"dialog\", \"rr_param\", \"a;b\")\nroute { exit; }":          `no name of a parameter`,
		"modparam(\"dialog\", \"profiles_no_value\", \"a;a\")\nroute { exit; }": `named twice`,
		"onreply_route { create_dialog(); }\nroute { exit; }":                   `create_dialog() cannot be used in onreply_route`,
		`route { dlg_on_answer("none"); }`:                                      `there is no route[none]`,
	} {
		if got := moduletest.Wrong(t, head+text, modules...); !strings.Contains(got, want) {
			t.Errorf("%s:\n%s", text, got)
		}
	}
}
