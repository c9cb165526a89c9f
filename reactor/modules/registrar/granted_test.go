package registrar_test

import (
	"net/netip"
	"strings"
	"testing"

	"sipreactor/reactor"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/tm"
	"sipreactor/sipframe"
)

// TestGranted: what another registrar has granted is kept, for as long as that says.
func TestGranted(t *testing.T) {
	const routes = `
modparam("tm", "onreply_avp_mode", 1)
modparam("registrar", "mcontact_avp", "$avp(sent)")
route {
	if ($rU == "who") { lookup("location", "", "sip:alice@example.org"); xlog("$rc $ru"); exit; }
	$avp(sent) = "sip:alice@edge.example.org:5061";
	t_on_reply("granted");
	$du = "sip:127.0.0.1:5200;transport=tls";
	t_relay();
}
onreply_route[granted] {
	if ($rs == 200) { save("location"); xlog("save $rc"); }
}
`
	for _, c := range []struct{ what, sent, status, granted, want string }{
		{"its own Contact", "Contact: <sip:a@10.0.0.9:5061;transport=tls>;expires=600", "200 OK", "Contact: <sip:x@h>;expires=9|Contact: <sip:a@10.0.0.9:5061;transport=tls>;expires=120", "save 1|1 sip:a@10.0.0.9:5061;transport=tls"},
		{"the one that was written", "Contact: <sip:a@10.0.0.9:5061;transport=tls>", "200 OK", "Contact: <sip:x@h>;expires=0, <sip:alice@edge.example.org:5061>|Expires: 120", "save 1|1 sip:a@10.0.0.9:5061;transport=tls"},
		{"the only one", "Contact: <sip:a@10.0.0.9:5061;transport=tls>", "200 OK", "Contact: <sip:alice@other.example.org>;expires=120", "save 1|1 sip:a@10.0.0.9:5061;transport=tls"},
		{"others", "Contact: <sip:a@10.0.0.9:5061;transport=tls>", "200 OK", "Contact: <sip:x@h>;expires=120, <sip:y@h>;expires=120", "save 1|-1 sip:who@example.org"},
		{"none", "Contact: <sip:a@10.0.0.9:5061;transport=tls>", "200 OK", "", "save 1|-1 sip:who@example.org"},
		{"refused", "Contact: <sip:a@10.0.0.9:5061;transport=tls>", "403 Forbidden", "", "-1 sip:who@example.org"},
		{"gone", "Contact: <sip:a@10.0.0.9:5061;transport=tls>;expires=0", "200 OK", "", "save 1|-1 sip:who@example.org"},
	} {
		b := moduletest.New(t, moduletest.Head("tm", "signaling", "usrloc", "registrar")+routes, append(all, tm.New)...)
		b.Receive(register(1, c.sent))
		grant(t, b, c.status, c.granted)
		log := b.Log
		if len(b.Sent) != 1 || !strings.HasPrefix(b.Sent[0].Text, "SIP/2.0 "+c.status) {
			t.Errorf("%s: the phone gets %s", c.what, b.Status())
		}
		b.Receive([]byte(strings.Replace(strings.Replace(string(register(2, "")), "REGISTER sip:example.org", "OPTIONS sip:who@example.org", 1), "2 REGISTER", "2 OPTIONS", 1)))
		if got := strings.Join(append(log, b.Log...), "|"); got != c.want {
			t.Errorf("%s: %s, want %s", c.what, got, c.want)
		}
	}
	b := moduletest.New(t, moduletest.Head("tm", "signaling", "usrloc", "registrar")+`route { t_on_reply("r"); $du = "sip:127.0.0.1:5200;transport=tls"; t_relay(); } onreply_route[r] { save("location"); xlog("save $rc"); }`, append(all, tm.New)...)
	b.Receive(moduletest.Invite)
	if grant(t, b, "200 OK", ""); !strings.Contains(strings.Join(b.Log, "|"), "save -1") {
		t.Error(b.Log)
	}
}

// grant has who was sent the last request answer it.
func grant(t *testing.T, b *moduletest.Bench, status, headers string) {
	t.Helper()
	to := b.Sent[len(b.Sent)-1]
	m := new(sipframe.Message)
	if err := m.Parse([]byte(to.Text)); err != nil {
		t.Fatal(err)
	}
	text := "SIP/2.0 " + status + "\r\n"
	for i := range m.NumHeaders() {
		switch h := m.Header(i); h.Kind {
		case sipframe.HeaderVia, sipframe.HeaderFrom, sipframe.HeaderCallID, sipframe.HeaderCSeq:
			text += string(m.Bytes(h.Line))
		case sipframe.HeaderTo:
			text += "To: " + string(m.Bytes(h.Value)) + ";tag=b\r\n"
		}
	}
	for h := range strings.SplitSeq(headers, "|") {
		if h != "" {
			text += h + "\r\n"
		}
	}
	b.Log, b.Sent = nil, nil
	b.Context.Receive([]byte(text+"Content-Length: 0\r\n\r\n"), &reactor.Source{Conn: 9, Proto: reactor.TLS, Outbound: true, Socket: moduletest.Sockets[0],
		Remote: netip.AddrPortFrom(to.Target.Addr.Addr(), to.Target.Addr.Port()), Local: moduletest.Sockets[0].Addr})
}
