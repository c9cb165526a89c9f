package main

import (
	"bytes"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"sipreactor/cmd/sipreactor/load"
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

// side is a network on one side of the program: a phone behind a proxy, at one address. It keeps all that it gets.
type side struct {
	t       *testing.T
	name    string // in all that tells of it
	conn    net.PacketConn
	edge    net.Addr
	queue   chan *load.Message
	mu      sync.Mutex
	capture [][]byte
	sent    int

	// Of the call, as this side knows it.
	callID, target string
	tag, other     string
	routes         string
	caller         bool
	seq            int
	branch         string // of the last request that is no ACK
}

func newSide(t *testing.T, name, addr, port, edge string) *side {
	t.Helper()
	conn, err := net.ListenPacket("udp", addr+":"+port)
	if err != nil {
		t.Fatal(err)
	}
	to, err := net.ResolveUDPAddr("udp", edge)
	if err != nil {
		t.Fatal(err)
	}
	s := &side{t: t, name: name, conn: conn, edge: to, queue: make(chan *load.Message, 1000)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		seen := make(map[string]bool)
		for buf := make([]byte, 1<<16); ; {
			n, _, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			raw := bytes.Clone(buf[:n])
			m := new(load.Message)
			if m.Parse(raw) != nil {
				continue
			}
			s.mu.Lock()
			s.capture = append(s.capture, raw)
			s.mu.Unlock()
			if key := fmt.Sprintf("%s %d %s", m.CSeq, m.Status, m.Vias[0]); !seen[key] { // else it came again
				seen[key] = true
				s.queue <- m
			}
		}
	}()
	t.Cleanup(func() { conn.Close(); <-done })
	return s
}

func (s *side) at() string { return s.conn.LocalAddr().String() }
func (s *side) contact() string {
	return fmt.Sprintf("Contact: \"%s\" <sip:phone.%[1]s@%[2]s;ob>;+x=\"%[1]s\"\r\n", s.name, s.at())
}

// hear waits for a request of a method, or a response with a status.
func (s *side) hear(what string) *load.Message {
	s.t.Helper()
	for end := time.After(patience); ; {
		select {
		case m := <-s.queue:
			if m.Request && string(m.Method) == what || !m.Request && fmt.Sprint(m.Status)+" "+string(m.CSeqMethod()) == what {
				return m
			}
		case <-end:
			s.t.Fatalf("%s never comes to the %s side, which got\n%s", what, s.name, bytes.Join(s.capture, []byte("\n")))
		}
	}
}

func (s *side) write(text string) {
	s.t.Helper()
	if _, err := s.conn.WriteTo([]byte(text), s.edge); err != nil {
		s.t.Fatal(err)
	}
}

// begin makes the next requests those of another call that this side begins.
func (s *side) begin(other *side) {
	s.sent++
	s.callID, s.target, s.routes, s.caller, s.seq = fmt.Sprintf("%s-%d@%s", s.name, s.sent, s.at()), "sip:bob@"+s.edge.String(), "", true, 0
	s.tag, s.other = "a", ""
	other.caller, other.tag, other.other, other.seq = false, "b", "a", 100
}

// request sends a request; more are header lines.
func (s *side) request(method string, more ...string) {
	s.t.Helper()
	s.sent++
	branch := fmt.Sprintf("z9hG4bK-%s-%d", s.name, s.sent)
	if method != "ACK" {
		s.seq++
		s.branch = branch
	}
	s.write(s.text(method, branch, more...))
}

// refused acknowledges the refusal of an INVITE, which is part of its transaction.
func (s *side) refused() {
	s.t.Helper()
	was := s.other
	s.other = "b"
	s.write(s.text("ACK", s.branch))
	s.other = was
}

func (s *side) text(method, branch string, more ...string) string {
	from, to := "<sip:alice@example.com>;tag=a", "<sip:bob@example.com>"
	if s.other != "" || !s.caller {
		to += ";tag=b"
	}
	if !s.caller {
		from, to = to, from
	}
	text := fmt.Sprintf("%s %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=%s\r\nVia: SIP/2.0/UDP phone.%s.example:5099;branch=%[4]s-below\r\nMax-Forwards: 69\r\nFrom: %[6]s\r\nTo: %[7]s\r\n"+
		"Call-ID: %[8]s\r\nCSeq: %[9]d %[1]s\r\nUser-Agent: Telephone\r\n", method, s.target, s.at(), branch, s.name, from, to, s.callID, s.seq, method)
	if method != "CANCEL" {
		text += s.contact() + s.routes
	}
	if method == "INVITE" || method == "SUBSCRIBE" {
		text += "Record-Route: <sip:" + s.at() + ";lr>\r\n"
	}
	return text + strings.Join(more, "") + "Content-Length: 0\r\n\r\n"
}

// answer answers a request.
func (s *side) answer(m *load.Message, status string, more ...string) {
	s.t.Helper()
	text := "SIP/2.0 " + status + "\r\n"
	for _, v := range m.Vias {
		text += "Via: " + string(v) + "\r\n"
	}
	method := string(m.CSeqMethod())
	if method == "INVITE" || method == "SUBSCRIBE" {
		text += "Record-Route: <sip:" + s.at() + ";lr>\r\n" + joined("Record-Route", m.RecordRoutes)
		s.learn(m)
	}
	to := string(m.To)
	if !strings.Contains(to, ";tag=") && !strings.HasPrefix(status, "100") {
		to += ";tag=b"
	}
	s.write(text + fmt.Sprintf("From: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %s\r\nServer: Telephone\r\nWarning: 399 example.com \"as it is\"\r\n%s%sContent-Length: 0\r\n\r\n",
		m.From, to, m.CallID, m.CSeq, s.contact(), strings.Join(more, "")))
}

// learn takes from a message what later requests need.
func (s *side) learn(m *load.Message) {
	s.callID = string(m.CallID)
	if _, uri, ok := strings.Cut(string(m.Contact), "<"); ok {
		s.target, _, _ = strings.Cut(uri, ">")
	}
	s.other, s.routes = "b", ""
	for i := range m.RecordRoutes {
		r := m.RecordRoutes[i]
		if s.caller {
			r = m.RecordRoutes[len(m.RecordRoutes)-1-i]
		}
		if !bytes.Contains(r, []byte(s.at())) { // beyond our own proxy
			s.routes += "Route: " + string(r) + "\r\n"
		}
	}
}

// clean fails for what this side must not know of the other.
func (s *side) clean(secrets ...string) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range s.capture {
		for _, secret := range secrets {
			if bytes.Contains(b, []byte(secret)) {
				s.t.Errorf("%q is shown to the %s side:\n%s", secret, s.name, b)
				return
			}
		}
	}
	s.capture = nil
}

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
