package main

import (
	"fmt"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

	"sipreactor/sipframe"
)

// datagrams is a user agent over UDP.
type datagrams struct {
	*testing.T
	c *net.UDPConn
}

// next gives the next message that begins so; others are skipped.
func (a *datagrams) next(start string) *sipframe.Message {
	a.Helper()
	b := make([]byte, 65536)
	_ = a.c.SetReadDeadline(time.Now().Add(patience))
	for {
		n, err := a.c.Read(b)
		if err != nil {
			a.Fatalf("no %s: %v", start, err)
		}
		if !strings.HasPrefix(string(b[:n]), start) {
			continue
		}
		m := new(sipframe.Message)
		if err := m.Parse(append([]byte(nil), b[:n]...)); err != nil {
			a.Fatal(err)
		}
		return m
	}
}

// answer answers a request of the program's.
func (a *datagrams) answer(to string, m *sipframe.Message, status string) {
	a.Helper()
	var b strings.Builder
	b.WriteString("SIP/2.0 " + status + "\r\n")
	for i := range m.NumHeaders() {
		switch h := m.Header(i); h.Kind {
		case sipframe.HeaderVia, sipframe.HeaderFrom, sipframe.HeaderCallID, sipframe.HeaderCSeq:
			b.Write(m.Bytes(h.Line))
		case sipframe.HeaderTo:
			fmt.Fprintf(&b, "To: %s;tag=them\r\n", m.Bytes(h.Value))
		default:
		}
	}
	a.send(to, b.String()+"Content-Length: 0\r\n\r\n")
}

func (a *datagrams) send(to, text string) {
	a.Helper()
	at, err := net.ResolveUDPAddr("udp", to)
	if err == nil {
		_, err = a.c.WriteTo([]byte(text), at)
	}
	if err != nil {
		a.Fatal(err)
	}
}

// TestTransactionCommands has requests sent, transactions answered and calls canceled by the management interface.
func TestTransactionCommands(t *testing.T) {
	c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	a := &datagrams{t, c}
	at, web, own := "127.0.0.1:"+freePort(t), freePort(t), c.LocalAddr().String()
	path := config(t, `socket=udp:`+at+`
loadmodule "proto_udp.so"
loadmodule "sl.so"
loadmodule "tm.so"
loadmodule "httpd.so"
loadmodule "mi_http.so"
modparam("httpd", "ip", "127.0.0.1")
modparam("httpd", "port", `+web+`)
route {
	if ($rm == "ACK") exit;
	if ($rU == "parked") { t_newtran(); t_wait_for_new_branches(); xlog("L_NOTICE", "parked as $T_id."); exit; }
	t_relay();
}
`)
	log, code := newOutput(), make(chan int, 1)
	go func() { code <- run(t.Context(), []string{"-f", path}, newOutput(), log) }()
	log.wait(t, "msg=ready")
	mi := func(method string, words ...string) string {
		_, out, errs := command(t, append([]string{"mi", "--to", "http://127.0.0.1:" + web + "/mi", method}, words...)...)
		return out + errs
	}

	// A request of our own: its 2xx without a Contact is acknowledged where it went.
	told := make(chan string, 1)
	uri := "sip:bob@" + own
	go func() {
		told <- mi("tm:uac_dlg", "INVITE", uri, "From: <sip:us@example.org>\\r\\nTo: <"+uri+">\\r\\nContact: <sip:us@"+at+">\\r\\n")
	}()
	invite := a.next("INVITE ")
	a.answer(at, invite, "180 Ringing")
	a.answer(at, invite, "200 OK")
	if ack := a.next("ACK "); string(ack.RequestURI()) != uri {
		t.Errorf("the ACK: %s", ack.Raw())
	}
	if out := <-told; !strings.Contains(out, "200 OK") {
		t.Error(out)
	}
	if out := mi("t_uac_dlg", "MESSAGE", uri, "To: <"+uri+">\\r\\n"); !strings.Contains(out, "From missing") {
		t.Error(out)
	}

	// A call that waits is answered by its $T_id, once.
	invitation := func(user, id string) string {
		return fmt.Sprintf("INVITE sip:%s@%s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%s\r\nMax-Forwards: 70\r\nFrom: <sip:us@example.org>;tag=us\r\n"+
			"To: <sip:%s@example.org>\r\nCall-ID: %s\r\nCSeq: 7 INVITE\r\nContent-Length: 0\r\n\r\n", user, at, own, id, user, id)
	}
	a.send(at, invitation("parked", "one"))
	log.wait(t, "parked as ")
	id := regexp.MustCompile(`parked as ([0-9a-fx]+)\.`).FindStringSubmatch(log.String())
	if id == nil {
		t.Fatal(log)
	}
	if out := mi("t_reply", "486", "Not Now", id[1], "mytag", "X-More: yes\\r\\n"); out != "OK\n" {
		t.Error(out)
	}
	final := a.next("SIP/2.0 486 Not Now")
	if to, _ := final.To(); string(final.Bytes(to.Tag)) != "mytag" || !strings.Contains(string(final.Raw()), "\r\nX-More: yes\r\n") {
		t.Errorf("the answer: %s", final.Raw())
	}
	if out := mi("t_reply", "480", "Again", id[1], "."); !strings.Contains(out, "answered") && !strings.Contains(out, "not found") {
		t.Error(out)
	}

	// A call that is relayed is canceled by its Call-ID and CSeq.
	a.send(at, strings.Replace(invitation("bob", "two"), "INVITE sip:bob@"+at, "INVITE sip:bob@"+own, 1))
	a.next("SIP/2.0 100")
	invite = a.next("INVITE ")
	a.answer(at, invite, "180 Ringing")
	a.next("SIP/2.0 180")
	if out := mi("t_uac_cancel", "two", "7 INVITE"); out != "OK\n" {
		t.Error(out)
	}
	a.answer(at, a.next("CANCEL "), "200 OK")
	a.answer(at, invite, "487 Request Terminated")
	a.next("SIP/2.0 487")
	if out := mi("tm:uac_cancel", "three", "1"); !strings.Contains(out, "No such transaction") {
		t.Error(out)
	}
}
