package b2b_logic

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"sipreactor/reactor"
	"sipreactor/reactor/modules/moduletest"
)

// server is the module, and the parties of its calls.
type server struct {
	*moduletest.Bench
	t *testing.T
	m *Module
	n int
}

func newServer(t *testing.T, text string) *server {
	t.Helper()
	b := moduletest.New(t, moduletest.Head("tm", "uac_auth", "b2b_entities", "b2b_logic", "sipmsgops")+text, modules...)
	return &server{Bench: b, t: t, m: b.Config.Instance("b2b_logic").(*Module)}
}

// take gives what was sent since the last take, which is to be of these kinds.
func (s *server) take(want string) []moduletest.Sent {
	s.t.Helper()
	list := s.Sent
	if got := s.Status(); got != want {
		for _, m := range list {
			s.t.Log(m.Text)
		}
		s.t.Fatalf("sent %q, want %q; logged %q", got, want, s.Log)
	}
	s.Sent = nil
	return list
}

// invite sends the caller's INVITE.
func (s *server) invite() {
	s.Receive([]byte(strings.Replace(string(moduletest.Invite), "User-Agent:", "Supported: 100rel, timer\r\nX-Ours: 7\r\nUser-Agent:", 1)))
}

// later sends a request of the caller in their dialog.
func (s *server) later(method string, key string, cseq int, body string) {
	s.request(method, `"Alice A." <sip:alice@atlanta.example;x=1>;tag=1928301774`, "<sip:+4930123@example.net>;tag="+key, "a84b4c76e66710@pc33", cseq, body)
}

// request sends a request.
func (s *server) request(method, from, to, callID string, cseq int, body string) {
	s.n++
	kind := ""
	if body != "" {
		kind = "Content-Type: application/sdp\n"
	}
	s.Receive(moduletest.CRLF(fmt.Sprintf("\n%s sip:edge.example.org:5061;transport=tls SIP/2.0\nVia: SIP/2.0/TLS 10.0.0.9:5061;branch=z9hG4bKn%d\nMax-Forwards: 70\nFrom: %s\nTo: %s\nCall-ID: %s\nCSeq: %d %s\nX-Ours: later\n%sContent-Length: %d\n\n",
		method, s.n, from, to, callID, cseq, method, kind, len(body)) + body))
}

// respond answers a request that was sent, as the party with a tag.
func (s *server) respond(to moduletest.Sent, status, tag, body string, more ...string) {
	dest, _, _ := strings.Cut(to.Header("To"), ";tag=")
	lines := append([]string{"SIP/2.0 " + status, "Via: " + strings.ReplaceAll(to.Header("Via"), "|", "\r\nVia: "), "From: " + to.Header("From"), "To: " + dest + ";tag=" + tag, "Call-ID: " + to.Header("Call-ID"),
		"CSeq: " + to.Header("CSeq"), "Contact: <sip:" + tag + "@192.0.2.9:5061;transport=tls>"}, more...)
	if body != "" {
		lines = append(lines, "Content-Type: application/sdp")
	}
	src := &reactor.Source{Conn: 9, Proto: reactor.TLS, Outbound: true, Socket: moduletest.Sockets[0], Remote: netip.MustParseAddrPort("192.0.2.9:5061"), Local: moduletest.Sockets[0].Addr}
	s.Log, s.Sent = nil, nil
	s.Context.Receive([]byte(strings.Join(append(lines, fmt.Sprintf("Content-Length: %d", len(body)), "", body), "\r\n")), src)
}

// has checks headers, and behind "" the body, of a message.
func (s *server) has(m moduletest.Sent, want map[string]string) {
	s.t.Helper()
	for name, value := range want {
		got := m.Header(name)
		if name == "" {
			_, got, _ = strings.Cut(m.Text, "\r\n\r\n")
		}
		if got != value {
			s.t.Errorf("%s is %q, want %q in\n%s", name, got, value, m.Text)
		}
	}
}

func tagOf(value string) string {
	_, tag, _ := strings.Cut(value, ";tag=")
	return tag
}

// answered makes a call that both parties have answered; it gives the caller's key and the INVITE to the callee.
func (s *server) answered() (key string, invite moduletest.Sent) {
	s.t.Helper()
	s.invite()
	invite = s.take("100 INVITE")[1]
	s.respond(invite, "200 OK", "callee", "v=0 answer\r\n")
	key = tagOf(s.take("200")[0].Header("To"))
	s.later("ACK", key, 314159, "")
	s.take("ACK")
	return key, invite
}
