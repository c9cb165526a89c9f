package b2b_logic

import (
	"fmt"
	"strings"
	"testing"

	"sipreactor/reactor/modules/moduletest"
)

// party sends requests of one side of a call that both have answered: the caller's, or the callee's.
func (s *server) party(caller bool, key string, invite moduletest.Sent) func(method string, cseq int) {
	return func(method string, cseq int) {
		if caller {
			s.later(method, key, cseq, "")
			return
		}
		s.request(method, invite.Header("To")+";tag=callee", invite.Header("From"), invite.Header("Call-ID"), cseq, "")
	}
}

// hop has the next request come by the branch of the last one.
func (s *server) hop() { s.n-- }

// TestReinviteCanceled: a CANCEL of a re-INVITE, of whichever side, reaches the other one, and what that answers is the
// answer, a 2xx that crosses the CANCEL included.
func TestReinviteCanceled(t *testing.T) {
	for _, crossed := range []bool{false, true} {
		for _, caller := range []bool{true, false} {
			t.Run(fmt.Sprintf("crossed %v, of the caller %v", crossed, caller), func(t *testing.T) {
				s := newServer(t, hides)
				key, invite := s.answered()
				send := s.party(caller, key, invite)
				send("INVITE", 314160)
				again := s.take("100 INVITE")[1]
				tag := tagOf(again.Header("To"))
				s.respond(again, "180 Ringing", tag, "")
				s.take("180")
				s.hop()
				send("CANCEL", 314160)
				cancel := s.take("200 CANCEL")[1]
				s.has(cancel, map[string]string{"Call-ID": again.Header("Call-ID"), "CSeq": strings.Replace(again.Header("CSeq"), "INVITE", "CANCEL", 1)})
				s.respond(cancel, "200 OK", tag, "")
				if crossed {
					s.respond(again, "200 OK", tag, "v=0 again\r\n")
					s.take("200")
					send("ACK", 314160)
					ack := s.take("ACK")[0]
					s.has(ack, map[string]string{"Call-ID": again.Header("Call-ID"), "CSeq": strings.Replace(again.Header("CSeq"), "INVITE", "ACK", 1)})
				} else {
					s.respond(again, "487 Request Terminated", tag, "")
					s.take("ACK 487")
					s.hop()
					send("ACK", 314160)
					s.take("")
				}
				send("INFO", 314161) // the call goes on
				s.take("INFO")
			})
		}
	}
}

// TestReinviteRefused: the ACK to a refusal ends here (RFC 3261 17.1.1.3), one to a 2xx goes on.
func TestReinviteRefused(t *testing.T) {
	for _, caller := range []bool{true, false} {
		s := newServer(t, hides)
		key, invite := s.answered()
		send := s.party(caller, key, invite)
		send("INVITE", 314160)
		again := s.take("100 INVITE")[1]
		s.respond(again, "488 Not Acceptable Here", tagOf(again.Header("To")), "")
		s.take("ACK 488")
		s.hop()
		send("ACK", 314160)
		s.take("")
	}
}

// TestAnsweredOverCancel: a 2xx that crosses the CANCEL of the call is acknowledged by the INVITE's number, and ended (RFC
// 3261 13.2.2.4).
func TestAnsweredOverCancel(t *testing.T) {
	s := newServer(t, hides)
	s.invite()
	invite := s.take("100 INVITE")[1]
	s.respond(invite, "180 Ringing", "callee", "")
	head, _, _ := strings.Cut(string(moduletest.Invite), "Content-Type")
	s.Receive([]byte(strings.ReplaceAll(head, "INVITE", "CANCEL") + "Content-Length: 0\r\n\r\n"))
	s.Sent = nil
	s.respond(invite, "200 OK", "callee", "v=0 answer\r\n")
	sent := s.take("ACK BYE")
	s.has(sent[0], map[string]string{"CSeq": "1 ACK"})
	s.has(sent[1], map[string]string{"CSeq": "2 BYE"})
}
