package moduletest

import (
	"net/netip"
	"strings"
	"testing"

	"sipreactor/reactor"
	"sipreactor/sipframe"
)

// Answer returns a callee's response to a request that was sent, with further header lines. To
// has the tag b, unless it has one.
func (s Sent) Answer(t testing.TB, status string, more ...string) []byte {
	t.Helper()
	m := new(sipframe.Message)
	if err := m.Parse([]byte(s.Text)); err != nil {
		t.Fatalf("what was sent is no message: %v\n%s", err, s.Text)
	}
	text := "SIP/2.0 " + status + "\r\n"
	for i := range m.NumHeaders() {
		switch h := m.Header(i); h.Kind {
		case sipframe.HeaderVia, sipframe.HeaderFrom, sipframe.HeaderCallID, sipframe.HeaderCSeq, sipframe.HeaderRecordRoute:
			text += string(m.Bytes(h.Line))
		case sipframe.HeaderTo:
			to := string(m.Bytes(h.Value))
			if !strings.Contains(to, ";tag=") {
				to += ";tag=b"
			}
			text += "To: " + to + "\r\n"
		}
	}
	for _, line := range more {
		text += line + "\r\n"
	}
	return []byte(text + "Content-Length: 0\r\n\r\n")
}

// Callee is where the answers of a peer at an address come from.
func Callee(at netip.AddrPort) *reactor.Source {
	return &reactor.Source{Conn: 9, Proto: reactor.TLS, Outbound: true, Socket: Sockets[0], Remote: at, Local: Sockets[0].Addr}
}
