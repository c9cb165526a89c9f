package b2b_entities

import (
	"fmt"
	"testing"

	"sipreactor/reactor/modules/moduletest"
)

// TestWithdrawn: a later INVITE that is canceled is answered 487, and the script is told; its ACK ends here, and a CANCEL of
// nothing is answered 481.
func TestWithdrawn(t *testing.T) {
	a := newAgent(t, `route { ua_session_server_init($var(key), "a"); ua_session_reply($var(key), "INVITE", 200); }`)
	a.Receive(moduletest.Invite)
	key := a.key()
	send := func(method string) {
		a.Receive(moduletest.CRLF(fmt.Sprintf(`
%s sip:edge.example.org:5061;transport=tls SIP/2.0
Via: SIP/2.0/TLS 10.0.0.9:5061;branch=z9hG4bKagain
Max-Forwards: 70
From: "Alice A." <sip:alice@atlanta.example;x=1>;tag=1928301774
To: <sip:+4930123@example.net>;tag=%s
Call-ID: a84b4c76e66710@pc33
CSeq: 314160 %s
Content-Length: 0

`, method, key, method)))
	}
	a.within("ACK", 314159, key)
	a.take()
	for _, c := range []struct {
		method, answers string
		told            int
	}{{"CANCEL", "481", 0}, {"INVITE", "100", 1}, {"CANCEL", "200 487", 1}, {"ACK", "", 0}} {
		if send(c.method); a.Status() != c.answers {
			t.Errorf("%s: sent %q, want %q", c.method, a.Status(), c.answers)
		}
		if n := a.take(); n != c.told {
			t.Errorf("%s: %d events, want %d", c.method, n, c.told)
		}
	}
	if s := a.m.sessions.get(key); s == nil || len(s.waiting) != 0 {
		t.Errorf("session %v is not as it was", s)
	}
}
