package main

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"sipreactor/sipframe"
)

// mid is a mid-registrar between phones over TCP and a main registrar over UDP.
type mid struct {
	*testing.T
	main     *net.UDPConn
	udp, tcp string
	log      *output
	from     net.Addr // of the last request to the main registrar
}

// midPhone is a phone.
type midPhone struct {
	*mid
	conn net.Conn
	in   *bufio.Reader
	seq  int
}

// startMid runs one.
func startMid(t *testing.T, params string) *mid {
	t.Helper()
	return startMidScript(t, params, func(script string) string { return script })
}

// startMidScript runs one with another script.
func startMidScript(t *testing.T, params string, change func(script string) string) *mid {
	t.Helper()
	m, path := newMid(t, params)
	script, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, []byte(change(string(script))), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	code := make(chan int, 1)
	go func() { code <- run(t.Context(), []string{"-f", path}, newOutput(), m.log) }()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("log:\n%s", m.log)
		}
		<-code
	})
	m.log.wait(t, "msg=ready")
	return m
}

// newMid writes the configuration of one, with parameters.
func newMid(t *testing.T, params string) (m *mid, path string) {
	t.Helper()
	l, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	m = &mid{T: t, main: l, udp: "127.0.0.1:" + freePort(t), tcp: "127.0.0.1:" + freePort(t), log: newOutput()}
	path = config(t, `socket=udp:`+m.udp+`
socket=tcp:`+m.tcp+`
loadmodule "proto_udp.so"
loadmodule "proto_tcp.so"
loadmodule "sl.so"
loadmodule "tm.so"
loadmodule "signaling.so"
loadmodule "usrloc.so"
loadmodule "mid_registrar.so"
loadmodule "sipmsgops.so"
`+params+`
route {
	if (is_method("REGISTER")) {
		mid_registrar_save("location", "p1");
		switch ($retcode) {
		case 1:
			$ru = "sip:`+l.LocalAddr().String()+`";
			if (!t_relay()) send_reply(500, "Server Internal Error 1");
			break;
		case 2:
			xlog("absorbed\n");
			break;
		default:
			send_reply(500, "Server Internal Error 2");
		}
		exit;
	}
	if (!mid_registrar_lookup("location")) { t_reply(404, "Not Found"); exit; }
	if (!t_relay()) send_reply(500, "Server Internal Error 3");
}
`)
	return m, path
}

// phone connects.
func (m *mid) phone() *midPhone {
	m.Helper()
	c, err := net.Dial("tcp", m.tcp)
	if err != nil {
		m.Fatal(err)
	}
	m.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(patience))
	return &midPhone{mid: m, conn: c, in: bufio.NewReader(c)}
}

// uri is where the phone is.
func (p *midPhone) uri() string { return "sip:alice@" + p.conn.LocalAddr().String() + ";transport=tcp" }

// register sends a REGISTER with headers.
func (p *midPhone) register(headers ...string) {
	p.Helper()
	p.seq++
	at := p.conn.LocalAddr()
	fmt.Fprintf(p.conn, "REGISTER sip:example.org SIP/2.0\r\nVia: SIP/2.0/TCP %s;branch=z9hG4bK%d;rport\r\nMax-Forwards: 70\r\nFrom: <sip:alice@example.org>;tag=f\r\n"+
		"To: <sip:alice@example.org>\r\nCall-ID: %[1]s\r\nCSeq: %[2]d REGISTER\r\n%s\r\n\r\n", at, p.seq, strings.Join(append(headers, "Content-Length: 0"), "\r\n"))
}

// read is the next message that the phone gets: its first line with the Contacts.
func (p *midPhone) read() string {
	p.Helper()
	m, err := readMessage(p.in)
	if err != nil {
		p.Fatal(err)
	}
	return brief(p.Fatal, m.Raw())
}

// want reads what the phone has to get.
func (p *midPhone) want(want string) {
	p.Helper()
	if got := p.read(); got != want {
		p.Errorf("the phone gets\n%s\nwant\n%s", got, want)
	}
}

// brief is the first line of a message with its headers that tell of contacts.
func brief(fatal func(...any), raw []byte) string {
	var m sipframe.Message
	if err := m.Parse(raw); err != nil {
		fatal(err)
	}
	line, _, _ := strings.Cut(string(raw), "\r\n")
	out := []string{strings.TrimSuffix(strings.TrimPrefix(line, "SIP/2.0 "), " SIP/2.0")}
	for i := range m.NumHeaders() {
		switch h := m.Header(i); h.Kind {
		case sipframe.HeaderContact, sipframe.HeaderExpires, sipframe.HeaderPath:
			out = append(out, strings.TrimSpace(string(m.Bytes(h.Line))))
		}
	}
	return strings.Join(out, "|")
}

// asked is the next request that the main registrar gets.
func (m *mid) asked() []byte {
	m.Helper()
	_ = m.main.SetReadDeadline(time.Now().Add(patience))
	b := make([]byte, 4096)
	for {
		n, from, err := m.main.ReadFrom(b)
		if err != nil {
			m.Fatal(err)
		}
		if strings.HasPrefix(string(b[:n]), "REGISTER ") {
			m.from = from
			return b[:n]
		}
	}
}

// says has the main registrar answer a request.
func (m *mid) says(request []byte, status string, headers ...string) {
	m.Helper()
	text := "SIP/2.0 " + status + "\r\n"
	for line := range strings.SplitSeq(string(request), "\r\n") {
		for _, name := range []string{"Via:", "From:", "To:", "Call-ID:", "CSeq:"} {
			if strings.HasPrefix(line, name) {
				text += line + "\r\n"
			}
		}
	}
	for _, h := range headers {
		text += h + "\r\n"
	}
	if _, err := m.main.WriteTo([]byte(strings.Replace(text, "\r\nCall-ID:", ";tag=m\r\nCall-ID:", 1)+"Content-Length: 0\r\n\r\n"), m.from); err != nil {
		m.Fatal(err)
	}
}

// message has the main registrar send a MESSAGE, and returns the code of its answer if it comes from us.
func (m *mid) message(uri string) {
	m.Helper()
	at, err := net.ResolveUDPAddr("udp", m.udp)
	if err != nil {
		m.Fatal(err)
	}
	text := fmt.Sprintf("MESSAGE %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%d;rport\r\nMax-Forwards: 70\r\nFrom: <sip:bob@example.org>;tag=b\r\n"+
		"To: <sip:alice@example.org>\r\nCall-ID: %[3]d\r\nCSeq: 1 MESSAGE\r\nContent-Length: 0\r\n\r\n", uri, m.main.LocalAddr(), time.Now().UnixNano())
	if _, err := m.main.WriteTo([]byte(text), at); err != nil {
		m.Fatal(err)
	}
}

// answer is the code of the next response that the main registrar gets.
func (m *mid) answer() string {
	m.Helper()
	_ = m.main.SetReadDeadline(time.Now().Add(patience))
	b := make([]byte, 4096)
	for {
		n, _, err := m.main.ReadFrom(b)
		if err != nil {
			m.Fatal(err)
		}
		if rest, ok := strings.CutPrefix(string(b[:n]), "SIP/2.0 "); ok {
			return rest[:3]
		}
	}
}

var contactURI = regexp.MustCompile(`<([^>]*)>`)

// sentContact is the URI of the Contact that the main registrar was told.
func sentContact(request string) string { return contactURI.FindStringSubmatch(request)[1] }

// TestMidMirrors has every REGISTER relayed, with a Contact of ours, and keeps what the main registrar says.
func TestMidMirrors(t *testing.T) {
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

// TestMidThrottlesContacts registers for longer at the main registrar, and removes there what is over here.
func TestMidThrottlesContacts(t *testing.T) {
	m := startMid(t, `modparam("mid_registrar", "mode", 1)
modparam("mid_registrar", "min_expires", 1)
modparam("mid_registrar", "outgoing_expires", 600)
modparam("mid_registrar", "contact_id_insertion", "ct-username")
`)
	p := m.phone()
	p.register("Contact: <" + p.uri() + ">;expires=100")
	request := m.asked()
	got := brief(t.Fatal, request)
	if !regexp.MustCompile(`\|Contact: <sip:[0-9a-f]+@` + regexp.QuoteMeta(m.udp) + `>;expires=600$`).MatchString(got) {
		t.Errorf("the main registrar gets\n%s", got)
	}
	ours := sentContact(got)
	m.says(request, "200 OK", "Contact: <"+ours+">;expires=400")
	p.want("200 OK|Contact: <" + p.uri() + ">;q=0;expires=100")
	for range 3 {
		p.register("Contact: <" + p.uri() + ">;expires=50")
		p.want("200 OK|Contact: <" + p.uri() + ">;q=0;expires=50")
	}
	m.message(ours)
	p.want("MESSAGE " + p.uri())
	p.register() // a query
	p.want("200 OK|Contact: <" + p.uri() + ">;q=0;expires=50")

	p.register("Contact: <" + p.uri() + ">;expires=500") // longer than it is registered there
	request = m.asked()
	m.says(request, "200 OK", "Contact: <"+ours+">", "Expires: 450")
	p.want("200 OK|Contact: <" + p.uri() + ">;q=0;expires=450")

	other := m.phone() // somebody says the same from elsewhere
	other.register("Contact: <" + p.uri() + ">;expires=50")
	m.says(m.asked(), "403 Forbidden")
	other.want("403 Forbidden")
	m.message(ours)
	p.want("MESSAGE " + p.uri())

	p.register("Contact: <" + p.uri() + ">;expires=0")
	request = m.asked()
	if got := brief(t.Fatal, request); !strings.HasSuffix(got, "|Contact: <"+ours+">;expires=0") {
		t.Errorf("a phone goes: the main registrar gets\n%s", got)
	}
	m.says(request, "200 OK")
	p.want("200 OK")

	p.register("Contact: <" + p.uri() + ">;expires=1") // and nothing is heard of it again
	request = m.asked()
	ours = sentContact(brief(t.Fatal, request))
	m.says(request, "200 OK", "Contact: <"+ours+">;expires=600")
	p.want("200 OK|Contact: <" + p.uri() + ">;q=0;expires=1")
	request = m.asked()
	if got := brief(t.Fatal, request); got != "REGISTER sip:"+m.main.LocalAddr().String()+"|Contact: <"+ours+">;expires=0" {
		t.Errorf("a phone is over: the main registrar gets\n%s", got)
	}
	if s := string(request); !strings.Contains(s, "\r\nTo: <sip:alice@example.org>\r\n") || !strings.Contains(s, "\r\nCall-ID: "+p.conn.LocalAddr().String()+"\r\n") {
		t.Errorf("as\n%s", s)
	}
	m.says(request, "200 OK")
}

// TestMidThrottlesAORs has one Contact at the main registrar for all phones of a user.
func TestMidThrottlesAORs(t *testing.T) {
	for _, c := range []struct{ name, params, user string }{
		{"users", "", "alice"},
		{"with domains", "modparam(\"usrloc\", \"use_domain\", 1)\n", "alice%40example.org"},
		{"another @", "modparam(\"usrloc\", \"use_domain\", 1)\nmodparam(\"mid_registrar\", \"at_escape_str\", \"___\")\n", "alice___example.org"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := startMid(t, c.params+"modparam(\"mid_registrar\", \"mode\", 2)\n")
			desk, mobile := m.phone(), m.phone()
			desk.register("Contact: <" + desk.uri() + ">;expires=100;q=0.9")
			request := m.asked()
			ours := "sip:" + c.user + "@" + m.udp
			if got := brief(t.Fatal, request); !strings.HasSuffix(got, "|Contact: <"+ours+">;expires=3600") {
				t.Errorf("the main registrar gets\n%s", got)
			}
			m.says(request, "200 OK", "Contact: <"+ours+">;expires=3600")
			first := "<" + desk.uri() + ">;q=0.9;expires=100"
			desk.want("200 OK|Contact: " + first)
			mobile.register("Contact: <" + mobile.uri() + ">;expires=100;q=0.1")
			if got := mobile.read(); !regexp.MustCompile(`^200 OK\|Contact: <` + regexp.QuoteMeta(desk.uri()) + `>;q=0.9;expires=\d+, <` + regexp.QuoteMeta(mobile.uri()) + `>;q=0.1;expires=100$`).MatchString(got) {
				t.Errorf("the second phone gets %s", got)
			}
			m.message(ours)
			desk.want("MESSAGE " + desk.uri())
			mobile.want("MESSAGE " + mobile.uri())
			desk.register("Contact: <" + desk.uri() + ">;expires=0")
			if got := desk.read(); !strings.HasPrefix(got, "200 OK|Contact: <"+mobile.uri()) {
				t.Errorf("one phone goes: %s", got)
			}
			mobile.register("Contact: <" + mobile.uri() + ">;expires=0")
			request = m.asked()
			if got := brief(t.Fatal, request); !strings.HasSuffix(got, "|Contact: <"+ours+">;expires=0") {
				t.Errorf("the last phone goes: the main registrar gets\n%s", got)
			}
			m.says(request, "200 OK")
			mobile.want("200 OK")
		})
	}
}

// TestMidAsksAboutNewContacts: with absorb_new_contacts 0 the main registrar sees each phone once.
func TestMidAsksAboutNewContacts(t *testing.T) {
	m := startMid(t, "modparam(\"mid_registrar\", \"mode\", 2)\nmodparam(\"mid_registrar\", \"absorb_new_contacts\", 0)\n")
	for range 2 {
		p := m.phone()
		p.register("Contact: <" + p.uri() + ">;expires=100")
		request := m.asked()
		m.says(request, "200 OK", "Contact: <"+sentContact(brief(t.Fatal, request))+">;expires=3600")
		if got := p.read(); !strings.Contains(got, p.uri()) {
			t.Errorf("it gets %s", got)
		}
		p.register("Contact: <" + p.uri() + ">;expires=90")
		if got := p.read(); !strings.Contains(got, "<"+p.uri()+">;q=0;expires=90") {
			t.Errorf("again it gets %s", got)
		}
	}
}

// TestMidRefusesParametersThatAreNone has the script give parameters for our Contact that could not stand in a URI: what
// would be relayed with the phone's own Contact is not relayed, and the log says why.
func TestMidRefusesParametersThatAreNone(t *testing.T) {
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
