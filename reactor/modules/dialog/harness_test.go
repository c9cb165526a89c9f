package dialog_test

import (
	"net/netip"
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
	"sipreactor/reactor/script"
	"sipreactor/sipframe"
)

var head = moduletest.Head("tm", "sl", "signaling", "rr", "sipmsgops", "dialog", "proto_udp", "proto_tcp")

// modules are those that calls are routed by.
var modules = []script.Constructor{tm.New, sl.New, signaling.New, rr.New, sipmsgops.New, dialog.New}

// call is a proxy with a caller and a callee.
type call struct {
	*moduletest.Bench
	t         *testing.T
	invite    string // as it left
	routes    []string
	toTag     string
	id        string // Call-ID
	responses []moduletest.Sent
}

func newCall(t *testing.T, text string) *call {
	t.Helper()
	return &call{t: t, id: "c1", Bench: moduletest.New(t, head+text, modules...)}
}

var callee = &reactor.Source{Conn: 9, Proto: reactor.TLS, Outbound: true, Socket: moduletest.Sockets[0],
	Remote: netip.MustParseAddrPort("192.0.2.9:5061"), Local: moduletest.Sockets[0].Addr}

// request sends a request of the caller, or with back of the callee, and returns what was sent on; "" nothing.
func (c *call) request(method string, cseq string, back bool, more ...string) string {
	c.t.Helper()
	from, to, uri, src := "<sip:alice@example.net>;tag=a", "<sip:bob@example.net>", "sip:bob@192.0.2.9;transport=tls", c.Source
	if c.toTag != "" {
		to += ";tag=" + c.toTag
	}
	if back {
		from, to, uri, src = to, from, "sip:alice@10.0.0.9:40000;transport=tls", callee
	}
	lines := []string{method + " " + uri + " SIP/2.0", "Via: SIP/2.0/TLS " + src.Remote.String() + ";branch=z9hG4bK" + method + cseq, "Max-Forwards: 70",
		"From: " + from, "To: " + to, "Call-ID: " + c.id, "CSeq: " + cseq + " " + method}
	if method == "INVITE" {
		lines = append(lines, "Contact: <sip:alice@10.0.0.9:40000;transport=tls>")
	}
	if c.toTag != "" {
		lines = append(lines, c.routes...)
	}
	lines = append(lines, more...)
	c.Log, c.Sent = nil, nil
	c.Context.Receive([]byte(strings.Join(append(lines, "Content-Length: 0"), "\r\n")+"\r\n\r\n"), src)
	for _, s := range c.Sent {
		if strings.HasPrefix(s.Text, method+" ") {
			if method == "INVITE" && c.toTag == "" {
				c.invite = s.Text
			}
			return s.Text
		}
	}
	return ""
}

// answer has a request that left answered, and keeps the tag and the routes.
func (c *call) answer(request, status, tag string, more ...string) {
	c.t.Helper()
	m := new(sipframe.Message)
	if err := m.Parse([]byte(request)); err != nil {
		c.t.Fatalf("%q: %v", request, err)
	}
	text := "SIP/2.0 " + status + "\r\n"
	var routes []string
	for i := range m.NumHeaders() {
		switch h := m.Header(i); h.Kind {
		case sipframe.HeaderVia, sipframe.HeaderFrom, sipframe.HeaderCallID, sipframe.HeaderCSeq, sipframe.HeaderRecordRoute:
			text += string(m.Bytes(h.Line))
			if h.Kind == sipframe.HeaderRecordRoute {
				routes = append(routes, "Route: "+string(m.Bytes(h.Value)))
			}
		case sipframe.HeaderTo:
			to := string(m.Bytes(h.Value))
			if !strings.Contains(to, ";tag=") {
				to += ";tag=" + tag
			}
			text += "To: " + to + "\r\n"
		}
	}
	if strings.Contains(text, " INVITE\r\n") && !strings.Contains(strings.Join(more, "\n"), "Contact:") {
		text += "Contact: <sip:bob@192.0.2.9;transport=tls>\r\n"
	}
	for _, line := range more {
		text += line + "\r\n"
	}
	if status[0] == '2' && c.toTag == "" {
		c.toTag, c.routes = tag, routes
	}
	c.Log, c.Sent = nil, nil
	c.Context.Receive([]byte(text+"Content-Length: 0\r\n\r\n"), callee)
	c.responses = c.Sent
}

// up has a call answered and acknowledged.
func (c *call) up() {
	c.t.Helper()
	out := c.request("INVITE", "1", false)
	c.answer(out, "180 Ringing", "b")
	c.answer(out, "200 OK", "b")
	if c.request("ACK", "1", false) == "" {
		c.t.Fatalf("the ACK is not sent on: %v", c.Log)
	}
}

// wants checks what was logged.
func (c *call) wants(log ...string) {
	c.t.Helper()
	if got := strings.Join(c.Log, "|"); got != strings.Join(log, "|") {
		c.t.Errorf("logged %q, want %q", got, strings.Join(log, "|"))
	}
}
