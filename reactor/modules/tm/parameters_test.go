package tm_test

import (
	"context"
	"strings"
	"testing"
)

// auto_100trying, disable_6xx_block and minor_branch_flag.
func TestParameters(t *testing.T) {
	b := start(t, `modparam("tm", "auto_100trying", 0)
route { t_relay(); }`)
	b.send(t, "INVITE")
	b.want(t, "INVITE")

	for block, want := range map[string]string{"0": "ACK 603", "1": "ACK INVITE"} {
		b := start(t, `modparam("tm", "disable_6xx_block", `+block+`)
route { t_on_failure("f"); t_relay(); }
failure_route[f] { $ru = "sip:carol@192.0.2.8;transport=tls"; t_relay(); }
`)
		b.send(t, "INVITE")
		b.answer(t, b.want(t, "100 INVITE")[1], "603 Decline")
		b.want(t, want)
	}

	b = start(t, `modparam("tm", "minor_branch_flag", "EARLY")
route { append_msg_branch("sip:music@192.0.2.8;transport=tls"); t_on_branch("b"); t_relay(); }
branch_route[b] { if ($rU == "music") setbflag(EARLY); }
`)
	b.send(t, "INVITE")
	out := b.want(t, "100 INVITE INVITE")
	b.answer(t, out[2], "183 Progress")
	b.want(t, "183")
	b.answer(t, out[1], "404 Not Found")
	b.want(t, "ACK CANCEL 404")
}

// The Reason of a CANCEL is the caller's, the script's or ours.
func TestCancelReason(t *testing.T) {
	for reason, want := range map[string]string{
		"":                       `Reason: SIP;cause=487;text="ORIGINATOR_CANCEL"`,
		"Reason: Q.850;cause=16": "Reason: Q.850;cause=16",
		"set":                    `Reason: SIP ;cause=200 ;text="elsewhere"`,
	} {
		b := start(t, `
route {
	if (is_method("CANCEL") && $hdr(X-Set) == "yes") t_add_cancel_reason("Reason: SIP ;cause=200 ;text=\"elsewhere\"\r\n");
	t_relay();
}`)
		b.send(t, "INVITE")
		b.answer(t, b.want(t, "100 INVITE")[1], "180 Ringing")
		more := []string{reason}
		switch reason {
		case "":
			more = nil
		case "set":
			more = []string{"Reason: Q.850;cause=16", "X-Set: yes"}
		}
		b.send(t, "CANCEL", more...)
		if out := b.want(t, "200 CANCEL"); len(out) == 2 && !strings.Contains(out[1].Text, "\r\n"+want+"\r\n") {
			t.Errorf("%q: no %s in\n%s", reason, want, out[1].Text)
		}
	}
}

// t_local_replied(), $T_reply_code and what else a failure_route knows of who failed: a final response that came, and one
// of a branch that was silent beside it.
func TestWhoFailed(t *testing.T) {
	b := start(t, `
route { append_msg_branch("sip:carol@192.0.2.8;transport=tls"); t_on_failure("f"); t_relay(); }
failure_route[f] {
	$var(all) = t_local_replied("all");
	$var(last) = t_local_replied("last");
	$var(canceled) = t_was_cancelled();
	xlog("$T_reply_code $T_branch_idx $var(all) $var(last) $var(canceled) $(<reply>rs) $(<request>rm) $ru $du $rm");
}
`)
	b.send(t, "INVITE")
	out := b.want(t, "100 INVITE INVITE")
	b.answer(t, out[1], "404 Not Found")
	b.want(t, "ACK")
	b.answer(t, out[2], "486 Busy Here") // completes last, but 404 is the answer
	b.want(t, "ACK 404", "404 1 -1 -1 -1 404 INVITE sip:bob@192.0.2.9;transport=tls <null> INVITE")
	b = start(t, `
route { t_on_failure("f"); t_relay(); }
failure_route[f] { $var(canceled) = t_was_cancelled(); xlog("$T_reply_code $var(canceled)"); t_relay(); xlog("$rc"); }
`)
	b.send(t, "INVITE")
	out = b.want(t, "100 INVITE")
	b.answer(t, out[1], "180 Ringing")
	b.send(t, "CANCEL")
	b.answer(t, out[1], "487 Request Terminated")
	b.want(t, "ACK 487", "487 1", "-3")
}

// Who was verified is known to the later routes of the transaction, and what stands beside that is not taken for it.
func TestWhoWasVerified(t *testing.T) {
	b := start(t, `
route { $var(rc) = verified(); xlog("request $au"); t_on_branch("b"); t_on_reply("r"); t_on_failure("f"); t_relay(); }
branch_route[b] { xlog("branch $au"); }
onreply_route[r] { xlog("reply $au $(<request>rm)"); }
failure_route[f] { xlog("failure $au $ar"); }
`)
	b.send(t, "INVITE", `Authorization: Digest username="mallory", realm="x"`, `Proxy-Authorization: Digest username="alice", realm="example.net"`)
	out := b.want(t, "100 INVITE", "request alice", "branch alice")
	b.answer(t, out[1], "486 Busy Here")
	b.want(t, "ACK 486", "reply <null> INVITE", "failure alice example.net")
}

// Serial forks by preference: serialize_branches() and next_branches() over a transaction.
func TestSerialFork(t *testing.T) {
	b := start(t, `
route {
	$ru = "sip:first@192.0.2.7;transport=tls"; $ru_q = 900;
	append_msg_branch("sip:second@192.0.2.8;transport=tls", "0.5");
	append_msg_branch("sip:third@192.0.2.9;transport=tls", "0.5");
	serialize_branches(1);
	next_branches();
	t_on_failure("f");
	t_relay();
}
failure_route[f] { if (next_branches()) { t_on_failure("f"); t_relay(); } }
`)
	b.send(t, "INVITE")
	out := b.want(t, "100 INVITE")
	if !strings.HasPrefix(out[1].Text, "INVITE sip:first@") {
		t.Error(out[1].Text)
	}
	b.answer(t, out[1], "486 Busy Here")
	out = b.want(t, "ACK INVITE INVITE")
	b.answer(t, out[1], "486 Busy Here")
	b.want(t, "ACK")
	b.answer(t, out[2], "480 Gone")
	b.want(t, "ACK 480")
}

// drop in an onreply_route keeps a provisional response back, and no final one.
func TestDropOfAReply(t *testing.T) {
	b := start(t, `route { t_on_reply("r"); t_relay(); }
onreply_route[r] { drop; }`)
	b.send(t, "INVITE")
	out := b.want(t, "100 INVITE")
	b.answer(t, out[1], "183 Progress")
	b.want(t, "")
	b.answer(t, out[1], "486 Busy Here")
	b.want(t, "ACK 486")
}

// A transaction waits for branches that are injected; those that ring are canceled if that is asked for.
func TestInject(t *testing.T) {
	b := start(t, `
route {
	t_newtran();
	t_wait_for_new_branches(1);
	t_relay();
	t_on_failure("f");
}
failure_route[f] { xlog("failed with $T_reply_code"); }
onreply_route { if ($rs == 404) { t_wait_no_more_branches(); } }
`)
	b.send(t, "INVITE")
	out := b.want(t, "100 INVITE")
	b.answer(t, out[1], "486 Busy Here")
	b.want(t, "ACK") // it waits
	b = start(t, `
route {
	t_newtran();
	t_relay();
	$ru = "sip:carol@192.0.2.8;transport=tls";
	t_inject_branches("msg", "cancel,last");
	xlog("$rc");
}
`)
	b.send(t, "INVITE")
	out = b.want(t, "100 INVITE INVITE", "1")
	b.answer(t, out[1], "180 Ringing")
	b.want(t, "CANCEL 180")
	b.answer(t, out[2], "200 OK")
	b.want(t, "200")
}

// The branch that is waited for is a phone, behind those that were sent, as long as it is waited for.
func TestBranchType(t *testing.T) {
	b := start(t, `
route {
	t_newtran();
	t_wait_for_new_branches();
	t_on_reply("r");
	t_relay();
}
onreply_route[r] {
	if ($rs == 183) t_wait_no_more_branches();
	xlog("$tm.branch.type $(tm.branch.type[0]) $(tm.branch.type[1]) $(tm.branch.type[1/active]) $(tm.branch.type[2])");
}
`)
	b.send(t, "INVITE")
	out := b.want(t, "100 INVITE")
	b.answer(t, out[1], "180 Ringing")
	b.want(t, "180", "sip sip phone phone <null>")
	b.answer(t, out[1], "183 Progress")
	b.want(t, "183", "sip sip <null> <null> <null>")
}

// t_hash counts the transactions that there are.
func TestHash(t *testing.T) {
	b := start(t, `route { t_relay(); }`)
	hash := func() string {
		return string(b.Commands.Handle(context.Background(), []byte(`{"jsonrpc":"2.0","method":"t_hash","id":1}`)))
	}
	before := hash()
	b.send(t, "INVITE")
	if after := hash(); after == before || !strings.Contains(after, "1") {
		t.Errorf("%s, then %s", before, after)
	}
}

// t_flush_flags() keeps the flags that were set behind t_newtran() for the routes of the transaction.
func TestFlushFlags(t *testing.T) {
	b := start(t, `
route { t_on_branch("b"); t_newtran(); setflag(LATE); t_flush_flags(); t_relay(); }
branch_route[b] { if (isflagset(LATE)) xlog("late"); }
`)
	b.send(t, "INVITE")
	b.want(t, "100 INVITE", "late")
}
