package uac_test

import (
	"net/netip"
	"regexp"
	"strings"
	"testing"

	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/rr"
	"sipreactor/reactor/modules/signaling"
	"sipreactor/reactor/modules/sl"
	"sipreactor/reactor/modules/tm"
	"sipreactor/reactor/modules/uac"
	"sipreactor/reactor/modules/uac_auth"
	"sipreactor/reactor/script"
)

var (
	modules = []script.Constructor{tm.New, sl.New, signaling.New, rr.New, uac.New, uac_auth.New}
	head    = moduletest.Head("tm", "sl", "signaling", "rr", "uac", "uac_auth")
)

// request is a request of a caller's; more replaces lines of the same name.
func request(line string, more ...string) []byte {
	method, _, _ := strings.Cut(line, " ")
	lines := []string{line + " SIP/2.0", "Via: SIP/2.0/TLS 10.0.0.9:40000;branch=z9hG4bK" + method, "Max-Forwards: 70",
		`From: "Alice A." <sip:alice@example.net>;tag=a`, "To: <sip:bob@example.net>", "Call-ID: c1", "CSeq: 7 " + method, "Content-Length: 0"}
	for _, m := range more {
		name, _, _ := strings.Cut(m, ":")
		found := false
		for i := range lines {
			if strings.HasPrefix(lines[i], name+":") {
				lines[i], found = m, true
			}
		}
		if !found {
			lines = append(lines, m)
		}
	}
	return []byte(strings.Join(lines, "\r\n") + "\r\n\r\n")
}

// answer has the callee answer a request.
func answer(t *testing.T, b *moduletest.Bench, to moduletest.Sent, status string, more ...string) {
	t.Helper()
	b.Log, b.Sent = nil, nil
	b.Context.Receive(to.Answer(t, status, more...), moduletest.Callee(netip.MustParseAddrPort("192.0.2.9:5061")))
}

// line gives a header of the message that was sent last.
func line(t *testing.T, b *moduletest.Bench, name string) string {
	t.Helper()
	if len(b.Sent) == 0 {
		t.Fatalf("nothing was sent; log %q", b.Log)
	}
	for l := range strings.SplitSeq(b.Sent[len(b.Sent)-1].Text, "\r\n") {
		if v, ok := strings.CutPrefix(l, name+": "); ok {
			return v
		}
	}
	return ""
}

const bob = "sip:bob@192.0.2.9;transport=tls"

// The documentation's examples.
func TestReplace(t *testing.T) {
	for call, want := range map[string]string{
		`uac_replace_from("Bat Man", "sip:batman@gotham.org")`: `Bat Man <sip:batman@gotham.org>;tag=a`,
		`uac_replace_from("batman", "")`:                       `batman <sip:alice@example.net>;tag=a`,
		`uac_replace_from("", "sip:robin@gotham.org")`:         `<sip:robin@gotham.org>;tag=a`,
		`uac_replace_from("", "")`:                             `<sip:alice@example.net>;tag=a`,
		`uac_replace_from( , "sip:batman@gotham.org")`:         `"Alice A." <sip:batman@gotham.org>;tag=a`,
		`uac_replace_from("sip:batman@gotham.org")`:            `"Alice A." <sip:batman@gotham.org>;tag=a`,
	} {
		b := moduletest.New(t, head+"route { "+call+"; t_relay(); }", modules...)
		b.Receive(request("INVITE " + bob))
		if got := line(t, b, "From"); got != want {
			t.Errorf("%s: %s, want %s; log %q", call, got, want, b.Log)
		}
	}
}

var parameter = regexp.MustCompile(`<([^>]*vsf=[^>]*)>`)

// The callee sees another caller in the whole dialog, and the caller itself.
func TestDialog(t *testing.T) {
	for _, password := range []string{"", `modparam("uac", "restore_passwd", "secret")`} {
		b := moduletest.New(t, head+password+`
route {
	if (loose_route()) { t_relay(); exit; }
	record_route();
	uac_replace_from("", "sip:anonymous@anonymous.invalid");
	t_relay();
}
`, modules...)
		b.Receive(request("INVITE " + bob))
		if got := line(t, b, "From"); got != "<sip:anonymous@anonymous.invalid>;tag=a" {
			t.Fatal(got)
		}
		invite := b.Sent[len(b.Sent)-1]
		route := parameter.FindStringSubmatch(invite.Text)
		if route == nil {
			t.Fatal(invite.Text)
		}
		answer(t, b, invite, "180 Ringing")
		if got := line(t, b, "From"); got != `"Alice A." <sip:alice@example.net>;tag=a` {
			t.Error(got)
		}
		answer(t, b, invite, "486 Busy Here")
		if got := line(t, b, "From"); got != `"Alice A." <sip:alice@example.net>;tag=a` {
			t.Error(got)
		}
		b.Receive(request("BYE "+bob, "Route: <"+route[1]+">", "To: <sip:bob@example.net>;tag=b", "CSeq: 8 BYE"))
		if got := line(t, b, "From"); got != `"Alice A." <sip:anonymous@anonymous.invalid>;tag=a` {
			t.Errorf("%s; log %q", got, b.Log)
		}
		answer(t, b, b.Sent[len(b.Sent)-1], "200 OK")
		if got := line(t, b, "From"); got != `"Alice A." <sip:alice@example.net>;tag=a` {
			t.Error(got)
		}
		b.Receive(request("BYE sip:alice@192.0.2.9;transport=tls", "Via: SIP/2.0/TLS 10.0.0.9:40000;branch=z9hG4bKup", "Route: <"+route[1]+">", "From: <sip:bob@example.net>;tag=b", "To: <sip:anonymous@anonymous.invalid>;tag=a"))
		if got := line(t, b, "To"); got != `<sip:alice@example.net>;tag=a` {
			t.Errorf("%s; log %q", got, b.Log)
		}
		b.Receive(request("BYE "+bob, "Via: SIP/2.0/TLS 10.0.0.9:40000;branch=z9hG4bKfake", "Route: <"+strings.Replace(route[1], "vsf=", "vsf=AA", 1)+">", "To: <sip:bob@example.net>;tag=b", "CSeq: 9 BYE"))
		if got := line(t, b, "From"); got != `"Alice A." <sip:alice@example.net>;tag=a` {
			t.Errorf("%s; log %q", got, b.Log)
		}
	}
}

// A challenge is answered once; CSeq differs from then on.
func TestAuth(t *testing.T) {
	b := moduletest.New(t, head+`
modparam("uac_auth", "credential", "user:gateway:secret")
modparam("uac_auth", "auth_realm_avp", "$avp(realm)")
modparam("uac_auth", "auth_username_avp", "$avp(user)")
modparam("uac_auth", "auth_password_avp", "$avp(password)")
route {
	if (loose_route()) { t_relay(); exit; }
	record_route();
	$ru = "sip:out@192.0.2.9;transport=tls";
	t_on_failure("auth");
	t_relay();
}
failure_route[auth] {
	if (!t_check_status("40[17]")) exit;
	$avp(realm) = "other"; $avp(user) = "u"; $avp(password) = "p";
	t_on_failure("auth");
	if (uac_auth()) t_relay(); else xlog("no");
}
`, modules...)
	b.Receive(request("INVITE " + bob))
	first := b.Sent[len(b.Sent)-1]
	answer(t, b, first, "401 Unauthorized", `WWW-Authenticate: Digest realm="none", nonce="x"`, `WWW-Authenticate: Digest realm="gateway", nonce="abc", algorithm=SHA-256, qop="auth"`)
	got := line(t, b, "Authorization")
	for _, want := range []string{`username="user"`, `realm="gateway"`, `uri="sip:out@192.0.2.9;transport=tls"`, "algorithm=SHA-256", "qop=auth", "nc=00000001"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in %s; log %q", want, got, b.Log)
		}
	}
	if got := line(t, b, "CSeq"); got != "8 INVITE" {
		t.Error(got)
	}
	second := b.Sent[len(b.Sent)-1]
	answer(t, b, second, "407 Proxy Authentication Required", `Proxy-Authenticate: Digest realm="other", nonce="abc", algorithm=MD5`)
	if got := line(t, b, "Proxy-Authorization"); !strings.Contains(got, `username="u"`) {
		t.Errorf("%q; log %q", got, b.Log)
	}
	if line(t, b, "Authorization") == "" || line(t, b, "CSeq") != "9 INVITE" {
		t.Error(b.Sent[len(b.Sent)-1].Text)
	}
	third := b.Sent[len(b.Sent)-1]
	answer(t, b, third, "180 Ringing")
	if got := line(t, b, "CSeq"); got != "7 INVITE" {
		t.Error(got)
	}
	route := regexp.MustCompile(`Record-Route: (<[^>]*vsc=2[^>]*>)`).FindStringSubmatch(third.Text)
	if route == nil {
		t.Fatal(third.Text)
	}
	b.Receive(request("INFO "+bob, "Route: "+route[1], "To: <sip:bob@example.net>;tag=b", "CSeq: 8 INFO"))
	if got := line(t, b, "CSeq"); got != "10 INFO" {
		t.Errorf("%s; log %q", got, b.Log)
	}
	answer(t, b, third, "401 Unauthorized", `WWW-Authenticate: Digest realm="gateway", nonce="abc2"`)
	if got := b.Status(); !strings.Contains(got, "401") {
		t.Errorf("%s; log %q", got, b.Log)
	}
	if got := line(t, b, "CSeq"); got != "7 INVITE" {
		t.Error(got)
	}
}

func TestErrors(t *testing.T) {
	got := moduletest.Wrong(t, head+`
modparam("uac", "restore_mode", "always")
modparam("uac", "rr_from_store_param", "a b")
modparam("uac_auth", "credential", "user:realm")
modparam("uac_auth", "auth_realm_avp", "$avp(realm)")
route { uac_auth(); }
failure_route[f] { uac_auth("MD4"); }
`, modules...)
	for _, want := range []string{"is none, manual or auto", "no name of a parameter", "user:realm:password", "set together", "uac_auth() cannot be used in route", "MD4 is none"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

func TestDocumented(t *testing.T) { moduletest.Documented(t, uac.New, uac_auth.New) }
