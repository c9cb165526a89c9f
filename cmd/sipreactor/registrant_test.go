package main

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sipreactor/cmd/sipreactor/load"
	"sipreactor/reactor/digest"
	"sipreactor/sipframe"
)

// carrier is a registrar over TLS that wants credentials and 300 seconds.
type carrier struct {
	*testing.T
	conn *tls.Conn
	in   *bufio.Reader
}

// next reads a message.
func (c *carrier) next() *sipframe.Message {
	c.Helper()
	m, err := readMessage(c.in)
	if err != nil {
		c.Fatal(err)
	}
	return m
}

// answer answers a request.
func (c *carrier) answer(m *sipframe.Message, status string, headers ...string) {
	c.Helper()
	b := new(strings.Builder)
	fmt.Fprintf(b, "SIP/2.0 %s\r\n", status)
	for i := range m.NumHeaders() {
		switch h := m.Header(i); h.Kind {
		case sipframe.HeaderVia, sipframe.HeaderFrom, sipframe.HeaderCallID, sipframe.HeaderCSeq:
			b.Write(m.Bytes(h.Line))
		case sipframe.HeaderTo:
			fmt.Fprintf(b, "To: %s;tag=c\r\n", m.Bytes(h.Value))
		}
	}
	for _, h := range headers {
		b.WriteString(h + "\r\n")
	}
	b.WriteString("Content-Length: 0\r\n\r\n")
	if _, err := c.conn.Write([]byte(b.String())); err != nil {
		c.Fatal(err)
	}
}

// value is a header of a request.
func value(m *sipframe.Message, name string) string {
	if i := m.FindName([]byte(name)); i >= 0 {
		return string(m.Bytes(m.Header(i).Value))
	}
	return ""
}

// TestRegistrant registers at a carrier over TLS, which then calls by the same connection.
func TestRegistrant(t *testing.T) {
	dir := t.TempDir()
	ca, err := load.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	if err := ca.Write(dir, "edge", "ecdsa", "127.0.0.1"); err != nil {
		t.Fatal(err)
	}
	cert, err := tls.LoadX509KeyPair(filepath.Join(dir, "edge.pem"), filepath.Join(dir, "edge.key"))
	if err != nil {
		t.Fatal(err)
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	at, web := "127.0.0.1:"+freePort(t), freePort(t)
	path := config(t, `socket=tls:`+at+`
loadmodule "proto_tls.so"
loadmodule "tls_mgm.so"
loadmodule "sl.so"
loadmodule "tm.so"
loadmodule "uac_auth.so"
loadmodule "uac_registrant.so"
loadmodule "httpd.so"
loadmodule "mi_http.so"
modparam("httpd", "ip", "127.0.0.1")
modparam("httpd", "port", `+web+`)
modparam("tls_mgm", "server_domain", "edge")
modparam("tls_mgm", "certificate", "[edge]`+dir+`/edge.pem")
modparam("tls_mgm", "private_key", "[edge]`+dir+`/edge.key")
modparam("tls_mgm", "client_domain", "out")
modparam("tls_mgm", "certificate", "[out]`+dir+`/edge.pem")
modparam("tls_mgm", "private_key", "[out]`+dir+`/edge.key")
modparam("tls_mgm", "ca_list", "[out]`+dir+`/ca.pem")
modparam("tls_mgm", "match_ip_address", "[out]*")
modparam("uac_registrant", "uac", "sip:`+l.Addr().String()+`;transport=tls,,sip:trunk@carrier.example,,trunk,secret,sip:trunk@`+at+`;transport=tls,,60,tls:`+at+`")
route { sl_send_reply(486, "Busy"); }
event_route[E_REGISTRANT_REGISTERED] { xlog("registered as $param(aor) with $param(contact)\n"); }
loadmodule "event_route.so"
`)
	log, code := newOutput(), make(chan int, 1)
	go func() { code <- run(t.Context(), []string{"-f", path}, newOutput(), log) }()
	defer func() {
		if t.Failed() {
			t.Logf("log:\n%s", log)
		}
	}()
	log.wait(t, "msg=ready")
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	c := &carrier{T: t, conn: conn.(*tls.Conn), in: bufio.NewReader(conn)}

	m := c.next()
	if string(m.MethodName()) != "REGISTER" || value(m, "Expires") != "60" || value(m, "Contact") != "<sip:trunk@"+at+";transport=tls>" {
		t.Fatalf("the first REGISTER:\n%s", m.Raw())
	}
	callID := string(m.CallID())
	c.answer(m, "423 Interval Too Brief", "Min-Expires: 300")
	m = c.next()
	if value(m, "Expires") != "300" {
		t.Errorf("behind 423:\n%s", m.Raw())
	}
	c.answer(m, "401 Unauthorized", `WWW-Authenticate: Digest realm="carrier.example", nonce="n1", qop="auth", algorithm=SHA-256`,
		`WWW-Authenticate: Digest realm="carrier.example", nonce="n2", qop="auth"`)
	m = c.next()
	var cred digest.Credentials
	if err := digest.ParseCredentials([]byte(value(m, "Authorization")), &cred); err != nil {
		t.Fatalf("%v:\n%s", err, m.Raw())
	}
	ha1 := digest.AppendHA1(nil, digest.SHA256, []byte("trunk"), []byte("carrier.example"), []byte("secret"))
	seq, _, _ := m.CSeq()
	if cred.Algorithm != digest.SHA256 || !cred.Matches(ha1, []byte("REGISTER"), nil) || string(m.CallID()) != callID || seq != 3 {
		t.Errorf("the credentials:\n%s", m.Raw())
	}
	c.answer(m, "200 OK", "Contact: "+value(m, "Contact")+";expires=300")
	log.wait(t, "registered as sip:trunk@carrier.example with sip:trunk@"+at)
	mi := func(method string, words ...string) string {
		_, out, errs := command(t, append([]string{"mi", "--to", "http://127.0.0.1:" + web + "/mi", method}, words...)...)
		return out + errs
	}
	if list := mi("reg_list"); !strings.Contains(list, "REGISTERED_STATE") || strings.Contains(list, "secret") {
		t.Error(list)
	}

	fmt.Fprintf(conn, "INVITE sip:trunk@%s;transport=tls SIP/2.0\r\nVia: SIP/2.0/TLS %s;branch=z9hG4bKc\r\nMax-Forwards: 70\r\nFrom: <sip:x@carrier.example>;tag=x\r\n"+
		"To: <sip:trunk@carrier.example>\r\nCall-ID: call\r\nCSeq: 1 INVITE\r\nContact: <sip:x@%[2]s;transport=tls>\r\nContent-Length: 0\r\n\r\n", at, l.Addr())
	if m = c.next(); m.IsRequest() || m.StatusCode() != 486 {
		t.Errorf("a call by the connection:\n%s", m.Raw())
	}

	if out := mi("reg_disable", "sip:trunk@carrier.example", "sip:trunk@"+at+";transport=tls", "sip:"+l.Addr().String()+";transport=tls"); !strings.Contains(out, "OK") {
		t.Error(out)
	}
	if m = c.next(); value(m, "Expires") != "0" || string(m.CallID()) != callID {
		t.Errorf("unregisters:\n%s", m.Raw())
	}
	c.answer(m, "200 OK")
}
