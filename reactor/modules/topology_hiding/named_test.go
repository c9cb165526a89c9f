package topology_hiding_test

import (
	"net/url"
	"strings"
	"testing"
)

// TestNamedCalls: who names a call of which each side knows another Call-ID is understood by the other side, and tells it
// nothing of its own.
func TestNamedCalls(t *testing.T) {
	c := newCall(t, routes, `"C"`)
	c.ids[0] = "c1@10.0.0.9"
	c.up()
	mine, theirs := c.ids[0], c.ids[1]
	refer := func(id string) string {
		return "Refer-To: <sip:carol@example.com?a=b&replaces=" + url.QueryEscape(id+";to-tag=b;from-tag=a") + "&c=d>"
	}
	replaces := func(text string) string {
		t.Helper()
		to := header(t, text, "Refer-To")
		_, q, _ := strings.Cut(strings.Trim(to, "<>"), "?")
		v, err := url.ParseQuery(q)
		if err != nil || v.Get("a") != "b" || v.Get("c") != "d" || !strings.HasPrefix(to, "<sip:carol@example.com?") {
			t.Errorf("%v: %s", err, to)
		}
		return v.Get("replaces")
	}
	c.request("REFER", "2", false, refer(mine))
	if got := replaces(c.sent(&c.outer, "REFER ")); got != theirs+";to-tag=b;from-tag=a" {
		t.Errorf("the callee is referred to %s", got)
	}
	c.request("REFER", "3", true, refer(theirs))
	if got := replaces(c.sent(&c.inner, "REFER ")); got != mine+";to-tag=b;from-tag=a" {
		t.Errorf("the caller is referred to %s", got)
	}
	for _, id := range []string{mine, theirs} { // the one who knows it by the other may have been referred
		for _, x := range []struct{ name, value, want string }{
			{"Replaces", id + " ;to-tag=b;from-tag=a;early-only", theirs + " ;to-tag=b;from-tag=a;early-only"},
			{"Replaces", id + ";from-tag=b;to-tag=a", mine + ";from-tag=b;to-tag=a"},
			{"Join", id + ";to-tag=b;from-tag=a", theirs + ";to-tag=b;from-tag=a"},
			{"Target-Dialog", id + ";local-tag=a;remote-tag=b", theirs + ";local-tag=a;remote-tag=b"},
			{"Replaces", id + ";to-tag=x;from-tag=a", id + ";to-tag=x;from-tag=a"}, // no call
			{"Replaces", id, id},
		} {
			c.receive([]string{"INVITE sip:bob@192.0.2.9;transport=tls SIP/2.0", "Via: SIP/2.0/TLS 10.1.1.2:5061;branch=z9hG4bK-inn-" + url.QueryEscape(x.name+x.value), "Max-Forwards: 70",
				"From: <sip:dora@example.net>;tag=d", "To: <sip:bob@example.net>", "Call-ID: " + url.QueryEscape(x.name+x.value), "CSeq: 1 INVITE",
				"Contact: <sip:dora.inner@10.0.0.9:40000>", x.name + ": " + x.value}, c.Source)
			out := c.sent(&c.outer, "INVITE ")
			if got := header(t, out, x.name); got != x.want {
				t.Errorf("%s: %s arrives as %s, want %s", x.name, x.value, got, x.want)
			}
			c.outer = c.outer[:len(c.outer)-1]
		}
	}
	c.seek()
}
