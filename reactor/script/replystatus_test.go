package script

import (
	"strings"
	"testing"
)

// A response's status is changed on its way back, within what it means.
func TestChangeReplyStatus(t *testing.T) {
	b := newBench(t, allModules+`
route { forward("tls:192.0.2.5:5061"); }
onreply_route {
	if ($rs == 404 && !change_reply_status(480, "Gone for $rs")) xlog("not changed");
	if ($rs == 200 && !change_reply_status(404, "No")) xlog("not changed");
}
`)
	b.receive(invite)
	if len(b.peer.sent) != 1 {
		t.Fatalf("%d messages", len(b.peer.sent))
	}
	forwarded := b.peer.sent[0].text
	answer := func(status string) string {
		var lines []string
		for _, l := range strings.Split(forwarded, "\r\n") {
			for _, h := range []string{"Via:", "From:", "To:", "Call-ID:", "CSeq:"} {
				if strings.HasPrefix(l, h) {
					lines = append(lines, l)
				}
			}
		}
		b.receive([]byte("SIP/2.0 " + status + "\r\n" + strings.Join(lines, "\r\n") + "\r\nContent-Length: 0\r\n\r\n"))
		if len(b.peer.sent) != 1 {
			t.Fatalf("%s: %d messages; %v", status, len(b.peer.sent), b.log)
		}
		line, _, _ := strings.Cut(b.peer.sent[0].text, "\r\n")
		return line
	}
	for status, want := range map[string]string{
		"404 Not Found": "SIP/2.0 480 Gone for 404",
		"200 OK":        "SIP/2.0 200 OK",
		"486 Busy":      "SIP/2.0 486 Busy",
	} {
		if got := answer(status); got != want {
			t.Errorf("%s: %s, want %s", status, got, want)
		}
		if said := strings.Contains(strings.Join(b.log, "\n"), "not changed"); said != (status == "200 OK") {
			t.Errorf("%s: %v", status, b.log)
		}
	}
	if _, err := compile("x", []byte(allModules+`route { change_reply_status(500, "x"); }`)); err == nil || !strings.Contains(err.Error(), "change_reply_status") {
		t.Errorf("in the request route: %v", err)
	}
}
