package main

import (
	"fmt"
	"net"
	"strings"
	"testing"

	"sipreactor/sipframe"
)

// TestSessionsOfOtherRoutes: what runs on no worker answers and ends a session whose INVITE came by one, and sends requests
// of its own.
func TestSessionsOfOtherRoutes(t *testing.T) {
	c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	a := &datagrams{t, c}
	at, own := "127.0.0.1:"+freePort(t), c.LocalAddr().String()
	path := config(t, `socket=udp:`+at+`
loadmodule "proto_udp.so"
loadmodule "signaling.so"
loadmodule "sl.so"
loadmodule "tm.so"
loadmodule "sipmsgops.so"
loadmodule "cfgutils.so"
loadmodule "event_route.so"
loadmodule "b2b_entities.so"
modparam("tm", "local_request_route", "shown")
route {
	if ($rU == "timer") { ua_session_server_init($shv(key), "n"); exit; }
	if (is_method("INVITE")) ua_session_server_init($var(key), "ab");
}
event_route[E_UA_SESSION] {
	if ($param(event_type) != "NEW") exit;
	if ($param(body) =~ "end") { ua_session_terminate($param(key)); exit; }
	ua_session_reply($param(key), "INVITE", 486);
	t_new_request("MESSAGE", "sip:event@`+own+`", "sip:us@example.org", "sip:them@example.org");
}
timer_route[answers, 1] {
	if ($shv(key) != NULL) ua_session_reply($shv(key), "INVITE", 603);
}
route[shown] {
	if (is_method("MESSAGE")) t_new_request("INFO", "sip:shown@`+own+`", "sip:us@example.org", "sip:them@example.org");
}
`)
	log, code := newOutput(), make(chan int, 1)
	go func() { code <- run(t.Context(), []string{"-f", path}, newOutput(), log) }()
	log.wait(t, "msg=ready")
	defer func() {
		if t.Failed() {
			t.Logf("log:\n%s", log)
		}
	}()
	for _, call := range []struct{ user, body, status string }{
		{"event", "answer", "486"}, {"event", "end", "480"}, {"timer", "answer", "603"},
	} {
		id := call.user + call.body
		a.send(at, fmt.Sprintf("INVITE sip:%s@%s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%s\r\nMax-Forwards: 70\r\nFrom: <sip:a@example.org>;tag=f\r\nTo: <sip:b@example.org>\r\n"+
			"Call-ID: %[4]s\r\nCSeq: 1 INVITE\r\nContact: <sip:a@%[3]s>\r\nContent-Type: text/plain\r\nContent-Length: %[5]d\r\n\r\n%[6]s", call.user, at, own, id, len(call.body), call.body))
		m := a.next("SIP/2.0 " + call.status)
		a.send(at, fmt.Sprintf("ACK sip:%s@%s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%s\r\nMax-Forwards: 70\r\nFrom: <sip:a@example.org>;tag=f\r\nTo: %s\r\n"+
			"Call-ID: %[4]s\r\nCSeq: 1 ACK\r\nContent-Length: 0\r\n\r\n", call.user, at, own, id, m.Value(sipframe.HeaderTo)))
		if call.status == "486" {
			for _, method := range []string{"MESSAGE", "INFO"} {
				a.answer(at, a.next(method), "200 OK")
			}
		}
	}
	if strings.Contains(log.String(), "panic") {
		t.Error("something has panicked")
	}
}
