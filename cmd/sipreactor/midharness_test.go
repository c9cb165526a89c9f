package main

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"sipreactor/sipframe"
)

// mid is a mid-registrar between phones over TCP and a main registrar over UDP.
type mid struct {
	*testing.T
	main     *net.UDPConn
	udp, tcp string
	log      *output
	from     net.Addr // of the last request to the main registrar
}

// midPhone is a phone.
type midPhone struct {
	*mid
	conn net.Conn
	in   *bufio.Reader
	seq  int
}

// startMid runs one.
func startMid(t *testing.T, params string) *mid {
	t.Helper()
	return startMidScript(t, params, func(script string) string { return script })
}

// startMidScript runs one with another script.
func startMidScript(t *testing.T, params string, change func(script string) string) *mid {
	t.Helper()
	m, path := newMid(t, params)
	script, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, []byte(change(string(script))), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	code := make(chan int, 1)
	go func() { code <- run(t.Context(), []string{"-f", path}, newOutput(), m.log) }()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("log:\n%s", m.log)
		}
		<-code
	})
	m.log.wait(t, "msg=ready")
	return m
}

// newMid writes the configuration of one, with parameters.
func newMid(t *testing.T, params string) (m *mid, path string) {
	t.Helper()
	l, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	m = &mid{T: t, main: l, udp: "127.0.0.1:" + freePort(t), tcp: "127.0.0.1:" + freePort(t), log: newOutput()}
	// Nobody answers the last request of many a test: no end waits for that.
	path = config(t, `shutdown_timeout=0
socket=udp:`+m.udp+`
socket=tcp:`+m.tcp+`
loadmodule "proto_udp.so"
loadmodule "proto_tcp.so"
loadmodule "sl.so"
loadmodule "tm.so"
loadmodule "signaling.so"
loadmodule "usrloc.so"
loadmodule "mid_registrar.so"
loadmodule "sipmsgops.so"
`+params+`
route {
	if (is_method("REGISTER")) {
		mid_registrar_save("location", "p1");
		switch ($retcode) {
		case 1:
			$ru = "sip:`+l.LocalAddr().String()+`";
			if (!t_relay()) send_reply(500, "Server Internal Error 1");
			break;
		case 2:
			xlog("absorbed\n");
			break;
		default:
			send_reply(500, "Server Internal Error 2");
		}
		exit;
	}
	if (!mid_registrar_lookup("location")) { t_reply(404, "Not Found"); exit; }
	if (!t_relay()) send_reply(500, "Server Internal Error 3");
}
`)
	return m, path
}

// phone connects.
func (m *mid) phone() *midPhone {
	m.Helper()
	c, err := net.Dial("tcp", m.tcp)
	if err != nil {
		m.Fatal(err)
	}
	m.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(patience))
	return &midPhone{mid: m, conn: c, in: bufio.NewReader(c)}
}

var seconds = regexp.MustCompile(`expires=[0-9]+`)

// uri is where the phone is.
func (p *midPhone) uri() string { return "sip:alice@" + p.conn.LocalAddr().String() + ";transport=tcp" }

// register sends a REGISTER with headers.
func (p *midPhone) register(headers ...string) {
	p.Helper()
	p.seq++
	at := p.conn.LocalAddr()
	fmt.Fprintf(p.conn, "REGISTER sip:example.org SIP/2.0\r\nVia: SIP/2.0/TCP %s;branch=z9hG4bK%d;rport\r\nMax-Forwards: 70\r\nFrom: <sip:alice@example.org>;tag=f\r\n"+
		"To: <sip:alice@example.org>\r\nCall-ID: %[1]s\r\nCSeq: %[2]d REGISTER\r\n%s\r\n\r\n", at, p.seq, strings.Join(append(headers, "Content-Length: 0"), "\r\n"))
}

// read is the next message that the phone gets: its first line with the Contacts.
func (p *midPhone) read() string {
	p.Helper()
	m, err := readMessage(p.in)
	if err != nil {
		p.Fatal(err)
	}
	return brief(p.Fatal, m.Raw())
}

// want reads what the phone has to get. Seconds may have passed since it registered, half a minute at most.
func (p *midPhone) want(want string) {
	p.Helper()
	pattern := seconds.ReplaceAllStringFunc(regexp.QuoteMeta(want), func(text string) string {
		n, _ := strconv.Atoi(strings.TrimPrefix(text, "expires="))
		less := fmt.Sprint("expires=(", n)
		for left := n - 1; left > max(0, n-30); left-- {
			less += fmt.Sprint("|", left)
		}
		return less + ")"
	})
	if got := p.read(); !regexp.MustCompile("^" + pattern + "$").MatchString(got) {
		p.Errorf("the phone gets\n%s\nwant\n%s", got, want)
	}
}

// brief is the first line of a message with its headers that tell of contacts.
func brief(fatal func(...any), raw []byte) string {
	var m sipframe.Message
	if err := m.Parse(raw); err != nil {
		fatal(err)
	}
	line, _, _ := strings.Cut(string(raw), "\r\n")
	out := []string{strings.TrimSuffix(strings.TrimPrefix(line, "SIP/2.0 "), " SIP/2.0")}
	for i := range m.NumHeaders() {
		switch h := m.Header(i); h.Kind {
		case sipframe.HeaderContact, sipframe.HeaderExpires, sipframe.HeaderPath:
			out = append(out, strings.TrimSpace(string(m.Bytes(h.Line))))
		}
	}
	return strings.Join(out, "|")
}

// asked is the next request that the main registrar gets.
func (m *mid) asked() []byte {
	m.Helper()
	_ = m.main.SetReadDeadline(time.Now().Add(patience))
	b := make([]byte, 4096)
	for {
		n, from, err := m.main.ReadFrom(b)
		if err != nil {
			m.Fatal(err)
		}
		if strings.HasPrefix(string(b[:n]), "REGISTER ") {
			m.from = from
			return b[:n]
		}
	}
}

// says has the main registrar answer a request.
func (m *mid) says(request []byte, status string, headers ...string) {
	m.Helper()
	text := "SIP/2.0 " + status + "\r\n"
	for line := range strings.SplitSeq(string(request), "\r\n") {
		for _, name := range []string{"Via:", "From:", "To:", "Call-ID:", "CSeq:"} {
			if strings.HasPrefix(line, name) {
				text += line + "\r\n"
			}
		}
	}
	for _, h := range headers {
		text += h + "\r\n"
	}
	if _, err := m.main.WriteTo([]byte(strings.Replace(text, "\r\nCall-ID:", ";tag=m\r\nCall-ID:", 1)+"Content-Length: 0\r\n\r\n"), m.from); err != nil {
		m.Fatal(err)
	}
}

// message has the main registrar send a MESSAGE, and returns the code of its answer if it comes from us.
func (m *mid) message(uri string) {
	m.Helper()
	at, err := net.ResolveUDPAddr("udp", m.udp)
	if err != nil {
		m.Fatal(err)
	}
	text := fmt.Sprintf("MESSAGE %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%d;rport\r\nMax-Forwards: 70\r\nFrom: <sip:bob@example.org>;tag=b\r\n"+
		"To: <sip:alice@example.org>\r\nCall-ID: %[3]d\r\nCSeq: 1 MESSAGE\r\nContent-Length: 0\r\n\r\n", uri, m.main.LocalAddr(), time.Now().UnixNano())
	if _, err := m.main.WriteTo([]byte(text), at); err != nil {
		m.Fatal(err)
	}
}

// answer is the code of the next response that the main registrar gets.
func (m *mid) answer() string {
	m.Helper()
	_ = m.main.SetReadDeadline(time.Now().Add(patience))
	b := make([]byte, 4096)
	for {
		n, _, err := m.main.ReadFrom(b)
		if err != nil {
			m.Fatal(err)
		}
		if rest, ok := strings.CutPrefix(string(b[:n]), "SIP/2.0 "); ok {
			return rest[:3]
		}
	}
}
