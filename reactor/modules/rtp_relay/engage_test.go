package rtp_relay_test

import (
	"strings"
	"testing"
)

// TestRTPProxyEngage has rtpproxy_engage() follow a call without rtp_relay's doing.
func TestRTPProxyEngage(t *testing.T) {
	p := newStub(t, false)
	c := newCall(t, nil, p, relaying(`rtpproxy_engage("o", "192.0.2.77", , $var(node)); xlog("$rc $var(node)");`))
	out := c.request("INVITE", "1", false, sdp(10000))
	if got := strings.Join(c.Log, "|"); got != "1 "+p.url {
		t.Error(got)
	}
	c.at(out[0], "40002")
	if !strings.Contains(out[0], "o=- 1 1 IN IP4 192.0.2.77") || !strings.Contains(out[0], "c=IN IP4 192.0.2.77") {
		t.Error(out[0])
	}
	c.at(c.answer(out[0], "200 OK", "b", sdp(20000)), "40004")
	c.request("ACK", "1", false, "")
	again := c.request("INVITE", "7", true, sdp(20002))
	c.at(again[0], "40006")
	c.at(c.answer(again[0], "200 OK", "", sdp(10002)), "40008")
	c.request("BYE", "2", false, "")
	p.take(t, "U c1 10.0.0.9 10000 a;1", "L c1 192.0.2.9 20000 a;1 b;1", "U c1 192.0.2.9 20002 b;1 a;1", "L c1 192.0.2.9 10002 b;1 a;1")
	p.ends(t, "D c1 a b")
}
