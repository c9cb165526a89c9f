package topology_hiding_test

import (
	"net/netip"
	"regexp"
	"strings"
	"testing"

	"sipreactor/reactor"
	"sipreactor/reactor/modules/dialog"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/rr"
	"sipreactor/reactor/modules/signaling"
	"sipreactor/reactor/modules/sipmsgops"
	"sipreactor/reactor/modules/sl"
	"sipreactor/reactor/modules/tm"
	"sipreactor/reactor/modules/topology_hiding"
	"sipreactor/reactor/script"
	"sipreactor/sipframe"
)

var (
	modules = []script.Constructor{tm.New, sl.New, signaling.New, rr.New, sipmsgops.New, dialog.New, topology_hiding.New}
	bare    = moduletest.Head("tm", "sl", "signaling", "rr", "sipmsgops", "dialog", "topology_hiding", "proto_udp", "proto_tcp")
	head    = bare + "modparam(\"topology_hiding\", \"force_dialog\", 1)\n"
	callee  = &reactor.Source{Conn: 9, Proto: reactor.TLS, Outbound: true, Socket: moduletest.Sockets[0],
		Remote: netip.MustParseAddrPort("192.0.2.9:5061"), Local: moduletest.Sockets[0].Addr}
)

// routes hides every call.
const routes = `
route {
	if (has_totag()) {
		if (is_method("ACK") && t_check_trans()) exit;
		if (!topology_hiding_match()) { xlog("no call"); t_reply(481, "No Call"); exit; }
		xlog("$rm $DLG_status $DLG_dir");
		t_relay();
		exit;
	}
	if (is_method("CANCEL")) { t_relay(); exit; }
	topology_hiding(FLAGS);
	xlog("hidden $rc");
	t_relay();
}
`

// call is a proxy between a caller behind two proxies of an inner side, and a callee behind one of an outer side.
type call struct {
	*moduletest.Bench
	t     *testing.T
	outer []string  // all that the callee's side got
	inner []string  // all that the caller's side got
	aims  [2]string // Contacts that the caller and the callee were shown
	ids   [2]string // Call-IDs that they know
}

func newCall(t *testing.T, text, flags string) *call {
	t.Helper()
	return &call{t: t, ids: [2]string{"c1", "c1"}, Bench: moduletest.New(t, head+strings.Replace(text, "FLAGS", flags, 1), modules...)}
}

// secrets are what tells of each side.
var (
	ofInner = []string{"10.0.0.9", "10.1.1.1", "10.1.1.2", "inner", "z9hG4bK-inn-"}
	ofOuter = []string{"192.0.2.9", "198.51.100.7", "outer", "z9hG4bK-out-"}
)

// take sorts what was sent by the side that it went to.
func (c *call) take() {
	for _, s := range c.Sent {
		if s.Target.Conn == 7 || s.Target.Addr.Addr() == netip.MustParseAddr("10.0.0.9") || s.Target.Addr.Addr() == netip.MustParseAddr("10.1.1.2") {
			c.inner = append(c.inner, s.Text)
		} else {
			c.outer = append(c.outer, s.Text)
		}
	}
	c.Sent = nil
}

// receive has a message come from one side.
func (c *call) receive(lines []string, src *reactor.Source) {
	c.Log, c.Sent = nil, nil
	c.Context.Receive([]byte(strings.Join(append(lines, "Content-Length: 0"), "\r\n")+"\r\n\r\n"), src)
	c.take()
}

func (c *call) invite() string {
	c.t.Helper()
	c.receive([]string{"INVITE sip:bob@192.0.2.9;transport=tls SIP/2.0", "Via: SIP/2.0/TLS 10.1.1.2:5061;branch=z9hG4bK-inn-2, SIP/2.0/UDP 10.1.1.1;branch=z9hG4bK-inn-1",
		"v: SIP/2.0/UDP 10.0.0.9:40000;branch=z9hG4bK-inn-0;rport", "Max-Forwards: 70", "Record-Route: <sip:10.1.1.2:5061;transport=tls;lr>", "Record-Route: <sip:10.1.1.1;lr>",
		"From: <sip:alice@example.net>;tag=a", "To: <sip:bob@example.net>", "Call-ID: " + c.ids[0], "CSeq: 1 INVITE",
		"Contact: \"inner\" <sip:alice.inner@10.0.0.9:40000;transport=udp;ob>;+sip.instance=\"inner\";q=0.5"}, c.Source)
	out := c.sent(&c.outer, "INVITE ")
	c.ids[1] = header(c.t, out, "Call-ID")
	return out
}

// sent gives what went to a side last, which begins so.
func (c *call) sent(side *[]string, start string) string {
	c.t.Helper()
	if len(*side) == 0 || !strings.HasPrefix((*side)[len(*side)-1], start) {
		c.t.Fatalf("%q was not sent: %q, log %q", start, *side, c.Log)
	}
	return (*side)[len(*side)-1]
}

// answer has a request that left answered by whom it went to.
func (c *call) answer(request, status string, src *reactor.Source, more ...string) {
	c.t.Helper()
	m := new(sipframe.Message)
	if err := m.Parse([]byte(request)); err != nil {
		c.t.Fatal(err)
	}
	lines := []string{"SIP/2.0 " + status}
	for i := range m.NumHeaders() {
		switch h := m.Header(i); h.Kind {
		case sipframe.HeaderVia, sipframe.HeaderFrom, sipframe.HeaderCallID, sipframe.HeaderCSeq:
			lines = append(lines, strings.TrimSpace(string(m.Bytes(h.Line))))
		case sipframe.HeaderTo:
			to := string(m.Bytes(h.Value))
			if !strings.Contains(to, "tag=") {
				to += ";tag=b"
			}
			lines = append(lines, "To: "+to)
		}
	}
	c.receive(append(lines, more...), src)
}

// seek fails for what a side must not see.
func (c *call) seek() {
	c.t.Helper()
	for _, s := range c.outer {
		for _, secret := range ofInner {
			if strings.Contains(s, secret) {
				c.t.Errorf("%q is shown to the outer side:\n%s", secret, s)
			}
		}
	}
	for _, s := range c.inner {
		for _, secret := range ofOuter {
			if strings.Contains(s, secret) {
				c.t.Errorf("%q is shown to the inner side:\n%s", secret, s)
			}
		}
	}
}

func header(t *testing.T, text, name string) string {
	t.Helper()
	m := new(sipframe.Message)
	if err := m.Parse([]byte(text)); err != nil {
		t.Fatal(err)
	}
	var all []string
	for i := m.FindName([]byte(name)); i >= 0; i = m.FindNameNext([]byte(name), i) {
		all = append(all, string(m.Bytes(m.Header(i).Value)))
	}
	return strings.Join(all, " | ")
}

var ownContact = regexp.MustCompile(`^<sip:edge\.example\.org:5061;transport=tls;did=[0-9a-f]+\.[0-9a-f]+>$`)

const trail = "SIP/2.0/TLS 10.1.1.2:5061;received=10.0.0.9;branch=z9hG4bK-inn-2, SIP/2.0/UDP 10.1.1.1;branch=z9hG4bK-inn-1 | SIP/2.0/UDP 10.0.0.9:40000;branch=z9hG4bK-inn-0;rport"

// up has a call answered and acknowledged, through the callee's proxy.
func (c *call) up() {
	c.t.Helper()
	out := c.invite()
	c.answer(out, "180 Ringing", callee, "Contact: <sip:bob.outer@192.0.2.9;transport=tls>", "Record-Route: <sip:198.51.100.7;transport=tls;lr>")
	c.sent(&c.inner, "SIP/2.0 180 ")
	c.answer(out, "200 OK", callee, "Contact: <sip:bob.outer@192.0.2.9;transport=tls>;x=outer", "Record-Route: <sip:198.51.100.7;transport=tls;lr>")
	ok := c.sent(&c.inner, "SIP/2.0 200 ")
	c.aims = [2]string{strings.Trim(header(c.t, ok, "Contact"), "<>"), strings.Trim(header(c.t, out, "Contact"), "<>")}
	c.request("ACK", "1", false)
}

// request has one side send a request within the call.
func (c *call) request(method, seq string, back bool, more ...string) {
	c.t.Helper()
	from, to, uri, id, src := "<sip:alice@example.net>;tag=a", "<sip:bob@example.net>;tag=b", c.aims[0], c.ids[0], c.Source
	vias := []string{"Via: SIP/2.0/TLS 10.1.1.2:5061;branch=z9hG4bK-inn-" + method + seq, "Via: SIP/2.0/UDP 10.0.0.9:40000;branch=z9hG4bK-inn-0" + seq}
	contact := "Contact: <sip:alice.inner@10.0.0.9:40000;transport=udp;ob>"
	if back {
		from, to, uri, id, src = to, from, c.aims[1], c.ids[1], callee
		vias = []string{"Via: SIP/2.0/TLS 198.51.100.7;branch=z9hG4bK-out-" + method + seq, "Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK-out-0" + seq}
		contact = "Contact: <sip:bob.outer@192.0.2.9;transport=tls>"
	}
	lines := append([]string{method + " " + uri + " SIP/2.0"}, vias...)
	c.receive(append(append(lines, "Max-Forwards: 70", "From: "+from, "To: "+to, "Call-ID: "+id, "CSeq: "+seq+" "+method, contact), more...), src)
}

// TestCall follows a call from its INVITE to the callee's BYE, and looks through all that each side got.
func TestCall(t *testing.T) {
	c := newCall(t, routes, "")
	out := c.invite()
	if got := header(t, out, "Contact"); !ownContact.MatchString(got) {
		t.Errorf("Contact: %s", got)
	}
	if got := header(t, out, "Via"); strings.Contains(got, "|") || strings.Contains(got, ", ") || header(t, out, "Record-Route") != "" {
		t.Errorf("Via: %s\n%s", got, out)
	}
	if got := header(t, c.inner[0], "Via"); !strings.HasPrefix(c.inner[0], "SIP/2.0 100 ") || got != trail {
		t.Errorf("a reply of ours: %s", c.inner[0])
	}
	c.up()
	for _, s := range c.inner {
		if !strings.HasPrefix(s, "SIP/2.0 200 ") {
			continue
		}
		if got := header(t, s, "Contact"); !ownContact.MatchString(got) {
			t.Errorf("Contact: %s", got)
		}
		if got := header(t, s, "Record-Route"); got != "<sip:10.1.1.2:5061;transport=tls;lr> | <sip:10.1.1.1;lr>" {
			t.Errorf("Record-Route: %s", got)
		}
		if got := header(t, s, "Via"); got != trail {
			t.Errorf("Via: %s", got)
		}
	}
	ack := c.sent(&c.outer, "ACK ")
	if !strings.HasPrefix(ack, "ACK sip:bob.outer@192.0.2.9;transport=tls SIP/2.0\r\n") || header(t, ack, "Route") != "<sip:198.51.100.7;transport=tls;lr>" {
		t.Errorf("%s", ack)
	}
	if got := strings.Join(c.Log, "|"); got != "ACK 4 downstream" {
		t.Error(got)
	}
	c.request("UPDATE", "2", false)
	update := c.sent(&c.outer, "UPDATE sip:bob.outer@192.0.2.9;transport=tls ")
	if got := header(t, update, "Contact"); !ownContact.MatchString(got) {
		t.Errorf("Contact: %s", got)
	}
	c.answer(update, "200 OK", callee, "Contact: <sip:bob.outer@192.0.2.9;transport=tls>")
	if got := header(t, c.sent(&c.inner, "SIP/2.0 200 "), "Contact"); !ownContact.MatchString(got) {
		t.Errorf("Contact: %s", got)
	}
	c.request("BYE", "1", true)
	bye := c.sent(&c.inner, "BYE sip:alice.inner@10.0.0.9:40000;transport=udp;ob ")
	if got := header(t, bye, "Route"); got != "<sip:10.1.1.2:5061;transport=tls;lr>, <sip:10.1.1.1;lr>" {
		t.Errorf("Route: %s", got)
	}
	if got := strings.Join(c.Log, "|"); got != "BYE 5 upstream" {
		t.Error(got)
	}
	c.answer(bye, "200 OK", c.Source)
	if got := header(t, c.sent(&c.outer, "SIP/2.0 200 "), "Via"); !strings.HasPrefix(got, "SIP/2.0/TLS 198.51.100.7;received=192.0.2.9;branch=z9hG4bK-out-BYE1 | SIP/2.0/UDP 192.0.2.9;") {
		t.Errorf("Via: %s", got)
	}
	c.seek()
}

// TestCallIDs: with the flag C the callee knows the call by another Call-ID, in all that it gets and sends.
func TestCallIDs(t *testing.T) {
	for _, match := range []string{"", `"DID_NONE"`} {
		c := newCall(t, strings.Replace(routes, "topology_hiding_match()", "topology_hiding_match("+match+")", 1)+`
onreply_route { xlog("$rs"); }
`, `"C"`)
		c.ids[0] = "c1@10.0.0.9"
		c.up()
		if got := strings.Join(c.Log, "|"); got != "ACK 4 downstream" {
			t.Error(got)
		}
		if !strings.HasPrefix(c.ids[1], "DLGCH_") {
			t.Errorf("the callee knows %s", c.ids[1])
		}
		c.request("INFO", "1", true)
		info := c.sent(&c.inner, "INFO sip:alice.inner@")
		c.answer(info, "200 OK", c.Source)
		c.sent(&c.outer, "SIP/2.0 200 ")
		c.request("INVITE", "2", false)
		c.answer(c.sent(&c.outer, "INVITE "), "488 No", callee)
		c.sent(&c.inner, "SIP/2.0 488 ")
		c.request("BYE", "3", false)
		c.answer(c.sent(&c.outer, "BYE "), "200 OK", callee)
		for i, side := range [][]string{c.inner, c.outer} {
			for _, s := range side {
				if got := header(t, s, "Call-ID"); got != c.ids[i] {
					t.Errorf("Call-ID %s, want %s:\n%s", got, c.ids[i], s)
				}
			}
		}
		if !strings.HasPrefix(c.outer[len(c.outer)-2], "ACK ") {
			t.Errorf("no ACK to the 488: %q", c.outer)
		}
		c.seek()
	}
}

// TestCanceled: a CANCEL has the Call-ID of its INVITE.
func TestCanceled(t *testing.T) {
	c := newCall(t, strings.Replace(routes, "hidden $rc", "$TH_callee_callid $ci", 1), `"C"`)
	c.ids[0] = "c1@10.0.0.9"
	out := c.invite()
	if got := strings.Join(c.Log, "|"); got != c.ids[1]+" "+c.ids[0] {
		t.Errorf("the variables are %s", got)
	}
	c.answer(out, "180 Ringing", callee, "Contact: <sip:bob.outer@192.0.2.9;transport=tls>")
	c.receive([]string{"CANCEL sip:bob@192.0.2.9;transport=tls SIP/2.0", "Via: SIP/2.0/TLS 10.1.1.2:5061;branch=z9hG4bK-inn-2", "Max-Forwards: 70",
		"From: <sip:alice@example.net>;tag=a", "To: <sip:bob@example.net>", "Call-ID: " + c.ids[0], "CSeq: 1 CANCEL"}, c.Source)
	if got := header(t, c.sent(&c.outer, "CANCEL sip:bob@192.0.2.9;transport=tls "), "Call-ID"); got != c.ids[1] {
		t.Errorf("Call-ID: %s", got)
	}
	c.seek()
}

// TestRefused: a final response of the callee, and a request that belongs to no call.
func TestRefused(t *testing.T) {
	c := newCall(t, routes, "")
	c.answer(c.invite(), "486 Busy Here", callee, "Record-Route: <sip:198.51.100.7;transport=tls;lr>")
	if got := header(t, c.sent(&c.inner, "SIP/2.0 486 "), "Via"); got != trail {
		t.Errorf("Via: %s", got)
	}
	c.aims[0] = "sip:edge.example.org:5061;transport=tls;did=1.2"
	c.request("INFO", "3", false)
	c.sent(&c.inner, "SIP/2.0 481 ")
	c.seek()
}

// TestContacts are those of the flags, and of the second argument.
func TestContacts(t *testing.T) {
	for _, x := range []struct{ params, flags, callee, caller string }{
		{"", `"U"`, `<sip:alice.inner@edge.example.org:5061;transport=tls;did=D>`, `<sip:bob.outer@edge.example.org:5061;transport=tls;did=D>`},
		{"", `"D"`, `<sip:D@edge.example.org:5061;transport=tls>`, `<sip:D@edge.example.org:5061;transport=tls>`},
		{"", `"U", "both"`, `<sip:both@edge.example.org:5061;transport=tls;did=D>`, `<sip:both@edge.example.org:5061;transport=tls;did=D>`},
		{"", `"U", "/shown"`, `<sip:alice.inner@edge.example.org:5061;transport=tls;did=D>`, `<sip:shown@edge.example.org:5061;transport=tls;did=D>`},
		{"", `, "/one/two"`, `<sip:two@edge.example.org:5061;transport=tls;did=D>`, `<sip:one@edge.example.org:5061;transport=tls;did=D>`},
		{"modparam(\"topology_hiding\", \"th_passed_contact_uri_params\", \"ob;other\")\nmodparam(\"topology_hiding\", \"th_passed_contact_params\", \"q;x\")\n", "",
			`<sip:edge.example.org:5061;transport=tls;did=D;ob>;q=0.5`, `<sip:edge.example.org:5061;transport=tls;did=D>;x=outer`},
	} {
		c := newCall(t, x.params+routes, x.flags)
		c.up()
		did := regexp.MustCompile(`[0-9a-f]+\.[0-9a-f]{4,}`)
		if got := did.ReplaceAllString(header(t, c.outer[0], "Contact"), "D"); got != x.callee {
			t.Errorf("%s: the callee is shown %s", x.flags, got)
		}
		for _, s := range c.inner {
			if got := did.ReplaceAllString(header(t, s, "Contact"), "D"); strings.HasPrefix(s, "SIP/2.0 200 ") && got != x.caller {
				t.Errorf("%s: the caller is shown %s", x.flags, got)
			}
		}
		if x.params == "" {
			c.request("BYE", "1", true)
			c.sent(&c.inner, "BYE sip:alice.inner@10.0.0.9:40000;transport=udp;ob ")
		}
	}
}

func TestErrors(t *testing.T) {
	for text, want := range map[string]string{
		`route { topology_hiding("x"); }`:                                                       `unknown flag "x"`,
		`route { topology_hiding_match("DID"); }`:                                               `the mode is "DID_ONLY"`,
		"modparam(\"topology_hiding\", \"th_passed_contact_params\", \"a=b\")\nroute { exit; }": "no name of a parameter",
	} {
		if got := moduletest.Wrong(t, head+text, modules...); !strings.Contains(got, want) {
			t.Errorf("%s:\n%s", text, got)
		}
	}
	if got := moduletest.Wrong(t, moduletest.Head("tm", "topology_hiding")+"modparam(\"topology_hiding\", \"force_dialog\", 1)\nroute { topology_hiding(); }", modules...); !strings.Contains(got, "force_dialog needs the module dialog") {
		t.Error(got)
	}
}

func TestDocumented(t *testing.T) { moduletest.Documented(t, topology_hiding.New) }
