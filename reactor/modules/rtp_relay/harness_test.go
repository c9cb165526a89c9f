package rtp_relay_test

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/modules/dialog"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/rr"
	"sipreactor/reactor/modules/rtp_relay"
	"sipreactor/reactor/modules/rtpengine"
	"sipreactor/reactor/modules/rtpengine/ng"
	"sipreactor/reactor/modules/rtpproxy"
	"sipreactor/reactor/modules/signaling"
	"sipreactor/reactor/modules/sipmsgops"
	"sipreactor/reactor/modules/sl"
	"sipreactor/reactor/modules/tm"
	"sipreactor/reactor/script"
	"sipreactor/sipframe"
)

var modules = []script.Constructor{tm.New, sl.New, signaling.New, rr.New, sipmsgops.New, dialog.New, rtpengine.New, rtpproxy.New, rtp_relay.New}

// stub is a relay of either protocol. It moves an SDP's audio to a port of its own, the next one each time.
type stub struct {
	url  string
	mu   sync.Mutex
	got  []string
	gone []string // what ended media, which is told in the background
	port int
}

// newStub starts one that speaks ng, or rtpproxy's protocol.
func newStub(t *testing.T, speaksNG bool) *stub {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pc.Close() })
	s := &stub{url: "udp:" + pc.LocalAddr().String(), port: 40000}
	go func() {
		buf := make([]byte, 1<<16)
		for {
			n, from, err := pc.ReadFrom(buf)
			if err != nil {
				return
			}
			cookie, text, _ := bytes.Cut(buf[:n], []byte{' '})
			var answer string
			if speaksNG {
				answer = s.engine(text)
			} else {
				answer = s.proxy(strings.TrimSpace(string(text)))
			}
			_, _ = pc.WriteTo([]byte(string(cookie)+" "+answer), from)
		}
	}()
	return s
}

func (s *stub) note(text string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if text[0] == 'd' || text[0] == 'D' {
		s.gone = append(s.gone, text)
		return 0
	}
	s.got = append(s.got, text)
	s.port += 2
	return s.port
}

// engine answers as rtpengine does, and notes what matters here of a request.
func (s *stub) engine(text []byte) string {
	d, err := ng.Parse(text)
	if err != nil {
		return "d6:result5:errore"
	}
	words := []string{d.Text("command")}
	for _, e := range d[1:] {
		switch e.Key {
		case "sdp":
		case "call-id", "received-from":
			if e.Value != "c1" && e.Key == "call-id" {
				words = append(words, fmt.Sprint(e.Value))
			}
		default:
			words = append(words, fmt.Sprintf("%s=%v", e.Key, e.Value))
		}
	}
	if d.Text("command") == "ping" {
		return string(ng.Append(nil, ng.Dict{{Key: "result", Value: "pong"}}))
	}
	port := s.note(strings.Join(words, " "))
	answer := ng.Dict{{Key: "result", Value: "ok"}}
	if sdp := d.Text("sdp"); sdp != "" {
		before, rest, _ := strings.Cut(sdp, "m=audio ")
		_, rest, _ = strings.Cut(rest, " ")
		answer.Add("sdp", fmt.Sprintf("%sm=audio %d %s", before, port, rest))
	}
	return string(ng.Append(nil, answer))
}

// proxy answers as rtpproxy does.
func (s *stub) proxy(text string) string {
	if text == "" || text[0] == 'V' {
		return "20040107\n"
	}
	port := s.note(text)
	if text[0] == 'U' || text[0] == 'L' {
		return fmt.Sprintf("%d 127.0.0.1\n", port)
	}
	return "0\n"
}

// take checks what was asked since the last take.
func (s *stub) take(t *testing.T, want ...string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if got, want := strings.Join(s.got, "\n"), strings.Join(want, "\n"); got != want {
		t.Errorf("asked for\n%s\nwant\n%s", got, want)
	}
	s.got = nil
}

// ends waits until media was ended so.
func (s *stub) ends(t *testing.T, want ...string) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(2 * time.Millisecond) {
		s.mu.Lock()
		got := strings.Join(s.gone, "\n")
		s.mu.Unlock()
		if got == strings.Join(want, "\n") {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("ended\n%s\nwant\n%s", got, strings.Join(want, "\n"))
		}
	}
}

// call is a proxy with a caller and a callee.
type call struct {
	*moduletest.Bench
	t      *testing.T
	routes []string
	toTag  string
}

func newCall(t *testing.T, engine, proxy *stub, route string) *call {
	t.Helper()
	text := moduletest.Head("tm", "sl", "signaling", "rr", "sipmsgops", "dialog", "rtpengine", "rtpproxy", "rtp_relay", "proto_udp", "proto_tcp")
	if engine != nil {
		text += fmt.Sprintf("modparam(\"rtpengine\", \"rtpengine_sock\", \"3 == %s\")\nmodparam(\"rtpengine\", \"rtpengine_sock\", %q)\n", engine.url, engine.url)
	}
	if proxy != nil {
		text += fmt.Sprintf("modparam(\"rtpproxy\", \"rtpproxy_sock\", %q)\nmodparam(\"rtpproxy\", \"nortpproxy_str\", \"\")\n", proxy.url)
	}
	return &call{t: t, Bench: moduletest.New(t, text+route, modules...)}
}

// relaying has a script's statements in an INVITE's way.
func relaying(invite string, more ...string) string {
	return `
route {
	if (has_totag()) {
		if (!loose_route()) { if (is_method("ACK")) exit; send_reply(404, "Not Here"); exit; }
		t_relay();
		exit;
	}
	if (is_method("CANCEL")) { t_relay(); exit; }
	record_route();
	` + invite + `
	t_relay();
}
` + strings.Join(more, "\n")
}

var callee = &reactor.Source{Conn: 9, Proto: reactor.TLS, Outbound: true, Socket: moduletest.Sockets[0],
	Remote: netip.MustParseAddrPort("192.0.2.9:5061"), Local: moduletest.Sockets[0].Addr}

func sdp(port int) string {
	return fmt.Sprintf("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio %d RTP/AVP 0\r\n", port)
}

// with ends a message's lines with a body.
func with(lines []string, body string) []byte {
	if body != "" {
		lines = append(lines, "Content-Type: application/sdp")
	}
	return []byte(strings.Join(append(lines, fmt.Sprintf("Content-Length: %d", len(body))), "\r\n") + "\r\n\r\n" + body)
}

// request sends a request of the caller, or with back of the callee, and returns what was sent on of that method.
func (c *call) request(method, cseq string, back bool, body string) (sent []string) {
	c.t.Helper()
	from, to, uri, src := "<sip:alice@example.net>;tag=a", "<sip:bob@example.net>", "sip:bob@192.0.2.9;transport=tls", c.Source
	if c.toTag != "" {
		to += ";tag=" + c.toTag
	}
	if back {
		from, to, uri, src = to, from, "sip:alice@10.0.0.9:40000;transport=tls", callee
	}
	lines := []string{method + " " + uri + " SIP/2.0", "Via: SIP/2.0/TLS " + src.Remote.String() + ";branch=z9hG4bK" + method + cseq, "Max-Forwards: 70",
		"From: " + from, "To: " + to, "Call-ID: c1", "CSeq: " + cseq + " " + method, "Contact: <sip:" + strings.TrimPrefix(src.Remote.String(), "sip:") + ";transport=tls>"}
	if c.toTag != "" {
		lines = append(lines, c.routes...)
	}
	c.Sent = nil
	c.Context.Receive(with(lines, body), src)
	for _, s := range c.Sent {
		if strings.HasPrefix(s.Text, method+" ") {
			sent = append(sent, s.Text)
		}
	}
	return sent
}

// answer has a request that left answered, and returns what went back.
func (c *call) answer(request, status, tag, body string) string {
	c.t.Helper()
	m := new(sipframe.Message)
	if err := m.Parse([]byte(request)); err != nil {
		c.t.Fatalf("%q: %v", request, err)
	}
	lines := []string{"SIP/2.0 " + status, "Contact: <sip:bob@192.0.2.9;transport=tls>"}
	var routes []string
	for i := range m.NumHeaders() {
		switch h := m.Header(i); h.Kind {
		case sipframe.HeaderVia, sipframe.HeaderFrom, sipframe.HeaderCallID, sipframe.HeaderCSeq, sipframe.HeaderRecordRoute:
			lines = append(lines, strings.TrimSpace(string(m.Bytes(h.Line))))
			if h.Kind == sipframe.HeaderRecordRoute {
				routes = append(routes, "Route: "+string(m.Bytes(h.Value)))
			}
		case sipframe.HeaderTo:
			to := string(m.Bytes(h.Value))
			if !strings.Contains(to, ";tag=") {
				to += ";tag=" + tag
			}
			lines = append(lines, "To: "+to)
		}
	}
	if status[0] == '2' && c.toTag == "" {
		c.toTag, c.routes = tag, routes
	}
	c.Sent = nil
	c.Context.Receive(with(lines, body), callee)
	for _, s := range c.Sent {
		if strings.HasPrefix(s.Text, "SIP/2.0 ") {
			return s.Text
		}
	}
	return ""
}

// at checks which port the audio of a message is at.
func (c *call) at(text, port string) {
	c.t.Helper()
	_, rest, _ := strings.Cut(text, "m=audio ")
	if got, _, _ := strings.Cut(rest, " "); got != port {
		c.t.Errorf("the audio is at %q, want %q: %s", got, port, text)
	}
}
