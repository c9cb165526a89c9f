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
