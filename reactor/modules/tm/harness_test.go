package tm_test

import (
	"net/netip"
	"strings"
	"testing"

	"sipreactor/reactor"
	"sipreactor/reactor/modules/cfgutils"
	"sipreactor/reactor/modules/maxfwd"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/rr"
	"sipreactor/reactor/modules/signaling"
	"sipreactor/reactor/modules/sipmsgops"
	"sipreactor/reactor/modules/sl"
	"sipreactor/reactor/modules/tm"
	"sipreactor/sipframe"
)

var head = moduletest.Head("verified", "tm", "sl", "signaling", "maxfwd", "rr", "sipmsgops", "proto_udp", "proto_tcp")

// bench is a configuration with tm, and a callee's address.
type bench struct{ *moduletest.Bench }

func start(t *testing.T, text string) *bench {
	t.Helper()
	return &bench{moduletest.New(t, head+text, tm.New, sl.New, signaling.New, maxfwd.New, rr.New, sipmsgops.New, cfgutils.New, moduletest.Verified)}
}

var callee = &reactor.Source{Conn: 9, Proto: reactor.TLS, Outbound: true, Socket: moduletest.Sockets[0],
	Remote: netip.MustParseAddrPort("192.0.2.9:5061"), Local: moduletest.Sockets[0].Addr}

// send hands the configuration a request: "METHOD uri", and header lines in the place of its own.
func (b *bench) send(t *testing.T, line string, more ...string) {
	t.Helper()
	method, uri, _ := strings.Cut(line, " ")
	if uri == "" {
		uri = "sip:bob@192.0.2.9;transport=tls"
	}
	lines := []string{method + " " + uri + " SIP/2.0", "Via: SIP/2.0/TLS 10.0.0.9:40000;branch=z9hG4bK1", "Max-Forwards: 70",
		"From: <sip:alice@example.net>;tag=a", "To: <sip:bob@example.net>", "Call-ID: c1", "CSeq: 1 " + method, "Content-Length: 0"}
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
	b.Receive([]byte(strings.Join(lines, "\r\n") + "\r\n\r\n"))
}

// want checks what was sent, by methods and status codes, and what was logged.
func (b *bench) want(t *testing.T, sent string, log ...string) []moduletest.Sent {
	t.Helper()
	if got := b.Status(); got != sent {
		t.Errorf("sent %q, want %q; log %q", got, sent, b.Log)
	}
	if got := strings.Join(b.Log, "|"); len(log) > 0 && got != strings.Join(log, "|") {
		t.Errorf("logged %q, want %q", got, strings.Join(log, "|"))
	}
	return b.Sent
}

// answer has a callee answer a request that was sent.
func (b *bench) answer(t *testing.T, to moduletest.Sent, status string, more ...string) {
	t.Helper()
	m := new(sipframe.Message)
	if err := m.Parse([]byte(to.Text)); err != nil {
		t.Fatal(err)
	}
	text := "SIP/2.0 " + status + "\r\n"
	for i := range m.NumHeaders() {
		switch h := m.Header(i); h.Kind {
		case sipframe.HeaderVia, sipframe.HeaderFrom, sipframe.HeaderCallID, sipframe.HeaderCSeq, sipframe.HeaderRecordRoute:
			text += string(m.Bytes(h.Line))
		case sipframe.HeaderTo:
			text += "To: " + string(m.Bytes(h.Value)) + ";tag=b\r\n"
		}
	}
	for _, line := range more {
		text += line + "\r\n"
	}
	b.Log, b.Sent = nil, nil
	b.Context.Receive([]byte(text+"Content-Length: 0\r\n\r\n"), callee)
}
