package topology_hiding_test

import (
	"net/netip"
	"regexp"
	"strings"
	"testing"

	"sipreactor/reactor"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/sipframe"
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
