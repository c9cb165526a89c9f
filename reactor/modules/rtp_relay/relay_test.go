package rtp_relay_test

import (
	"strings"
	"testing"

	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/rtp_relay"
)

func TestDocumented(t *testing.T) { moduletest.Documented(t, rtp_relay.New) }

// TestCall checks what is asked of rtpengine in the course of a call, with which flags, and that what comes back goes on.
func TestCall(t *testing.T) {
	e := newStub(t, true)
	c := newCall(t, e, nil, relaying(`$rtp_relay = "replace-origin"; $rtp_relay(iface) = "priv"; $rtp_relay_peer = "ICE=remove"; $rtp_relay_callee(iface) = "pub";
		$rtp_relay_caller(type) = "SRTP"; $rtp_relay(peer) = "trust-address"; $rtp_relay_ctx(flags) = "record-call"; $rtp_relay_ctx(delete) = "delete-delay=0";
		rtp_relay_engage("rtpengine", 3); xlog("$rtp_relay $rtp_relay_peer $rtp_relay(ip)");`))
	out := c.request("INVITE", "1", false, sdp(10000))
	if got := strings.Join(c.Log, "|"); got != "replace-origin ICE=remove <null>" {
		t.Error(got)
	}
	e.take(t, "offer from-tag=a via-branch=b0 flags=[record-call] replace=[origin] direction=[priv pub]")
	c.at(out[0], "40002")
	c.at(c.answer(out[0], "183 Session Progress", "b", sdp(20000)), "40004")
	e.take(t, "answer from-tag=a via-branch=b0 to-tag=b flags=[record-call trust-address] direction=[pub priv] transport-protocol=RTP/SAVP ICE=remove")
	c.at(c.answer(out[0], "200 OK", "b", sdp(20000)), "40006")
	e.take(t, "answer from-tag=a via-branch=b0 to-tag=b flags=[record-call trust-address] direction=[pub priv] transport-protocol=RTP/SAVP ICE=remove")
	c.request("ACK", "1", false, "")

	again := c.request("INVITE", "7", true, sdp(20002)) // of the callee
	e.take(t, "offer from-tag=b via-branch=b0 to-tag=a flags=[record-call trust-address] direction=[pub priv] transport-protocol=RTP/SAVP ICE=remove")
	c.at(again[0], "40008")
	c.at(c.answer(again[0], "200 OK", "", sdp(10002)), "40010")
	e.take(t, "answer from-tag=b via-branch=b0 to-tag=a flags=[record-call] replace=[origin] direction=[priv pub]")

	list := c.Command(t, "rtp_relay:list", nil)
	if !strings.Contains(list, `{"callid":"c1","from_tag":"a","to_tag":"b","engine":"rtpengine","set":3,"node":"`+e.url+`","state":4,"caller":{"flags":"replace-origin","iface":"priv","peer":"trust-address","type":"SRTP"},"callee":{"flags":"ICE=remove","iface":"pub"}}`) {
		t.Error(list)
	}
	for _, params := range []map[string]any{{"engine": "rtpproxy"}, {"engine": "rtpengine", "set": 0}, {"engine": "rtpengine", "node": "udp:x:1"}} {
		if got := c.Command(t, "rtp_relay_list", params); got != "[]" {
			t.Error(params, got)
		}
	}
	if got := c.Command(t, "rtp_relay_list", map[string]any{"set": 3}); !strings.Contains(got, "go with an engine") {
		t.Error(got)
	}

	c.request("BYE", "2", false, "")
	e.ends(t, "delete from-tag=a delete-delay=0")
	if got := c.Command(t, "rtp_relay:list", nil); got != "[]" {
		t.Error(got)
	}
}

// TestLateOffer has the callee offer, and the caller answer in the ACK.
func TestLateOffer(t *testing.T) {
	e := newStub(t, true)
	c := newCall(t, e, nil, relaying(`rtp_relay_engage("rtpengine");`))
	out := c.request("INVITE", "1", false, "")
	c.at(c.answer(out[0], "200 OK", "b", sdp(20000)), "40002")
	c.at(c.request("ACK", "1", false, sdp(10000))[0], "40004")
	e.take(t, "offer from-tag=b via-branch=b0 to-tag=a", "answer from-tag=b via-branch=b0 to-tag=a")
	again := c.request("INVITE", "2", false, "") // once more, within the call
	c.at(c.answer(again[0], "200 OK", "", sdp(20002)), "40006")
	c.at(c.request("ACK", "2", false, sdp(10002))[0], "40008")
	c.at(c.request("UPDATE", "3", false, sdp(10004))[0], "40010")
	e.take(t, "offer from-tag=b via-branch=b0 to-tag=a", "answer from-tag=b via-branch=b0 to-tag=a", "offer from-tag=a via-branch=b0 to-tag=b")
}

// TestRefusedAnswer: an ACK that the script refuses has no answer to a late offer, and the one that it lets pass has.
func TestRefusedAnswer(t *testing.T) {
	e := newStub(t, true)
	c := newCall(t, e, nil, strings.Replace(relaying(`rtp_relay_engage("rtpengine");`), "t_relay();", `if (is_method("ACK") && !validate_dialog()) exit; t_relay();`, 1))
	out := c.request("INVITE", "1", false, "")
	c.at(c.answer(out[0], "200 OK", "b", sdp(20000)), "40002")
	e.take(t, "offer from-tag=b via-branch=b0 to-tag=a")
	routes := c.routes
	c.routes = append(routes[:1:1], "Route: <sip:198.51.100.66;transport=tls;lr>")
	if sent := c.request("ACK", "1", false, sdp(6666)); len(sent) > 0 {
		t.Fatal(sent)
	}
	e.take(t)
	c.routes = routes
	c.at(c.request("ACK", "1", false, sdp(10000))[0], "40004")
	e.take(t, "answer from-tag=b via-branch=b0 to-tag=a")
}

// TestForkedLateOffer has two callees that ring offer, and the caller answer each in its PRACK; the other order, too.
func TestForkedLateOffer(t *testing.T) {
	e := newStub(t, true)
	c := newCall(t, e, nil, relaying(`append_branch("sip:bob2@192.0.2.8;transport=tls"); rtp_relay_engage("rtpengine");`))
	out := c.request("INVITE", "1", false, "")
	if len(out) != 2 {
		t.Fatal(c.Sent)
	}
	rings := func(i int, tag, at string) {
		c.at(c.answer(out[i], "183 Session Progress\r\nRequire: 100rel\r\nRSeq: 1", tag, sdp(20000)), at)
	}
	rings(0, "b", "40002")
	rings(1, "b2", "40004")
	e.take(t, "offer from-tag=b via-branch=b0 to-tag=a", "offer from-tag=b2 via-branch=b1 to-tag=a")
	_, route, _ := strings.Cut(out[0], "\r\nRecord-Route: ")
	route, _, _ = strings.Cut(route, "\r\n")
	prack := func(cseq, tag, at string) {
		c.toTag, c.routes = tag, []string{"Route: " + route}
		if sent := c.request("PRACK", cseq, false, sdp(10000)); len(sent) == 1 {
			c.at(sent[0], at)
		} else {
			t.Fatalf("%d were sent: %q", len(sent), c.Log)
		}
	}
	prack("2", "b2", "40006")
	prack("3", "b", "40008")
	e.take(t, "answer from-tag=b2 via-branch=b1 to-tag=a", "answer from-tag=b via-branch=b0 to-tag=a")
	prack("4", "b", "40010") // which offers, as nothing is to be answered
	e.take(t, "offer from-tag=a via-branch=b0 to-tag=b")
}

// TestGlare: re-INVITEs that cross and are both refused leave the media as it was for what comes next, from either side.
func TestGlare(t *testing.T) {
	e := newStub(t, true)
	c := newCall(t, e, nil, relaying(`rtp_relay_engage("rtpengine");`))
	out := c.request("INVITE", "1", false, sdp(10000))
	c.answer(out[0], "200 OK", "b", sdp(20000))
	c.request("ACK", "1", false, "")
	e.take(t, "offer from-tag=a via-branch=b0", "answer from-tag=a via-branch=b0 to-tag=b")
	ours, theirs := c.request("INVITE", "2", false, ""), c.request("INVITE", "7", true, sdp(20002))
	e.take(t, "offer from-tag=b via-branch=b0 to-tag=a")
	for _, again := range [][]string{ours, theirs} {
		if got := c.answer(again[0], "491 Request Pending", "", ""); !strings.HasPrefix(got, "SIP/2.0 491 ") {
			t.Errorf("it gets %q", got)
		}
	}
	e.take(t)
	late := c.request("INVITE", "3", false, "")
	c.answer(late[0], "200 OK", "", sdp(20004))
	if sent := c.request("ACK", "8", true, sdp(6666)); len(sent) != 1 { // of the callee, for nothing
		t.Fatal(c.Log)
	}
	c.request("ACK", "3", false, sdp(10004))
	e.take(t, "offer from-tag=b via-branch=b0 to-tag=a", "answer from-tag=b via-branch=b0 to-tag=a")
}

// TestBranches has branches be calls of their own for rtpproxy, each with its flags, of which one stays.
func TestBranches(t *testing.T) {
	p := newStub(t, false)
	c := newCall(t, nil, p, relaying(`$rtp_relay = "r"; $(rtp_relay[1]) = "ro"; append_branch("sip:bob2@192.0.2.8;transport=tls"); append_branch("sip:bob3@192.0.2.7;transport=tls");
		t_on_branch("b"); rtp_relay_engage("rtpproxy");`, `branch_route[b] { if ($ru =~ "bob3") { $rtp_relay_peer(disabled) = 1; } if ($ru =~ "bob2") $rtp_relay = "w"; }`))
	out := c.request("INVITE", "1", false, sdp(10000))
	if len(out) != 3 {
		t.Fatal(c.Sent)
	}
	p.take(t, "U c1 127.0.0.1 10000 a;1", "U c1;branch=1 127.0.0.1 10000 a;1")
	c.at(out[0], "40002")
	c.at(out[1], "40004")
	if !strings.Contains(out[1], "o=- 1 1 IN IP4 127.0.0.1") {
		t.Error(out[1])
	}
	c.at(out[2], "10000")
	c.at(c.answer(out[0], "183 Session Progress", "b", sdp(20000)), "40006")
	p.take(t, "L c1 192.0.2.9 20000 a;1 b;1")
	c.at(c.answer(out[1], "200 OK", "b2", sdp(30000)), "40008")
	p.take(t, "LW c1;branch=1 192.0.2.9 30000 a;1 b2;1")
	p.ends(t, "D c1 a b")
	c.request("ACK", "1", false, "")
	c.request("BYE", "2", false, "")
	p.ends(t, "D c1 a b", "D c1;branch=1 a b2")
}

// TestFailure has the media of a call that fails be ended, and that of a retry begin.
func TestFailure(t *testing.T) {
	p := newStub(t, false)
	c := newCall(t, nil, p, relaying(`t_on_failure("f"); rtp_relay_engage("rtpproxy");`, `failure_route[f] { $ru = "sip:bob2@192.0.2.8;transport=tls"; t_relay(); }`))
	out := c.request("INVITE", "1", false, sdp(10000))
	c.answer(out[0], "486 Busy Here", "b", "")
	var again string
	for _, s := range c.Sent {
		if strings.HasPrefix(s.Text, "INVITE ") {
			again = s.Text
		}
	}
	p.take(t, "U c1 10.0.0.9 10000 a;1", "U c1;branch=1 10.0.0.9 10000 a;1")
	p.ends(t, "D c1 a")
	c.at(again, "40004")
	c.answer(again, "500 No", "b", "")
	p.ends(t, "D c1 a", "D c1;branch=1 a")
}

// TestEngageBranch engages one branch alone.
func TestEngageBranch(t *testing.T) {
	e := newStub(t, true)
	c := newCall(t, e, nil, relaying(`append_branch("sip:bob2@192.0.2.8;transport=tls"); t_on_branch("b");`,
		`branch_route[b] { if ($ru =~ "bob2") rtp_relay_engage("rtpengine"); }`))
	out := c.request("INVITE", "1", false, sdp(10000))
	c.at(out[0], "10000")
	c.at(out[1], "40002")
	c.at(c.answer(out[0], "183 Session Progress", "b", sdp(20000)), "20000")
	c.at(c.answer(out[1], "183 Session Progress", "b2", sdp(20000)), "40004")
}

// TestSilent has a call go on when no relay answers.
func TestSilent(t *testing.T) {
	e := newStub(t, false) // which does not speak ng
	c := newCall(t, e, nil, `modparam("rtpengine", "rtpengine_retr", 0)`+relaying(`rtp_relay_engage("rtpengine");`))
	out := c.request("INVITE", "1", false, sdp(10000))
	c.at(out[0], "10000")
}

func TestWrong(t *testing.T) {
	head := moduletest.Head("tm", "dialog", "rtpengine", "rtpproxy", "rtp_relay") + "modparam(\"rtpengine\", \"rtpengine_sock\", \"udp:127.0.0.1:1\")\n"
	for statement, want := range map[string]string{
		`rtp_relay_engage("rtpengin");`: `there is no engine "rtpengin"`,
		`$rtp_relay(x) = "a";`:          `"x" is none of flags, peer`,
		`$rtp_relay_ctx(ip) = "a";`:     `"ip" is none of callid`,
		`$(rtp_relay[*]) = "a";`:        "number of a branch",
	} {
		if got := moduletest.Wrong(t, head+"route { "+statement+" }", modules...); !strings.Contains(got, want) {
			t.Errorf("%s: %s", statement, got)
		}
	}
	if got := moduletest.Wrong(t, moduletest.Head("tm", "dialog", "rtp_relay")+"route { exit; }", modules...); !strings.Contains(got, "needs one of the modules") {
		t.Error(got)
	}
}
