package main

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"sipreactor/sipframe"
)

// TestPushNotifications: a phone that sleeps is woken by an event, and gets the INVITE by the connection that it registers
// over then; one that does not wake is given up.
func TestPushNotifications(t *testing.T) {
	t.Parallel()
	udp, tcp := "127.0.0.1:"+freePort(t), "127.0.0.1:"+freePort(t)
	path := config(t, `socket=udp:`+udp+`
socket=tcp:`+tcp+`
loadmodule "proto_udp.so"
loadmodule "proto_tcp.so"
loadmodule "sl.so"
loadmodule "tm.so"
loadmodule "signaling.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "event_route.so"
loadmodule "sipmsgops.so"
modparam("registrar", "pn_enable", true)
modparam("registrar", "pn_providers", "apns")
modparam("registrar", "pn_refresh_timeout", 3)
modparam("registrar", "pn_enable_purr", true)
route {
	if (is_method("REGISTER")) { save("location"); exit; }
	if (has_totag()) { async(pn_process_purr("location"), resumed); exit; }
	lookup("location");
	$var(rc) = $rc;
	xlog("lookup $var(rc)\n");
	if ($var(rc) == 2) exit;
	if ($var(rc) < 0) { send_reply(404, "Not Found"); exit; }
	t_relay();
}
route[resumed] { xlog("purr $rc\n"); send_reply(481, "Gone"); }
event_route[E_UL_CONTACT_REFRESH] { xlog("wake $param(aor) $param(reason) $param(req_callid)\n"); }
`)
	dir := t.TempDir()
	more, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(more, "loadmodule \"mi_fifo.so\"\nmodparam(\"mi_fifo\", \"fifo_name\", \"%s/fifo\")\nmodparam(\"mi_fifo\", \"reply_dir\", \"%[1]s\")\n", dir)
	more.Close()
	log, code := newOutput(), make(chan int, 1)
	go func() { code <- run(t.Context(), []string{"-f", path}, newOutput(), log) }()
	log.wait(t, "msg=ready")
	reload := func() {
		t.Helper()
		if code, out, errs := command(t, "mi", "--to", dir+"/fifo", "--reply-dir", dir, "reload_routes"); code != exitOK {
			t.Fatalf("reload_routes: %s%s", out, errs)
		}
	}
	defer func() {
		if t.Failed() {
			t.Logf("log:\n%s", log)
		}
	}()
	seq := 0
	purr := ""
	// register returns how what comes behind it is read: a call may come before the answer.
	register := func() (net.Conn, func() (*sipframe.Message, error)) {
		t.Helper()
		c, err := net.Dial("tcp", tcp)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		_ = c.SetDeadline(time.Now().Add(patience))
		seq++
		fmt.Fprintf(c, "REGISTER sip:example.org SIP/2.0\r\nVia: SIP/2.0/TCP %s;branch=z9hG4bKr%d;rport\r\nMax-Forwards: 70\r\nFrom: <sip:alice@example.org>;tag=f\r\n"+
			"To: <sip:alice@example.org>\r\nCall-ID: r\r\nCSeq: %[2]d REGISTER\r\nContact: <sip:alice@%[1]s;transport=tcp;pn-provider=apns;pn-prid=x;pn-param=y>\r\n"+
			"Content-Length: 0\r\n\r\n", c.LocalAddr(), seq)
		in := bufio.NewReader(c)
		var early []*sipframe.Message
		m, err := readMessage(in)
		for ; err == nil && m.IsRequest(); m, err = readMessage(in) {
			early = append(early, m)
		}
		if err != nil {
			t.Fatal(err)
		}
		_, after, ok := strings.Cut(string(m.Raw()), `+sip.pnspurr="`)
		if !ok || m.StatusCode() != 200 {
			t.Fatalf("registered:\n%s", m.Raw())
		}
		purr, _, _ = strings.Cut(after, `"`)
		return c, func() (*sipframe.Message, error) {
			if len(early) == 0 {
				return readMessage(in)
			}
			m := early[0]
			early = early[1:]
			return m, nil
		}
	}
	caller, err := net.Dial("udp", udp)
	if err != nil {
		t.Fatal(err)
	}
	defer caller.Close()
	_ = caller.SetDeadline(time.Now().Add(patience))
	request := func(method, uri, id, tag string) {
		fmt.Fprintf(caller, "%s %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%s;rport\r\nMax-Forwards: 70\r\nFrom: <sip:bob@example.org>;tag=b\r\n"+
			"To: <sip:alice@example.org>%s\r\nCall-ID: %[4]s\r\nCSeq: 1 %[1]s\r\nContent-Length: 0\r\n\r\n", method, uri, caller.LocalAddr(), id, tag)
	}
	final := func(id string) string {
		t.Helper()
		b := make([]byte, 4096)
		for {
			n, err := caller.Read(b)
			if err != nil {
				t.Fatal(err)
			}
			if rest, ok := strings.CutPrefix(string(b[:n]), "SIP/2.0 "); ok && rest[0] != '1' && strings.Contains(rest, "\r\nCall-ID: "+id+"\r\n") {
				return rest[:3]
			}
		}
	}
	asleep, _ := register()
	asleep.Close()

	request("INVITE", "sip:alice@example.org", "one", "")
	log.wait(t, "lookup 2")
	log.wait(t, "wake alice ini-INVITE one")
	reload() // what waits goes on
	awake, next := register()
	m, err := next()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(m.RequestURI()), fmt.Sprintf("sip:alice@%s;transport=tcp", awake.LocalAddr()); string(m.MethodName()) != "INVITE" || got != want {
		t.Errorf("the phone gets\n%s\nwant an INVITE of %s", m.Raw(), want)
	}
	text := "SIP/2.0 486 Busy Here\r\n"
	for line := range strings.SplitSeq(string(m.Raw()), "\r\n") {
		for _, name := range []string{"Via:", "From:", "To:", "Call-ID:", "CSeq:"} {
			if strings.HasPrefix(line, name) {
				text += line + "\r\n"
			}
		}
	}
	fmt.Fprint(awake, strings.Replace(text, "\r\nCall-ID:", ";tag=p\r\nCall-ID:", 1)+"Content-Length: 0\r\n\r\n")
	if got := final("one"); got != "486" {
		t.Errorf("the caller gets %s", got)
	}
	request("INVITE", "sip:alice@example.org", "two", "")
	log.wait(t, "wake alice ini-INVITE two")
	reload()
	if got := final("two"); got != "480" {
		t.Errorf("nobody wakes: the caller gets %s", got)
	}
	request("MESSAGE", "sip:alice@192.0.2.1;pn-purr="+purr, "three", ";tag=p")
	log.wait(t, "wake alice mid-MESSAGE three")
	reload()
	register()
	log.wait(t, "purr 1")
	request("MESSAGE", "sip:alice@192.0.2.1;pn-purr=1234", "four", ";tag=p")
	log.wait(t, "purr 2")
}
