package tm_test

import (
	"strings"
	"testing"

	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/tm"
)

// A call, its ACK that reaches the script, and a retransmission, which ends it.
func TestRelay(t *testing.T) {
	b := start(t, `
route {
	if (is_method("ACK")) {
		$var(rc) = -9;
		if (t_check_trans()) xlog("hop by hop");
		t_relay();
		exit;
	}
	if (is_method("CANCEL")) {
		if (t_check_trans()) t_relay();
		exit;
	}
	t_check_trans();
	t_on_reply("all");
	$var(rc) = t_relay();
	xlog("rc $var(rc)");
}
onreply_route { xlog("any $rs"); }
onreply_route[all] {
	xlog("$rs $T_reply_code $T_branch_idx $(<request>rm)");
	if ($rs == 183) drop;
}
`)
	b.send(t, "INVITE")
	out := b.want(t, "100 INVITE", "rc 1")
	b.send(t, "INVITE")
	b.want(t, "", "")
	b.answer(t, out[1], "183 Progress")
	b.want(t, "", "any 183", "183 183 0 INVITE")
	b.answer(t, out[1], "180 Ringing")
	b.want(t, "180", "any 180", "180 180 0 INVITE")
	b.send(t, "CANCEL")
	b.want(t, "200 CANCEL")
	b.answer(t, out[1], "487 Request Terminated")
	b.want(t, "ACK 487", "any 487", "487 487 0 INVITE")
	b.send(t, "ACK")
	b.want(t, "", "hop by hop")
}

// The failure_route has the received Request-URI, the transaction's AVPs and flags; it is armed anew, the branch_route is
// not.
func TestFailureRoute(t *testing.T) {
	b := start(t, `
route {
	$avp(a) = "from request";
	setflag(MARK);
	setbflag(BMARK);
	$ru = "sip:robert@192.0.2.9;transport=tls";
	t_on_failure("next");
	t_on_branch("each");
	t_relay();
	$avp(late) = "after";
}
branch_route[each] { append_hf("X-Branch: $T_branch_idx $rU\r\n"); $avp(a) = "from branch " + $T_branch_idx; }
failure_route[next] {
	xlog("$T_reply_code $rU $du $avp(a) $avp(late) $(<reply>rs)");
	if (isflagset(MARK)) xlog("marked");
	if (isbflagset(BMARK)) xlog("wrong");
	if (t_check_status("486|408")) xlog("status");
	if (t_local_replied("all")) xlog("wrong");
	if (t_was_cancelled()) xlog("wrong");
	$ru = "sip:carol@192.0.2.9;transport=tls";
	t_relay();
}
`)
	b.send(t, "INVITE")
	out := b.want(t, "100 INVITE")
	if !strings.Contains(out[1].Text, "X-Branch: 0 robert\r\n") {
		t.Error(out[1].Text)
	}
	b.answer(t, out[1], "486 Busy Here")
	out = b.want(t, "ACK INVITE", "486 bob <null> from branch 0 after 486", "marked", "status")
	if !strings.HasPrefix(out[1].Text, "INVITE sip:carol@") || !strings.Contains(out[1].Text, "X-Branch: 1 carol\r\n") || strings.Contains(out[1].Text, "X-Branch: 0") {
		t.Error(out[1].Text)
	}
	b.answer(t, out[1], "404 Not Found")
	b.want(t, "ACK 404", "")
}

// What t_relay() does and returns where it cannot send.
func TestRelayFails(t *testing.T) {
	for _, c := range []struct{ statements, sent, log string }{
		{`$ru = "sip:a@192.0.2.1;transport=sctp"; $var(r) = t_relay(); xlog("$var(r)");`, "100 500", "1"},
		{`$ru = "sip:a@192.0.2.1;transport=sctp"; t_relay("no-auto-477"); xlog("$rc"); t_reply(599, "Mine");`, "100 599", "-6"},
		{`$ru = "sip:a@192.0.2.1;transport=sctp"; t_newtran(); t_relay(); xlog("$rc");`, "100 500", "-6"},
		{`t_newtran(); t_newtran(); xlog("$rc");`, "100 500", "-10"},
		{`t_on_branch("none"); t_relay(); xlog("$rc");`, "100 500", "1"},
		{`t_reply(404, "Nobody $rU"); t_reply(486, "x"); xlog("$rc $T_reply_code");`, "100 404", "-1 404"},
		{`send_reply(486, "x");`, "486", ""},
		{`t_newtran(); send_reply(486, "x"); xlog("$T_reply_code");`, "100 486", "486"},
		{`append_to_reply("Content-Type: text/plain\r\n"); t_reply_with_body(200, "OK", "hello");`, "100 200", ""},
		{`$T_fr_timeout = 5; xlog("$T_fr_timeout $T_fr_inv_timeout"); t_newtran(); xlog("$T_fr_timeout"); $T_fr_timeout = NULL; xlog("$T_fr_timeout"); t_reply(480, "x");`, "100 480", "5 120|5|30"},
		{`if (!t_was_cancelled()) t_relay( ,"tls:192.0.2.77:5099");`, "100 INVITE", ""},
		{`$du = "sip:192.0.2.78;transport=tls"; t_relay("0x02", "tls:192.0.2.77:5099");`, "100 INVITE", ""},
		{`append_msg_branch("sip:carol@192.0.2.8;transport=tls"); t_relay(); t_reply(486, "x");`, "100 INVITE INVITE 486", ""},
		{`xlog("$T_id$T_ruri$T_branch_idx"); t_relay(); xlog("$T_ruri"); `, "100 INVITE", "<null><null><null>|sip:bob@192.0.2.9;transport=tls"},
		{`t_add_hdrs("X-More: 1\r\n"); xlog("$rc"); t_newtran(); t_add_hdrs("X-More: 1\r\n"); xlog("$rc"); t_relay();`, "100 INVITE", "-1|1"},
		{`t_replicate("sip:copy@192.0.2.50;transport=tls"); sl_send_reply(200, "OK");`, "INVITE 200", ""},
	} {
		b := start(t, "route {\n"+c.statements+"\n}\nbranch_route[none] { drop; }\n")
		b.send(t, "INVITE")
		out := b.want(t, c.sent)
		var log []string
		for _, line := range b.Log {
			if !strings.HasPrefix(line, "script:") {
				log = append(log, line)
			}
		}
		if got := strings.Join(log, "|"); got != c.log {
			t.Errorf("%s\nlogged %q, want %q", c.statements, got, c.log)
		}
		for _, s := range out {
			if strings.Contains(c.statements, "hello") && strings.HasPrefix(s.Text, "SIP/2.0 200") && !strings.HasSuffix(s.Text, "Content-Length: 5\r\n\r\nhello") ||
				strings.Contains(c.statements, "X-More") && strings.HasPrefix(s.Text, "INVITE") && !strings.Contains(s.Text, "X-More: 1\r\n") ||
				strings.Contains(c.statements, "77:5099") && strings.HasPrefix(s.Text, "INVITE") && !strings.HasPrefix(s.Target.Addr.Addr().String(), "192.0.2.7") {
				t.Errorf("%s\nsent %v %s", c.statements, s.Target.Addr, s.Text)
			}
		}
	}
}

// Branches, their attributes and flags, seen from the routes of a transaction.
func TestBranchVariables(t *testing.T) {
	b := start(t, `
route {
	append_msg_branch("sip:carol@192.0.2.8;transport=tls");
	t_on_branch("each");
	t_relay();
}
branch_route[each] {
	t_on_reply("one");
	setbflag(SEEN);
	$tm.branch.attr(name) = $rU;
	$bavp(x) = "avp of " + $rU;
}
onreply_route[one] {
	xlog("$T_branch_idx $tm.branch.uri $(tm.branch.uri[0]) $(tm.branch.attr(name)[-1]) $tm.branch.flag(SEEN) $tm.branch.last_received $bavp(x)");
	if (t_get_branch_idx_by_attr("name", "carol", , $var(i))) xlog("carol is $var(i)");
	if (isbflagset(SEEN)) xlog("seen");
	if (t_check_status("18[0-9]")) t_cancel_branch("o");
}
`)
	b.send(t, "INVITE")
	out := b.want(t, "100 INVITE INVITE")
	b.answer(t, out[1], "180 Ringing")
	b.want(t, "180", "0 sip:bob@192.0.2.9;transport=tls sip:bob@192.0.2.9;transport=tls carol 1 180 avp of bob", "carol is 1", "seen")
	b.answer(t, out[2], "180 Ringing")
	b.want(t, "CANCEL CANCEL 180")
}

// onreply_avp_mode.
func TestReplyAVPs(t *testing.T) {
	for mode, want := range map[string]string{"0": "<null>", "1": "kept"} {
		b := start(t, `modparam("tm", "onreply_avp_mode", `+mode+`)
route { t_on_reply("r"); t_relay(); $avp(a) = "kept"; }
onreply_route[r] { xlog("$avp(a)"); }
`)
		b.send(t, "INVITE")
		b.answer(t, b.want(t, "100 INVITE")[1], "180 Ringing")
		b.want(t, "180", want)
	}
}

// An INVITE that waits for branches, answered from another message.
func TestReplyByCallID(t *testing.T) {
	b := start(t, `
route {
	if (is_method("INVITE")) { t_reply(180, "Ringing"); t_wait_for_new_branches(); exit; }
	if (t_reply_by_callid(487, "Gone", , "1")) sl_send_reply(200, "OK"); else sl_send_reply(481, "None");
}
`)
	b.send(t, "INVITE")
	b.want(t, "100 180")
	b.send(t, "BYE", "CSeq: 2 BYE", "Via: SIP/2.0/TLS 10.0.0.9:40000;branch=z9hG4bK2")
	b.want(t, "487 200")
	b.send(t, "BYE", "CSeq: 3 BYE", "Via: SIP/2.0/TLS 10.0.0.9:40000;branch=z9hG4bK3", "Call-ID: other")
	b.want(t, "481")
}

// A request of our own passes the local_route, with its context.
func TestNewRequest(t *testing.T) {
	b := start(t, `
route { t_new_request("MESSAGE", "sip:bob@192.0.2.9;transport=tls", "Alice sip:alice@example.net", "sip:bob@example.net", "text/plain hello there", "ctx"); sl_send_reply(200, "OK"); }
local_route { append_hf("X-Local: $avp(uac_ctx) $rm\r\n"); }
`)
	b.send(t, "OPTIONS")
	out := b.want(t, "MESSAGE 200")
	for _, want := range []string{"X-Local: ctx MESSAGE\r\n", "Content-Type: text/plain\r\n", "\r\n\r\nhello there", `From: "Alice" <sip:alice@example.net>;tag=`, "Max-Forwards: 70\r\n"} {
		if !strings.Contains(out[0].Text, want) {
			t.Errorf("no %q in\n%s", want, out[0].Text)
		}
	}
	if n := strings.Count(out[0].Text, "Via:"); n != 1 {
		t.Errorf("%d Vias", n)
	}
	b.answer(t, out[0], "202 Accepted")
	b.want(t, "")
}

func TestErrors(t *testing.T) {
	got := moduletest.Wrong(t, head+`
modparam("tm", "fr_timeout", 0)
modparam("tm", "tm_replication_cluster", 1)
route {
	t_relay("no-such");
	t_on_failure("gone");
	t_write_req("a", "b");
	t_anycast_replicate();
	t_local_replied("some");
	t_cancel_branch();
	t_inject_branches("event");
	t_reply(42, "x");
}
failure_route[f] { t_newtran(); sl_send_reply(200, "OK"); }
`, tm.New)
	for _, want := range []string{"fr_timeout", "no cluster", `no flag "no-such"`, "no failure_route[gone]", "t_write_req() is not to be had", "t_anycast_replicate() is not to be had",
		`takes "all" or "last"`, "t_cancel_branch() cannot be used in route", "needs the module event_routing", "a status code is 100 to 699", "t_newtran() cannot be used in failure_route"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

func TestDocumented(t *testing.T) { moduletest.Documented(t, tm.New) }

// $tm.branch counts all branches, or those of the last fork; a number may be a variable.
func TestBranchIndexes(t *testing.T) {
	b := start(t, `
route { t_on_failure("f"); t_relay(); }
failure_route[f] {
	append_msg_branch("sip:carol@192.0.2.8;transport=tls");
	t_on_reply("r");
	t_relay();
}
onreply_route[r] {
	$var(i) = 1;
	$(tm.branch.attr(who)[$var(i)]) = "second";
	$(tm.branch.flag(SEEN)[-1]) = 1;
	xlog("$(tm.branch.uri[-1]{uri.user}) $(tm.branch.uri[0/active]{uri.user}) $(tm.branch.uri[1/active]{uri.user}) $(tm.branch.uri[2/active]) $(tm.branch.uri[2/all]{uri.user}) $(tm.branch.attr(who)[1/all]) $(tm.branch.flag(SEEN)[-1/active]) $(tm.branch.attr(who)[0])");
}
`)
	b.send(t, "INVITE")
	b.answer(t, b.want(t, "100 INVITE")[1], "486 Busy Here")
	out := b.want(t, "ACK INVITE INVITE")
	b.answer(t, out[1], "180 Ringing")
	b.want(t, "180", "carol bob carol <null> carol second 1 <null>")
	if got := moduletest.Wrong(t, head+`route { xlog("$(tm.branch.uri[0/other])"); xlog("$(hdr(X)[0/active])"); }`, tm.New); !strings.Contains(got, `no "other" behind the index of $tm.branch.uri: there is all and active`) ||
		!strings.Contains(got, `no "active" behind the index of $hdr`) {
		t.Error(got)
	}
}
