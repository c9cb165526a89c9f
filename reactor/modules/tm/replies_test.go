package tm_test

import "testing"

// A branch's own onreply_route runs before that of its transaction, which goes for all branches; a provisional response that
// the first one drops is not seen by the second.
func TestRepliesOfBranchAndTransaction(t *testing.T) {
	b := start(t, `
route {
	t_on_reply("all");
	t_on_branch("each");
	t_relay();
}
branch_route[each] { t_on_reply("one"); }
onreply_route[all] { xlog("all $rs"); }
onreply_route[one] {
	xlog("one $rs");
	if ($rs == 183) drop;
}
`)
	b.send(t, "INVITE")
	out := b.want(t, "100 INVITE")
	b.answer(t, out[1], "183 Progress")
	b.want(t, "", "one 183")
	b.answer(t, out[1], "180 Ringing")
	b.want(t, "180", "one 180", "all 180")
}

// The same route for both runs once.
func TestRepliesByOneRoute(t *testing.T) {
	b := start(t, `
route {
	t_on_reply("all");
	t_on_branch("each");
	t_relay();
}
branch_route[each] { t_on_reply("all"); }
onreply_route[all] { xlog("all $rs"); }
`)
	b.send(t, "INVITE")
	out := b.want(t, "100 INVITE")
	b.answer(t, out[1], "180 Ringing")
	b.want(t, "180", "all 180")
}

// The Request-URI of the request is read in an onreply_route as the request's route has left it.
func TestRequestURIInReplies(t *testing.T) {
	b := start(t, `
route {
	if ($hdr(X-Plain) == NULL) $ru = "sip:robert@192.0.2.9;transport=tls";
	t_on_reply("all");
	t_relay();
}
onreply_route[all] { xlog("$(<request>ru) $(<request>rU) $ru"); }
`)
	b.send(t, "INVITE")
	out := b.want(t, "100 INVITE")
	b.answer(t, out[1], "180 Ringing")
	b.want(t, "180", "sip:robert@192.0.2.9;transport=tls robert <null>")
	b.send(t, "INVITE", "X-Plain: 1", "Call-ID: plain")
	out = b.want(t, "100 INVITE")
	b.answer(t, out[1], "180 Ringing")
	b.want(t, "180", "sip:bob@192.0.2.9;transport=tls bob <null>")
}

// What a branch_route makes of the message's flags is seen by the next branch and by who looks afterwards.
func TestFlagsOfBranchRoutes(t *testing.T) {
	b := start(t, `
route {
	setflag(FIRST);
	append_branch("sip:carol@192.0.2.9;transport=tls");
	t_on_branch("each");
	t_on_failure("failed");
	t_relay();
	xlog("route $mf");
}
branch_route[each] {
	xlog("$rU $mf");
	resetflag(FIRST);
	setflag(SEEN);
}
failure_route[failed] { xlog("failed $mf"); }
`)
	b.send(t, "INVITE")
	out := b.want(t, "100 INVITE INVITE", "bob FIRST", "carol SEEN", "route SEEN")
	b.answer(t, out[1], "486 Busy Here")
	b.want(t, "ACK")
	b.answer(t, out[2], "486 Busy Here")
	b.want(t, "ACK 486", "failed SEEN")
}
