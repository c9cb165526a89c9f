package tm_test

import (
	"regexp"
	"strings"
	"testing"

	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/tm"
)

// The destination of t_relay() stands behind flags, or alone as OpenSIPS 2 has it, constant or from a variable.
func TestRelayDestination(t *testing.T) {
	for _, call := range []string{
		`t_relay("tls:192.0.2.7:5061")`, `t_relay("no-auto-477", "tls:192.0.2.7:5061")`, `t_relay(0x04, "tls:192.0.2.7:5061")`, `t_relay( , "tls:192.0.2.7:5061")`,
		`t_relay("$var(to)")`, `t_relay($var(to))`, `t_relay("$var(flags)", "$var(to)")`,
	} {
		b := start(t, `route { $var(to) = "tls:192.0.2.7:5061"; $var(flags) = "no-dns-failover"; `+call+`; }`)
		b.send(t, "MESSAGE")
		if out := b.want(t, "MESSAGE"); len(out) == 1 && out[0].Target.Addr.String() != "192.0.2.7:5061" {
			t.Errorf("%s: sent to %v", call, out[0].Target.Addr)
		}
	}
	b := start(t, `route { $var(flags) = "no-such"; t_relay("$var(flags)"); }`)
	b.send(t, "MESSAGE")
	b.want(t, "")
	if got := strings.Join(b.Log, "|"); !strings.Contains(got, `t_relay(): there is no flag "no-such"`) {
		t.Error(got)
	}
}

// The documentation gives t_check_status() a number, too.
func TestCheckStatusOfANumber(t *testing.T) {
	b := start(t, `
route { t_on_reply("r"); t_relay(); }
onreply_route[r] { if (t_check_status(183)) xlog("early"); if (t_check_status("18[0-2]")) xlog("ringing"); }
`)
	b.send(t, "INVITE")
	out := b.want(t, "100 INVITE")
	b.answer(t, out[1], "183 Progress")
	b.want(t, "183", "early")
	b.answer(t, out[1], "180 Ringing")
	b.want(t, "180", "ringing")
}

// Some clients acknowledge a 2xx with the branch of their INVITE: such an ACK is the callee's all the same, how often it
// comes. One to a 2xx of ours ends here.
func TestAckWithTheBranchOfItsInvite(t *testing.T) {
	const routes = `
route {
	if (is_method("ACK")) {
		$var(rc) = -9;
		t_check_trans();
		$var(rc) = $rc;
		xlog("$var(rc)");
		t_relay();
		exit;
	}
	if ($rU == "us") { t_reply(200, "OK"); exit; }
	%
	t_relay();
}
onreply_route[r] { }
`
	for _, armed := range []string{"", `t_on_reply("r");`} { // with a remnant that the script keeps something with, and without
		b := start(t, strings.Replace(routes, "%", armed, 1))
		b.send(t, "INVITE")
		b.answer(t, b.want(t, "100 INVITE")[1], "200 OK")
		b.want(t, "200")
		for range 2 {
			b.send(t, "ACK", "To: <sip:bob@example.net>;tag=b")
			b.want(t, "ACK", "-2")
		}
	}
	b := start(t, strings.Replace(routes, "%", "", 1))
	b.send(t, "INVITE sip:us@192.0.2.9;transport=tls")
	out := b.want(t, "100 200")
	_, tag, _ := strings.Cut(out[1].Text, "To: <sip:bob@example.net>;tag=")
	tag, _, _ = strings.Cut(tag, "\r\n")
	b.send(t, "ACK sip:us@192.0.2.9;transport=tls", "To: <sip:bob@example.net>;tag="+tag)
	b.want(t, "", "1")
	b.send(t, "INVITE", "CSeq: 2 INVITE", "Via: SIP/2.0/TLS 10.0.0.9:40000;branch=z9hG4bK2")
	b.answer(t, b.want(t, "100 INVITE")[1], "486 Busy Here")
	b.send(t, "ACK", "CSeq: 2 ACK", "Via: SIP/2.0/TLS 10.0.0.9:40000;branch=z9hG4bK2", "To: <sip:bob@example.net>;tag=b")
	b.want(t, "", "1")
}

// Routes see what is sent of our own, as it was sent, and send nothing themselves.
func TestViews(t *testing.T) {
	b := start(t, `
modparam("tm", "local_request_route", "requests")
modparam("tm", "local_reply_route", "replies")
route { t_new_request("MESSAGE", "sip:bob@192.0.2.9;transport=tls", "sip:alice@example.net", "sip:bob@example.net", "text/plain hello"); t_reply(480, "Not Now"); }
local_route { append_hf("X-Local: $rm\r\n"); }
route[requests] { xlog("$rm $hdr(X-Local) $rb $avp(a)"); append_hf("X: y\r\n"); t_relay(); sl_send_reply(500, "No"); }
route[replies] { xlog("$rs $rr $cs $rm"); remove_hf("To"); }
`)
	b.send(t, "OPTIONS")
	out := b.want(t, "MESSAGE 480")
	got := strings.Join(b.Log, "|")
	for _, want := range []string{"MESSAGE MESSAGE hello <null>", "480 Not Now 1 OPTIONS"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in %s", want, got)
		}
	}
	if strings.Contains(out[0].Text, "X: y") || !strings.Contains(out[1].Text, "\r\nTo: ") {
		t.Errorf("a view has changed something: %+v", out)
	}
	b.answer(t, out[0], "200 OK")
	b.want(t, "")
	if got := moduletest.Wrong(t, head+`modparam("tm", "local_reply_route", "none")
route { exit; }`, tm.New); !strings.Contains(got, "no route[none]") {
		t.Error(got)
	}
}

// The flag 0x01 of before OpenSIPS 3 has the transaction that t_relay() makes send no 100.
func TestRelayQuietly(t *testing.T) {
	for call, want := range map[string]string{`t_relay("0x01")`: "INVITE", `t_relay("0x02")`: "100 INVITE", `t_relay(1)`: "INVITE"} {
		b := start(t, `route { `+call+`; }`)
		b.send(t, "INVITE")
		if out := b.want(t, want); len(out) == 0 {
			t.Errorf("%s: %q", call, b.Log)
		}
	}
}

// TestUnmatchedCANCEL: a CANCEL without a transaction goes on without one, by the branch that its INVITE went by (RFC 3261
// 16.10): the next hop knows what it cancels, and answers it itself.
func TestUnmatchedCANCEL(t *testing.T) {
	b := start(t, `
route {
	if (is_method("CANCEL")) { $var(known) = t_check_trans(); $var(rc) = t_relay(); xlog("$var(known) $var(rc)"); exit; }
	if (is_method("ACK")) { t_relay(); exit; }
	forward();
}
`)
	b.send(t, "INVITE")
	invite := b.want(t, "INVITE")[0]
	b.send(t, "CANCEL")
	cancel := b.want(t, "CANCEL", "-1 1")[0]
	branch := regexp.MustCompile(`^SIP/2\.0/TLS edge\.example\.org:5061;branch=\w+`)
	if by := branch.FindString(invite.Header("Via")); by == "" || branch.FindString(cancel.Header("Via")) != by {
		t.Errorf("the INVITE went by %q, its CANCEL by %q", invite.Header("Via"), cancel.Header("Via"))
	}
	b.answer(t, cancel, "200 OK")
	b.want(t, "200")
	b.answer(t, invite, "487 Request Terminated")
	b.want(t, "487")
	b.send(t, "ACK")
	b.want(t, "ACK")
}
