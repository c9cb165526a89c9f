package main

import (
	"regexp"
	"strings"
	"testing"
)

var contactURI = regexp.MustCompile(`<([^>]*)>`)

// sentContact is the URI of the Contact that the main registrar was told.
func sentContact(request string) string { return contactURI.FindStringSubmatch(request)[1] }

// TestMidMirrors has every REGISTER relayed, with a Contact of ours, and keeps what the main registrar says.
func TestMidMirrors(t *testing.T) {
	t.Parallel()
	m := startMid(t, "")
	p := m.phone()
	p.register(`Contact: "Alice" <`+p.uri()+`;ob;x=1>;q=0.5;reg-id=1;+sip.instance="<urn:uuid:1>"`, "Expires: 100", "Path: <sip:edge;lr>", "Supported: path, outbound")
	request := m.asked()
	got := brief(t.Fatal, request)
	want := regexp.MustCompile(`^REGISTER sip:127\.0\.0\.1:\d+\|Contact: <sip:alice@` + regexp.QuoteMeta(m.udp) + `;x=1;ctid=[0-9a-f]+>;q=0.5;\+sip.instance="<urn:uuid:1>";expires=100$`)
	if !want.MatchString(got) {
		t.Errorf("the main registrar gets\n%s", got)
	}
	ours := sentContact(got)
	m.says(request, "401 Unauthorized", `WWW-Authenticate: Digest realm="example.org", nonce="n"`)
	p.want("401 Unauthorized")
	m.message(ours)
	if got := m.answer(); got != "404" {
		t.Errorf("a contact that was refused is called: %s", got)
	}

	p.register("Contact: <"+p.uri()+";ob>;q=0.5", "Expires: 100")
	request = m.asked()
	ours = sentContact(brief(t.Fatal, request))
	m.says(request, "200 OK", "Contact: <"+ours+">;q=0.5;expires=60, <sip:alice@192.0.2.1>;expires=7")
	p.want("200 OK|Contact: <" + p.uri() + ";ob>;q=0.5;expires=60, <sip:alice@192.0.2.1>;expires=7")
	m.message(ours)
	p.want("MESSAGE " + p.uri() + ";ob")
	m.message(strings.Replace(ours, "ctid=", "ctid=1", 1))
	if got := m.answer(); got != "404" {
		t.Errorf("the ID of nobody is called: %s", got)
	}

	p.register("Contact: <"+p.uri()+";ob>;q=0.5", "Expires: 100")
	request = m.asked()
	if got := sentContact(brief(t.Fatal, request)); got != ours {
		t.Errorf("the contact has another name: %s, was %s", got, ours)
	}
	m.says(request, "200 OK")
	p.want("200 OK|Contact: <" + p.uri() + ";ob>;q=0.5;expires=100")
	p.register("Contact: <"+p.uri()+";ob>", "Expires: 100")
	m.says(m.asked(), "200 OK", "Contact: <sip:alice@192.0.2.1>;expires=7")
	p.want("200 OK|Contact: <sip:alice@192.0.2.1>;expires=7")
	m.message(ours)
	if got := m.answer(); got != "404" {
		t.Errorf("a contact that the main registrar has no longer is called: %s", got)
	}

	p.register("Contact: *", "Expires: 5")
	p.want("400 Bad Request")
	p.register("Contact: *", "Expires: 0") // the script's 500 does not come between
	request = m.asked()
	if got := brief(t.Fatal, request); !strings.HasSuffix(got, "|Contact: *|Expires: 0") {
		t.Errorf("the main registrar gets\n%s", got)
	}
	m.says(request, "200 OK")
	p.want("200 OK")
}

// TestMidRequire: what a REGISTER requires and is served here the main registrar does not hear of, and it decides about all
// else, also where it would have been spared the REGISTER.
func TestMidRequire(t *testing.T) {
	t.Parallel()
	m := startMid(t, `modparam("mid_registrar", "mode", 1)
modparam("mid_registrar", "outgoing_expires", 600)
`)
	p := m.phone()
	contact := "Contact: <" + p.uri() + ">;expires=100"
	ask := func(require, want string) []byte {
		t.Helper()
		p.register(contact, "Supported: path", "Path: <sip:edge;lr>", "Require: "+require)
		request := m.asked()
		_, got, _ := strings.Cut(string(request), "\r\nRequire: ")
		if got, _, _ = strings.Cut(got, "\r\n"); got != want {
			t.Errorf("with Require: %s the main registrar is asked for %q, want %q", require, got, want)
		}
		return request
	}
	request := ask("path, Outbound", "")
	m.says(request, "200 OK", "Contact: <"+sentContact(brief(t.Fatal, request))+">;expires=600")
	p.want("200 OK|Contact: <" + p.uri() + ">;q=0;expires=100|Path: <sip:edge;lr>")
	p.register(contact, "Supported: path", "Path: <sip:edge;lr>", "Require: path")
	p.want("200 OK|Contact: <" + p.uri() + ">;q=0;expires=100|Path: <sip:edge;lr>")
	m.says(ask("path, x1", "x1"), "420 Bad Extension", "Unsupported: x1")
	p.want("420 Bad Extension")
}

// TestMidRefusesParametersThatAreNone has the script give parameters for our Contact that could not stand in a URI: what
// would be relayed with the phone's own Contact is not relayed, and the log says why.
func TestMidRefusesParametersThatAreNone(t *testing.T) {
	t.Parallel()
	m := startMidScript(t, "modparam(\"mid_registrar\", \"extra_contact_params_avp\", \"$avp(extra)\")\n", func(script string) string {
		const save = `mid_registrar_save("location", "p1");`
		return strings.Replace(script, save, "$avp(extra) = $hdr(X-Extra);\n"+save, 1)
	})
	p := m.phone()
	for _, extra := range []string{"a=b", ";a=b>", ";a=b?c=d", ";a=b\xff"} {
		p.register("Contact: <"+p.uri()+">;expires=100", "X-Extra: "+extra)
		p.want("500 Server Internal Error 2")
	}
	m.log.wait(t, "extra_contact_params_avp has")
	p.register("Contact: <"+p.uri()+">;expires=100", "X-Extra: ;a=b")
	if got := brief(t.Fatal, m.asked()); !strings.Contains(got, ";a=b>;expires=100") {
		t.Errorf("the main registrar gets\n%s", got)
	}
}
