package uac_redirect_test

import (
	"net/netip"
	"strings"
	"testing"

	"sipreactor/reactor"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/sl"
	"sipreactor/reactor/modules/tm"
	"sipreactor/reactor/modules/uac_redirect"
	"sipreactor/sipframe"
)

func TestDocumented(t *testing.T) { moduletest.Documented(t, uac_redirect.New) }

var callee = &reactor.Source{Conn: 9, Proto: reactor.TLS, Outbound: true, Socket: moduletest.Sockets[0],
	Remote: netip.MustParseAddrPort("192.0.2.9:5061"), Local: moduletest.Sockets[0].Addr}

// redirected has an INVITE redirected and returns the URIs of the requests that come of it.
func redirected(t *testing.T, params, failure string, contacts ...string) (uris []string, log []string) {
	t.Helper()
	b := moduletest.New(t, moduletest.Head("tm", "sl", "sipmsgops", "uac_redirect")+params+`
route { if (is_method("ACK")) { t_relay(); exit; } $ru = "sip:bob@192.0.2.9:5061;transport=tls"; t_on_failure("moved"); t_relay(); exit; }
failure_route[moved] { `+failure+` }
`, tm.New, sl.New, uac_redirect.New)
	b.Receive(moduletest.Invite)
	m := new(sipframe.Message)
	var sent string
	for _, s := range b.Sent {
		if strings.HasPrefix(s.Text, "INVITE") {
			sent = s.Text
		}
	}
	if err := m.Parse([]byte(sent)); err != nil {
		t.Fatal(err)
	}
	text := "SIP/2.0 302 Moved Temporarily\r\n"
	for i := range m.NumHeaders() {
		switch h := m.Header(i); h.Kind {
		case sipframe.HeaderVia, sipframe.HeaderFrom, sipframe.HeaderCallID, sipframe.HeaderCSeq:
			text += string(m.Bytes(h.Line))
		case sipframe.HeaderTo:
			text += "To: " + string(m.Bytes(h.Value)) + ";tag=b\r\n"
		default:
		}
	}
	for _, c := range contacts {
		text += "Contact: " + c + "\r\n"
	}
	b.Log, b.Sent = nil, nil
	b.Context.Receive([]byte(text+"Content-Length: 0\r\n\r\n"), callee)
	for _, s := range b.Sent {
		word := strings.Fields(s.Text)
		switch word[0] {
		case "INVITE":
			uris = append(uris, strings.TrimSuffix(strings.TrimPrefix(word[1], "sip:"), ";transport=tls"))
		case "SIP/2.0":
			if word[1] != "100" {
				uris = append(uris, word[1])
			}
		}
	}
	return uris, b.Log
}

// Contacts go by q, as many as are asked for, and none where the request has been.
func TestRedirects(t *testing.T) {
	tls := func(names ...string) (list []string) {
		for _, n := range names {
			name, q, _ := strings.Cut(n, " ")
			list = append(list, "<sip:"+name+";transport=tls>"+q)
		}
		return list
	}
	four := tls("a@192.0.2.1 ;q=0.1", "b@192.0.2.2 ;q=0.9", "c@192.0.2.3", "b@192.0.2.2 ;q=0.2")
	for _, c := range []struct {
		params, failure string
		contacts        []string
		want            string
	}{
		{"", `get_redirects("*"); t_relay();`, four, "c@192.0.2.3 b@192.0.2.2 a@192.0.2.1"},
		{"", `get_redirects("2:*"); t_relay();`, four, "c@192.0.2.3 b@192.0.2.2"},
		{"", `get_redirects("*:1"); t_relay();`, four, "c@192.0.2.3"},
		{"", `if (get_redirects("0")) t_relay(); else t_reply(404, "Nobody");`, tls("bob@192.0.2.9:5061"), "404"},
		{"", `if (get_redirects("0")) t_relay(); else t_reply(404, "Nobody");`, nil, "404"},
		{"", `get_redirects("*"); t_relay();`, []string{"<tel:+49>, <sip:d@192.0.2.4;transport=tls>;q=0.5, <sip:e@192.0.2.5;transport=tls>;q=0.7"}, "e@192.0.2.5 d@192.0.2.4"},
		{`modparam("uac_redirect", "deny_filter", "^sip:c@")`, `get_redirects("*"); t_relay();`, four, "b@192.0.2.2 a@192.0.2.1"},
		{`modparam("uac_redirect", "deny_filter", "^sip:c@")`, `set_deny_filter("^sip:b@", "reset_default"); get_redirects("*"); t_relay();`, four, "c@192.0.2.3 a@192.0.2.1"},
		{`modparam("uac_redirect", "default_filter", "deny")` + "\n" + `modparam("uac_redirect", "accept_filter", "^sip:c@")`, `set_accept_filter("^sip:a@", ""); get_redirects("*"); t_relay();`, four, "c@192.0.2.3 a@192.0.2.1"},
	} {
		if got, log := redirected(t, c.params, c.failure, c.contacts...); strings.Join(got, " ") != c.want {
			t.Errorf("%s %s: %q, want %s; log %q", c.params, c.failure, got, c.want, log)
		}
	}
}

func TestMistakes(t *testing.T) {
	head := moduletest.Head("tm", "sl", "sipmsgops", "uac_redirect")
	for text, want := range map[string]string{
		`failure_route[x] { get_redirects("many"); }`:           "expected total or total:branch",
		`failure_route[x] { set_deny_filter("a", "reset"); }`:   "expected reset_all",
		`failure_route[x] { set_deny_filter("(", ""); }`:        "(",
		`modparam("uac_redirect", "default_filter", "perhaps")`: "accept or deny",
		`route[x] { get_redirects("1"); }`:                      "cannot be used in route",
	} {
		if got := moduletest.Wrong(t, head+text+"\nroute { t_on_failure(\"x\"); exit; }\n", tm.New, sl.New, uac_redirect.New); !strings.Contains(got, want) {
			t.Errorf("%s: %s", text, got)
		}
	}
}
