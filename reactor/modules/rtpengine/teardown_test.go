package rtpengine

import (
	"net/netip"
	"strings"
	"testing"

	"sipreactor/reactor"
	"sipreactor/reactor/modules/dialog"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/rr"
	"sipreactor/reactor/modules/sl"
	"sipreactor/reactor/modules/tm"
)

// TestTeardown: rtpengine ends a call by its Call-ID; of none there is an error.
func TestTeardown(t *testing.T) {
	text := moduletest.Head("tm", "sl", "rr", "dialog", "rtpengine") + "modparam(\"rtpengine\", \"rtpengine_sock\", \"udp:127.0.0.1:9\")\n" +
		`route { create_dialog(); $du = "sip:192.0.2.9:5061;transport=tls"; t_relay(); }`
	b := moduletest.New(t, text, tm.New, sl.New, rr.New, dialog.New, New)
	b.Receive(moduletest.Invite)
	if got := b.Command(t, "teardown", []any{"nobody's"}); !strings.Contains(got, "not found") {
		t.Error(got)
	}
	if len(b.Sent) == 0 {
		t.Fatalf("nothing is sent: %q", b.Log)
	}
	invite := b.Sent[len(b.Sent)-1]
	head, _, _ := strings.Cut(invite.Text, "\r\n\r\n")
	text = "SIP/2.0 200 OK\r\n"
	for _, line := range strings.Split(head, "\r\n")[1:] {
		switch name, _, _ := strings.Cut(line, ":"); name {
		case "Via", "From", "Call-ID", "CSeq":
			text += line + "\r\n"
		case "To":
			text += line + ";tag=b\r\n"
		}
	}
	b.Context.Receive([]byte(text+"Contact: <sip:bob@192.0.2.9:5061;transport=tls>\r\nContent-Length: 0\r\n\r\n"), &reactor.Source{Conn: 9, Proto: reactor.TLS,
		Outbound: true, Socket: moduletest.Sockets[0], Remote: netip.MustParseAddrPort("192.0.2.9:5061"), Local: moduletest.Sockets[0].Addr})
	if got := b.Command(t, "teardown", []any{invite.Header("Call-ID")}); got != `"OK"` {
		t.Errorf("%s: %s", invite.Header("Call-ID"), got)
	}
}
