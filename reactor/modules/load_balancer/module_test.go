package loadbalancer_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sipreactor/reactor/modules/dialog"
	loadbalancer "sipreactor/reactor/modules/load_balancer"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/sl"
	"sipreactor/reactor/modules/tm"
)

const table = `id,group_id,dst_uri,resources,probe_mode,attrs,description
1,1,sip:127.0.0.1:5100;transport=tls,pstn=2;vm=5,1,one,
2,1,sip:127.0.0.1:5200;transport=tls,pstn=3,2,,
3,1,sip:127.0.0.1:5300;transport=tls,vm=1,0,,
4,2,sip:127.0.0.1:5400;transport=tls,pstn=1,0,,
5,2,sip:127.0.0.1:5500,pstn=x,0,,
`

func head(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "lb.csv")
	if err := os.WriteFile(path, []byte(table), 0o600); err != nil {
		t.Fatal(err)
	}
	return moduletest.Head("tm", "sl", "load_balancer") + fmt.Sprintf("modparam(\"load_balancer\", \"load_balancer_file\", %q)\n", path)
}

func bench(t testing.TB, routes string) *moduletest.Bench {
	t.Helper()
	return moduletest.New(t, head(t)+routes, tm.New, sl.New, loadbalancer.New)
}

// send hands the configuration a request.
func send(b *moduletest.Bench, method, callID, branch string) {
	b.Receive([]byte(strings.Join([]string{method + " sip:bob@example.net SIP/2.0", "Via: SIP/2.0/TLS 10.0.0.9:40000;branch=z9hG4bK" + branch, "Max-Forwards: 70",
		"From: <sip:alice@example.net>;tag=a", "To: <sip:bob@example.net>", "Call-ID: " + callID, "CSeq: 1 " + method, "Content-Length: 0", "", ""}, "\r\n")))
}

// answer has the callee answer a request that was sent.
func answer(t testing.TB, b *moduletest.Bench, to moduletest.Sent, status string) {
	t.Helper()
	b.Log, b.Sent = nil, nil
	b.Context.Receive(to.Answer(t, status), moduletest.Callee(to.Target.Addr))
}

// loads writes the loads of pstn, by id.
func loads(t testing.TB, b *moduletest.Bench) string {
	t.Helper()
	var list struct {
		Destinations []struct {
			ID        int
			Resources []struct {
				Name string
				Load int
			}
		}
	}
	if err := json.Unmarshal([]byte(b.Ask(t, "lb_list", `{}`)), &list); err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, d := range list.Destinations {
		for _, r := range d.Resources {
			if r.Load != 0 {
				all = append(all, fmt.Sprintf("%d/%s=%d", d.ID, r.Name, r.Load))
			}
		}
	}
	return strings.Join(all, " ")
}

// sent gives the INVITE that went to a destination, the last one.
func sent(t testing.TB, b *moduletest.Bench) moduletest.Sent {
	t.Helper()
	for i := len(b.Sent) - 1; i >= 0; i-- {
		if strings.HasPrefix(b.Sent[i].Text, "INVITE ") {
			return b.Sent[i]
		}
	}
	t.Fatalf("nothing was sent: %v %v", b.Status(), b.Log)
	return moduletest.Sent{}
}

const routes = `
route {
	if ($rm == "BYE") { $du = "sip:127.0.0.1:5200;transport=tls"; t_relay(); exit; }
	if (!lb_start(1, "pstn", , $var(at))) { xlog("$rc"); sl_send_reply(503, "full"); exit; }
	xlog("$du $var(at)");
	t_on_failure("next");
	t_relay();
}
failure_route[next] {
	lb_disable_dst();
	if (lb_next()) { xlog("next $du"); t_on_failure("next"); t_relay(); }
	else { xlog("no next $rc"); }
}
`

// TestCalls: a call counts from lb_start() on until it fails or a BYE comes.
func TestCalls(t *testing.T) {
	b := bench(t, routes)
	send(b, "INVITE", "c1", "1")
	if got := strings.Join(b.Log, "|"); got != "sip:127.0.0.1:5200;transport=tls <null>" {
		t.Fatalf("%s", got)
	}
	first := sent(t, b)
	if got := loads(t, b); got != "2/pstn=1" {
		t.Errorf("under way: %s", got)
	}
	send(b, "INVITE", "c2", "2")
	second := sent(t, b)
	if got := loads(t, b); got != "1/pstn=1 2/pstn=1" {
		t.Errorf("two under way: %s", got)
	}
	answer(t, b, first, "200 OK")
	answer(t, b, second, "486 Busy Here") // which disables it here, and lb_next() has no other with more room than 2
	if got := loads(t, b); !strings.HasPrefix(strings.Join(b.Log, "|"), "load_balancer: a destination is disabled") || got != "2/pstn=2" {
		t.Errorf("one answered, one on its next way: %s %v", got, b.Log)
	}
	answer(t, b, sent(t, b), "404 Not Found")
	if got := loads(t, b); got != "2/pstn=1" || !strings.Contains(strings.Join(b.Log, "|"), "no next -3") {
		t.Errorf("one answered, one failed: %s %v", got, b.Log)
	}
	if got := b.Ask(t, "lb_status", `[2]`); got != `{"enable":"no"}` {
		t.Error(got)
	}
	send(b, "BYE", "c1", "3")
	if got := loads(t, b); got != "" {
		t.Errorf("after the BYE: %s", got)
	}
}

// TestNoTransaction: what is answered without a transaction is counted no longer than
// the script runs.
func TestNoTransaction(t *testing.T) {
	b := bench(t, `route { lb_start(1, "pstn"); xlog("$du"); sl_send_reply(486, "Busy"); }`)
	for range 5 {
		send(b, "INVITE", "c1", "1")
		if got := strings.Join(b.Log, "|"); got != "sip:127.0.0.1:5200;transport=tls" {
			t.Fatalf("%s", got)
		}
	}
	if got := loads(t, b); got != "" {
		t.Errorf("loads %s", got)
	}
}

func TestFunctions(t *testing.T) {
	for statements, want := range map[string]string{
		`lb_start(1, "pstn;vm"); xlog("$rc $du");`:                                                         "1 sip:127.0.0.1:5100;transport=tls",
		`lb_start("1", "vm", "r", $avp(a)); xlog("$rc $avp(a)");`:                                          "1 one",
		`lb_start(1, "fax"); xlog("$rc"); lb_start(3, "pstn"); xlog("$rc"); lb_start(1, ""); xlog("$rc");`: "-4|-3|-4",
		`lb_is_started(); xlog("$rc"); lb_next(); xlog("$rc"); lb_start_or_next(2, "pstn"); xlog("$rc"); lb_is_started(); xlog("$rc"); load_balance(2, "pstn"); xlog("$rc");`: "-1|-1|1|1|-3",
		`lb_start(2, "pstn"); lb_reset(); lb_is_started(); xlog("$rc"); lb_start(2, "pstn"); xlog("$rc");`:                                                                    "-1|1",
		`lb_disable_dst(); xlog("$rc");`: "-1",
		`lb_is_destination("127.0.0.1", 5100); xlog("$rc"); lb_is_destination("127.0.0.1", 5100, 2); xlog("$rc"); lb_is_destination("127.0.0.1", 0, 2, 1); xlog("$rc"); lb_is_destination("127.0.0.1", 5100, , , $var(a)); xlog("$var(a)");
			lb_start(2, "pstn"); lb_disable_dst(); lb_is_destination("127.0.0.1", 5400, 2, 1); xlog("$rc"); lb_is_destination("127.0.0.1", 5400, 2); xlog("$rc");`: "1|-1|1|one|-1|1",
		`lb_count_call("127.0.0.1", 5400, -1, "pstn"); xlog("$rc"); lb_start(2, "pstn"); xlog("$rc"); lb_start(2, "pstn", "n"); xlog("$rc");
			lb_count_call("127.0.0.1", 5400, 2, "pstn", 1); xlog("$rc"); lb_count_call("127.0.0.1", 5400, 2, "pstn", 1); xlog("$rc"); lb_count_call("127.0.0.1", 5400, 2, "vm"); xlog("$rc");`: "1|-2|1|1|-1|-1",
	} {
		b := bench(t, "route {\n"+statements+"\n}")
		b.Receive(moduletest.Invite)
		var got []string
		for _, l := range b.Log {
			if !strings.HasPrefix(l, "load_balancer: ") {
				got = append(got, l)
			}
		}
		if s := strings.Join(got, "|"); s != want {
			t.Errorf("%s\n got %s\nwant %s", statements, s, want)
		}
	}
}

func TestCommands(t *testing.T) {
	b := bench(t, "route { exit; }")
	if got := b.Ask(t, "lb_list", `{}`); !strings.HasPrefix(got, `{"Destinations":[{"uri":"sip:127.0.0.1:5100;transport=tls","id":1,"group":1,"enabled":"yes","auto-reenable":"on",`+
		`"Resources":[{"name":"pstn","max":2,"load":0},{"name":"vm","max":5,"load":0}],"attrs":"one"},`) || strings.Contains(got, "5500") {
		t.Errorf("%s", got)
	}
	for _, c := range []struct{ method, params, want string }{
		{"lb_resize", `[1, "pstn", 56]`, `"OK"`},
		{"lb_resize", `[1, "fax", 56]`, `{"code":404,"message":"Destination has no such resource"}`},
		{"lb_resize", `[11, "pstn", 56]`, `{"code":404,"message":"Destination ID not found"}`},
		{"lb_status", `[2, 0]`, `"OK"`},
		{"lb_status", `[2]`, `{"enable":"no"}`},
		{"lb_reload", `{}`, `{"loaded":4,"left_out":1,"rows":[`}, // of which TestLeftOutRows tells
		{"lb_status", `{"destination_id":2}`, `{"enable":"no"}`},
		{"lb_status", `[2, 1]`, `"OK"`},
		{"lb_status", `[2]`, `{"enable":"yes"}`},
	} {
		if got := b.Ask(t, c.method, c.params); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s %s: %s", c.method, c.params, got)
		}
	}
}

func TestErrors(t *testing.T) {
	for text, want := range map[string]string{
		`route { lb_start(1, "pstn", "x"); }`:                                         `there is no flag 'x': n, r, s`,
		"modparam(\"load_balancer\", \"fetch_freeswitch_stats\", 1)\nroute { exit; }": `loadmodule "freeswitch.so"`,
	} {
		if got := moduletest.Wrong(t, head(t)+text, tm.New, sl.New, loadbalancer.New); !strings.Contains(got, want) {
			t.Errorf("%s:\n%s", text, got)
		}
	}
}

func TestDocumented(t *testing.T) { moduletest.Documented(t, loadbalancer.New) }

// TestDialogEnds: the load of a call ends with its dialog, though no BYE passes.
func TestDialogEnds(t *testing.T) {
	text := strings.Replace(head(t), `loadmodule "load_balancer.so"`, "loadmodule \"dialog.so\"\nloadmodule \"load_balancer.so\"", 1)
	b := moduletest.New(t, text+`
route { create_dialog(); load_balance(1, "pstn"); t_relay(); }`, tm.New, sl.New, dialog.New, loadbalancer.New)
	send(b, "INVITE", "a", "1")
	answer(t, b, b.Sent[len(b.Sent)-1], "200 OK")
	if got := loads(t, b); got != "2/pstn=1" {
		t.Fatal(got)
	}
	b.Ask(t, "dlg_end_dlg", `{"dialog_id": "a"}`)
	if got := loads(t, b); got != "" {
		t.Error(got)
	}
}

// TestRefusedBYE: a BYE that the script refuses by its transaction ends no call.
func TestRefusedBYE(t *testing.T) {
	b := moduletest.New(t, head(t)+`
route {
	if ($rm == "BYE") {
		if ($hdr(Via) =~ "refused") { t_reply(403, "No"); exit; }
		if ($hdr(Via) =~ "answered") { t_reply(200, "OK"); exit; }
		$du = "sip:127.0.0.1:5200;transport=tls";
		t_relay();
		exit;
	}
	lb_start(1, "pstn");
	t_relay();
}`, tm.New, sl.New, loadbalancer.New)
	for _, how := range []string{"passed", "answered"} {
		send(b, "INVITE", how, "i"+how)
		answer(t, b, sent(t, b), "200 OK")
		send(b, "BYE", how, "refused"+how)
		if got := loads(t, b); got != "2/pstn=1" {
			t.Errorf("%s: behind a refused BYE the loads are %q", how, got)
		}
		send(b, "BYE", how, how)
		if got := loads(t, b); got != "" {
			t.Errorf("%s: behind the BYE the loads are %q", how, got)
		}
	}
}
