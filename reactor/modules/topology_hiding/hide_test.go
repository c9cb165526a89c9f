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
)

var (
	modules = []script.Constructor{tm.New, sl.New, signaling.New, rr.New, sipmsgops.New, dialog.New, topology_hiding.New}
	bare    = moduletest.Head("tm", "sl", "signaling", "rr", "sipmsgops", "dialog", "topology_hiding", "proto_udp", "proto_tcp")
	head    = bare + "modparam(\"topology_hiding\", \"force_dialog\", 1)\n"
	callee  = &reactor.Source{Conn: 9, Proto: reactor.TLS, Outbound: true, Socket: moduletest.Sockets[0],
		Remote: netip.MustParseAddrPort("192.0.2.9:5061"), Local: moduletest.Sockets[0].Addr}
)

// secrets are what tells of each side.
var (
	ofInner = []string{"10.0.0.9", "10.1.1.1", "10.1.1.2", "inner", "z9hG4bK-inn-"}
	ofOuter = []string{"192.0.2.9", "198.51.100.7", "outer", "z9hG4bK-out-"}
)

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
		t.Errorf("a response of ours: %s", c.inner[0])
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

// TestCallIDOfTheScript: whoever asks the script, the call has the Call-ID that its caller knows.
func TestCallIDOfTheScript(t *testing.T) {
	c := newCall(t, strings.Replace(routes, `xlog("$rm $DLG_status $DLG_dir");`, `xlog("$rm $ci");`, 1)+`
onreply_route { xlog("$rs $ci"); }
`, `"C"`)
	c.ids[0] = "c1@10.0.0.9"
	c.up()
	wants := func(want string) {
		t.Helper()
		if got := strings.Join(c.Log, "|"); got != want {
			t.Errorf("logged %q, want %q", got, want)
		}
	}
	wants("ACK c1@10.0.0.9")
	c.request("INFO", "1", true)
	wants("INFO c1@10.0.0.9")
	c.request("INFO", "2", false)
	wants("INFO c1@10.0.0.9")
	c.answer(c.sent(&c.outer, "INFO "), "200 OK", callee)
	wants("200 c1@10.0.0.9")
}

// TestCallThatPassesTwice: a call whose Call-ID another pass of it has hidden already, as it comes back to us, is found and
// followed with that one in both directions.
func TestCallThatPassesTwice(t *testing.T) {
	c := newCall(t, strings.Replace(routes, `xlog("$rm $DLG_status $DLG_dir");`, `xlog("$rm $DLG_dir $ci");`, 1)+"modparam(\"topology_hiding\", \"th_callid_passwd\", \"secret\")\n", `"C"`)
	again := newCall(t, strings.Replace(routes, `xlog("$rm $DLG_status $DLG_dir");`, `xlog("$rm $DLG_dir $ci");`, 1)+"modparam(\"topology_hiding\", \"th_callid_passwd\", \"secret\")\n", `"C"`)
	c.up()
	again.ids[0] = c.ids[1] // the same key has made it
	again.up()
	for _, back := range []bool{false, true} {
		again.request("INFO", map[bool]string{false: "5", true: "6"}[back], back)
		want := "INFO downstream " + again.ids[0]
		if back {
			want = "INFO upstream " + again.ids[0]
		}
		if got := strings.Join(again.Log, "|"); got != want {
			t.Errorf("logged %q, want %q", got, want)
		}
	}
}

// TestForeignCallID: our Contact leads nowhere with another call's Call-ID.
func TestForeignCallID(t *testing.T) {
	for _, flags := range []string{`""`, `"C"`} {
		c := newCall(t, routes, flags)
		c.up()
		own := c.ids
		for _, back := range []bool{false, true} {
			c.ids = [2]string{"zzz", "zzz"}
			c.request("BYE", "7", back)
			if got := strings.Join(c.Log, "|"); got != "no call" {
				t.Errorf("%s: %s", flags, got)
			}
		}
		c.ids = own
		c.request("INFO", "8", true)
		if got := strings.Join(c.Log, "|"); got != "INFO 4 upstream" {
			t.Errorf("%s: the call is over: %s", flags, got)
		}
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
	c.answer(c.invite(), "486 Busy Here", callee, "Record-Route: <sip:198.51.100.7;transport=tls;lr>", "Contact: <sip:bob.outer@192.0.2.9>")
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
		"modparam(\"topology_hiding\", \"th_internal_trusted_tag\", \"in\")\nroute { exit; }":   "th_internal_trusted_tag of the module topology_hiding is not supported: they are of a version after 3.6",
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
