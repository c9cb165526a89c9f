package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"sipreactor/sipframe"
)

// watcher is a client over TCP that answers the requests it gets.
type watcher struct {
	*testing.T
	conn net.Conn
	in   *bufio.Reader
	seq  int
}

// send sends a request of alice.
func (w *watcher) send(method, to, call string, headers ...string) {
	w.Helper()
	w.seq++
	uri, _, inside := strings.Cut(to, ">") // with a tag
	if to = "<" + to; !inside {
		to += ">"
	}
	_, err := fmt.Fprintf(w.conn, "%s %s SIP/2.0\r\nVia: SIP/2.0/TCP %s;branch=z9hG4bK%s%d;rport\r\nMax-Forwards: 70\r\nFrom: \"Alice A.\" <sip:alice@example.org>;tag=%s\r\nTo: %s\r\nCall-ID: %[6]s\r\nCSeq: %[5]d %[1]s\r\nContact: <sip:alice@%[3]s;transport=tcp>\r\n%[8]sContent-Length: 0\r\n\r\n",
		method, uri, w.conn.LocalAddr(), call, w.seq, call, to, strings.Join(append(headers, ""), "\r\n"))
	if err != nil {
		w.Fatal(err)
	}
}

// until reads messages until one has all of the texts, and answers requests meanwhile.
func (w *watcher) until(texts ...string) string {
	w.Helper()
	var seen []string
	for {
		m, err := readWhole(w.in)
		if err != nil {
			w.Fatalf("%v: none with %q among\n%s", err, texts, strings.Join(seen, "\n"))
		}
		text := string(m.Raw())
		if m.IsRequest() && m.Method() != sipframe.ACK {
			respond(m, "200 OK", func(b string) { _, _ = w.conn.Write([]byte(b)) })
		}
		all := true
		for _, t := range texts {
			all = all && strings.Contains(text, t)
		}
		if all {
			return text
		}
		seen = append(seen, text)
	}
}

// readWhole reads one message of a stream, with its body.
func readWhole(in *bufio.Reader) (*sipframe.Message, error) {
	var b []byte
	length := 0
	for !bytes.HasSuffix(b, []byte("\r\n\r\n")) {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return nil, err
		}
		if name, value, _ := strings.Cut(string(line), ":"); strings.EqualFold(name, "Content-Length") {
			if length, err = strconv.Atoi(strings.TrimSpace(value)); err != nil {
				return nil, err
			}
		}
		b = append(b, line...)
	}
	head := len(b)
	b = append(b, make([]byte, length)...)
	if _, err := io.ReadFull(in, b[head:]); err != nil {
		return nil, err
	}
	m := new(sipframe.Message)
	return m, m.Parse(b)
}

// respond answers a request; To gets a tag.
func respond(m *sipframe.Message, status string, send func(string), headers ...string) {
	b := new(strings.Builder)
	fmt.Fprintf(b, "SIP/2.0 %s\r\n", status)
	for i := range m.NumHeaders() {
		switch h := m.Header(i); h.Kind {
		case sipframe.HeaderVia, sipframe.HeaderFrom, sipframe.HeaderCallID, sipframe.HeaderCSeq, sipframe.HeaderRecordRoute:
			b.Write(m.Bytes(h.Line))
		case sipframe.HeaderTo:
			tag := ""
			if !strings.Contains(string(m.Bytes(h.Value)), "tag=") {
				tag = ";tag=callee"
			}
			fmt.Fprintf(b, "To: %s%s\r\n", m.Bytes(h.Value), tag)
		}
	}
	send(b.String() + strings.Join(append(headers, "Content-Length: 0", "", ""), "\r\n"))
}

// TestPresenceUserAgent: a registration, a call and management are published to the server's own presence, and its watcher is told of all.
func TestPresenceUserAgent(t *testing.T) {
	udp, tcp, web := freePort(t), freePort(t), freePort(t)
	callee, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer callee.Close()
	_ = callee.SetDeadline(time.Now().Add(patience))
	log := newOutput()
	path := config(t, `state_dir="`+t.TempDir()+`"
socket=udp:127.0.0.1:`+udp+`
socket=tcp:127.0.0.1:`+tcp+`
loadmodule "proto_udp.so"
loadmodule "proto_tcp.so"
loadmodule "httpd.so"
loadmodule "mi_http.so"
loadmodule "signaling.so"
loadmodule "sl.so"
loadmodule "tm.so"
loadmodule "rr.so"
loadmodule "sipmsgops.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "dialog.so"
loadmodule "presence.so"
loadmodule "presence_xml.so"
loadmodule "presence_mwi.so"
loadmodule "presence_dialoginfo.so"
loadmodule "pua.so"
loadmodule "pua_mi.so"
loadmodule "pua_usrloc.so"
loadmodule "pua_dialoginfo.so"
modparam("httpd", "port", `+web+`)
modparam("httpd", "token", "none")
modparam("presence_xml", "force_active", 1)
modparam("pua_usrloc|pua_mi|pua_dialoginfo", "presence_server", "sip:127.0.0.1:`+udp+`")
modparam("pua_dialoginfo", "publish_on_trying", 1)
modparam("pua_dialoginfo", "callee_spec_param", "$var(callee)")
route {
	if (has_totag() && !is_method("SUBSCRIBE|NOTIFY")) {
		loose_route();
		$du = "sip:`+callee.LocalAddr().String()+`";
		t_relay();
		exit;
	}
	switch ($rm) {
	case "PUBLISH":
		t_newtran(); handle_publish();
		break;
	case "SUBSCRIBE":
		t_newtran(); handle_subscribe();
		break;
	case "NOTIFY":
		pua_update_contact();
		xlog("notify for $rU: $rc\n");
		sl_send_reply(200, "OK");
		break;
	case "REGISTER":
		pua_set_publish();
		save("location");
		break;
	case "INVITE":
		create_dialog();
		$var(callee) = "\"Bob\" <sip:bob@example.org;x=1>";
		dialoginfo_set();
		record_route();
		$du = "sip:`+callee.LocalAddr().String()+`";
		t_relay();
	}
}
`)
	code := make(chan int, 1)
	go func() { code <- run(t.Context(), []string{"-f", path}, newOutput(), log) }()
	t.Cleanup(func() {
		<-code
		if t.Failed() {
			t.Logf("log:\n%s", log)
		}
	})
	log.wait(t, "msg=ready")
	conn, err := net.Dial("tcp", "127.0.0.1:"+tcp)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	w := &watcher{T: t, conn: conn, in: bufio.NewReader(conn)}

	// A registration.
	w.send("SUBSCRIBE", "sip:alice@example.org", "presence", "Event: presence", "Expires: 600")
	w.until("NOTIFY", "Event: presence")
	w.send("REGISTER", "sip:alice@example.org", "register", "Expires: 600")
	w.until("NOTIFY", `entity="sip:alice@example.org"`, "<basic>open</basic>")
	w.send("REGISTER", "sip:alice@example.org", "register", "Expires: 0")
	w.until("NOTIFY", "<basic>closed</basic>")

	// A call, as who watches bob sees it: each document has the next number.
	w.send("SUBSCRIBE", "sip:bob@example.org", "dialog", "Event: dialog", "Expires: 600")
	w.until("NOTIFY", "Event: dialog", `version="0"`, "</dialog-info>")
	w.send("INVITE", "sip:+4930123@example.org", "call")
	buf := make([]byte, 1<<16)
	read := func(what string) (*sipframe.Message, func(string)) {
		t.Helper()
		n, from, err := callee.ReadFrom(buf)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		m := new(sipframe.Message)
		if err := m.Parse(append([]byte(nil), buf[:n]...)); err != nil {
			t.Fatal(err)
		}
		return m, func(text string) { _, _ = callee.WriteTo([]byte(text), from) }
	}
	invite, send := read("the INVITE")
	respond(invite, "180 Ringing", send, "Contact: <sip:bob@"+callee.LocalAddr().String()+">")
	w.until("NOTIFY", `version="1"`, `call-id="call"`, `local-tag="callee"`, `remote-tag="call"`, `direction="recipient"><state>early</state>`, `<identity display="Alice A.">sip:alice@example.org</identity>`, `<identity display="Bob">sip:bob@example.org</identity><target uri="sip:bob@example.org;x=1"/>`)
	respond(invite, "200 OK", send, "Contact: <sip:bob@"+callee.LocalAddr().String()+">")
	w.until("NOTIFY", `version="2"`, "<state>confirmed</state>")
	w.send("ACK", "sip:bob@"+callee.LocalAddr().String()+">;tag=callee", "call")
	w.send("BYE", "sip:bob@"+callee.LocalAddr().String()+">;tag=callee", "call", "Route: <sip:127.0.0.1:"+tcp+";transport=tcp;lr>")
	for {
		if m, send := read("the BYE"); m.Method() == sipframe.BYE {
			respond(m, "200 OK", send)
			break
		}
	}
	w.until("NOTIFY", `version="3"`, "<state>terminated</state>")

	// Management.
	mi := func(args ...string) string {
		t.Helper()
		code, out, errs := command(t, append([]string{"mi", "--to", "http://127.0.0.1:" + web + "/mi"}, args...)...)
		if code != exitOK {
			return errs
		}
		return out
	}
	w.send("SUBSCRIBE", "sip:bob@example.org", "mwi", "Event: message-summary", "Expires: 600")
	w.until("NOTIFY", "Event: message-summary")
	if got := mi("pua_publish", "sip:bob@example.org", "600", "message-summary", "application/simple-message-summary", ".", "X-Note: 1", "Messages-Waiting: yes"); !strings.Contains(got, "200") || !strings.Contains(got, "etag") {
		t.Errorf("pua_publish: %s", got)
	}
	w.until("NOTIFY", "Messages-Waiting: yes")
	if got := mi("pua_publish", "sip:bob@example.org", "600", "message-summary", "application/simple-message-summary", ".", ".", "nothing"); !strings.Contains(got, "400") {
		t.Errorf("pua_publish of a body that is none: %s", got)
	}
	if got := mi("pua_subscribe", "sip:bob@example.org", "sip:us@127.0.0.1:"+udp, "presence", "600"); !strings.Contains(got, "200") {
		t.Errorf("pua_subscribe: %s", got)
	}
	log.wait(t, "notify for us: 1")
	if got := mi("get_statistics", "pua:subscriptions"); !strings.Contains(got, "1") {
		t.Errorf("the subscription is not counted: %s", got)
	}
	if got := mi("pua_subscribe", "sip:bob@example.org", "sip:us@127.0.0.1:"+udp, "presence", "0"); !strings.Contains(got, "200") {
		t.Errorf("the end of pua_subscribe: %s", got)
	}
}
