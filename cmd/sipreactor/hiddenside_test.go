package main

import (
	"net"
	"strings"
	"testing"
)

const hidingConfig = `log_level=2
socket=udp:EDGE
loadmodule "proto_udp.so"
loadmodule "signaling.so"
loadmodule "sl.so"
loadmodule "tm.so"
loadmodule "rr.so"
loadmodule "sipmsgops.so"
loadmodule "dialog.so"
loadmodule "topology_hiding.so"
modparam("topology_hiding", "force_dialog", FORCE)
route {
	if (has_totag()) {
		if (is_method("ACK") && t_check_trans())
			exit;
		if (!topology_hiding_match()) {
			if (!is_method("ACK"))
				send_reply(481, "No Such Call");
			exit;
		}
		t_relay();
		exit;
	}
	if (is_method("CANCEL")) {
		if (t_check_trans())
			t_relay();
		exit;
	}
	t_check_trans();
	topology_hiding("FLAGS");
	if ($si == "127.0.0.21")
		$du = "sip:127.0.0.22:PORT";
	else
		$du = "sip:127.0.0.21:PORT";
	t_relay();
}
`

// TestHiddenSide: over real sockets, whatever passes, no side learns of the other's addresses, names, ways and Contacts, nor
// with the flag C a callee of the caller's Call-ID. User-Agent, Server and Warning pass as they are.
func TestHiddenSide(t *testing.T) {
	for _, tt := range []struct {
		name, flags, force string
		callID             bool // it is hidden
	}{{"dialog", "", "1", false}, {"dialog, Call-ID, user", "CD", "1", true}, {"dialog, same Contacts", "CaA", "1", true}, {"alone", "", "0", false}} {
		t.Run(tt.name, func(t *testing.T) { hiddenSide(t, tt.flags, tt.force, tt.callID) })
	}
}

func hiddenSide(t *testing.T, flags, force string, hidesCallID bool) {
	port, edge := freePort(t), "127.0.0.23:"+freePort(t)
	log := newOutput()
	path := config(t, strings.NewReplacer("EDGE", edge, "PORT", port, "FORCE", force, "FLAGS", flags).Replace(hidingConfig))
	code := make(chan int, 1)
	go func() { code <- run(t.Context(), []string{"-f", path}, newOutput(), log) }()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("log:\n%s", log)
		}
	})
	log.wait(t, "msg=ready")
	inner, outer := newSide(t, "inn", "127.0.0.21", port, edge), newSide(t, "out", "127.0.0.22", port, edge)
	clean := func() {
		t.Helper()
		for _, s := range []struct{ sees, of *side }{{inner, outer}, {outer, inner}} {
			host, _, _ := net.SplitHostPort(s.of.at())
			secrets := []string{"phone." + s.of.name, "z9hG4bK-" + s.of.name, "x=\"" + s.of.name, "<sip:" + s.of.at(), "UDP " + s.of.at(), "@" + s.of.at() + ";", "received=" + host}
			if hidesCallID && s.of.caller {
				secrets = append(secrets, host)
			}
			s.sees.clean(secrets...)
		}
	}
	for _, way := range [][2]*side{{inner, outer}, {outer, inner}} {
		a, b := way[0], way[1]
		pass := func(from, to *side, method, status string, more ...string) {
			t.Helper()
			from.request(method, more...)
			m := to.hear(method)
			to.answer(m, status)
			got := from.hear(status[:3] + " " + method)
			if method == "INVITE" {
				if status[0] == '2' {
					from.learn(got)
					from.request("ACK")
				} else {
					from.refused()
				}
				to.hear("ACK")
			}
		}
		a.begin(b)
		a.request("INVITE", "Supported: 100rel\r\n")
		invite := b.hear("INVITE")
		b.answer(invite, "100 Trying")
		b.answer(invite, "183 Session Progress", "Require: 100rel\r\nRSeq: 1\r\n")
		a.learn(a.hear("183 INVITE"))
		pass(a, b, "PRACK", "200 OK", "RAck: 1 1 INVITE\r\n")
		pass(a, b, "UPDATE", "200 OK")
		pass(b, a, "UPDATE", "491 Request Pending")
		b.answer(invite, "200 OK")
		a.learn(a.hear("200 INVITE"))
		a.seq = 1
		a.request("ACK")
		b.hear("ACK")
		a.seq = 10
		for _, s := range way {
			other := way[0]
			if s == a {
				other = b
			}
			pass(s, other, "INVITE", "200 OK")
			pass(s, other, "INVITE", "488 Not Acceptable Here")
			pass(s, other, "REFER", "202 Accepted", "Refer-To: <sip:carol@example.com>\r\n")
			pass(other, s, "NOTIFY", "200 OK", "Event: refer\r\nSubscription-State: terminated\r\n")
			pass(s, other, "INFO", "415 Unsupported Media Type")
			pass(s, other, "MESSAGE", "500 Server Internal Error")
			pass(s, other, "OPTIONS", "603 Decline")
			pass(s, other, "SUBSCRIBE", "200 OK", "Event: refer\r\n")
		}
		pass(b, a, "BYE", "200 OK")
		clean()

		for _, status := range []string{"404 Not Found", "486 Busy Here", "503 Service Unavailable", "603 Decline"} {
			a.begin(b)
			a.request("INVITE")
			m := b.hear("INVITE")
			b.answer(m, "180 Ringing")
			a.hear("180 INVITE")
			b.answer(m, status)
			b.hear("ACK")
			if got := "500"; status[:3] == "503" { // RFC 3261 16.7
				a.hear(got + " INVITE")
			} else {
				a.hear(status[:3] + " INVITE")
			}
			a.refused()
			clean()
		}

		a.begin(b)
		a.request("INVITE")
		m := b.hear("INVITE")
		b.answer(m, "180 Ringing")
		a.hear("180 INVITE")
		a.write(a.text("CANCEL", a.branch))
		b.answer(b.hear("CANCEL"), "200 OK")
		b.answer(m, "487 Request Terminated")
		b.hear("ACK")
		a.hear("487 INVITE")
		a.refused()
		clean()

		a.begin(b)
		a.request("SUBSCRIBE", "Event: presence\r\n")
		b.answer(b.hear("SUBSCRIBE"), "202 Accepted")
		a.learn(a.hear("202 SUBSCRIBE"))
		pass(b, a, "NOTIFY", "200 OK", "Event: presence\r\nSubscription-State: active\r\n")
		was := hidesCallID
		hidesCallID = false // C is for calls alone
		clean()
		hidesCallID = was
	}
}
