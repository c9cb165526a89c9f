package b2b_logic

import (
	"slices"
	"testing"

	"sipreactor/reactor"
	"sipreactor/reactor/modules/moduletest"
)

// TestUnserved: a party's 503 is the other one's, by way of the script's route for responses. A party that could not be
// reached is no 503 of ours.
func TestUnserved(t *testing.T) {
	s := newServer(t, transfers)
	s.invite()
	s.respond(s.take("100 INVITE")[1], "503 Overloaded", "callee", "")
	if !slices.Contains(s.Log, "reply 503 of callee") {
		t.Errorf("logged %q", s.Log)
	}
	s.take("ACK 503")

	s = newServer(t, transfers)
	key, _ := s.answered()
	s.later("INFO", key, 314160, "")
	s.respond(s.take("INFO")[0], "503 Overloaded", "callee", "")
	s.take("503")
	s.later("INVITE", key, 314161, "v=0 again\r\n")
	s.respond(s.take("100 INVITE")[1], "503 Overloaded", "callee", "")
	s.take("ACK 503")

	s.later("INFO", key, 314162, "")
	s.lost(s.take("INFO")[0])
	s.take("500")
}

// lost brings a request back that could not be delivered.
func (s *server) lost(m moduletest.Sent) {
	s.Sent = nil
	s.Context.Return(&reactor.Undelivered{Data: []byte(m.Text), Proto: reactor.TLS, Err: &reactor.Error{Reason: reactor.ConnectFailed}})
}
