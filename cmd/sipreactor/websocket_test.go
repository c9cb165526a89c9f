package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"sipreactor/cmd/sipreactor/load"
	"sipreactor/sipframe"
)

// webServer is the program with sockets of ws and wss, and a FIFO.
type webServer struct {
	*testing.T
	dir, ws, wss, path string
	ca                 *load.Authority
	log                *output
}

// webConfig has two TLS domains, by the name that a browser asks for; the second wants a certificate of who connects.
const webConfig = `socket=ws:WS
socket=wss:WSX
loadmodule "proto_ws.so"
loadmodule "proto_wss.so"
loadmodule "tls_openssl.so"
loadmodule "tls_mgm.so"
loadmodule "sl.so"
loadmodule "mi_fifo.so"
modparam("mi_fifo", "fifo_name", "DIR/fifo")
modparam("mi_fifo", "reply_dir", "DIR")
modparam("proto_ws|proto_wss", "require_origin", 0)
modparam("tls_mgm", "server_domain", "one")
modparam("tls_mgm", "match_sip_domain", "[one]one.example.com")
modparam("tls_mgm", "certificate", "[one]DIR/one.pem")
modparam("tls_mgm", "private_key", "[one]DIR/one.key")
modparam("tls_mgm", "verify_cert", "[one]0")
modparam("tls_mgm", "require_cert", "[one]0")
modparam("tls_mgm", "server_domain", "two")
modparam("tls_mgm", "match_sip_domain", "[two]two.example.com")
modparam("tls_mgm", "certificate", "[two]DIR/two.pem")
modparam("tls_mgm", "private_key", "[two]DIR/two.key")
modparam("tls_mgm", "ca_list", "[two]DIR/ca.pem")
modparam("tls_mgm", "verify_cert", "[two]1")
modparam("tls_mgm", "require_cert", "[two]1")
route { sl_send_reply(200, "REASON"); }
`

func startWebServer(t *testing.T) *webServer {
	t.Helper()
	w := &webServer{T: t, dir: t.TempDir(), ws: "127.0.0.1:" + freePort(t), wss: "127.0.0.1:" + freePort(t), log: newOutput()}
	var err error
	if w.ca, err = load.NewAuthority(); err != nil { // tests of its own write certificates
		t.Fatal(err)
	}
	for _, name := range []string{"one", "two"} {
		if err := w.ca.Write(w.dir, name, "ecdsa", name+".example.com"); err != nil {
			t.Fatal(err)
		}
	}
	w.path = filepath.Join(w.dir, "opensips.cfg")
	w.write("First")
	code := make(chan int, 1)
	go func() { code <- run(t.Context(), []string{"-f", w.path}, newOutput(), w.log) }()
	t.Cleanup(func() {
		<-code
		if t.Failed() {
			t.Logf("log:\n%s", w.log)
		}
	})
	w.log.wait(t, "msg=ready")
	return w
}

// write writes the configuration: what requests are answered.
func (w *webServer) write(reason string) {
	w.Helper()
	text := strings.NewReplacer("DIR", w.dir, "WSX", w.wss, "WS", w.ws, "REASON", reason).Replace(webConfig)
	if err := os.WriteFile(w.path, []byte(text), 0o600); err != nil {
		w.Fatal(err)
	}
}

func (w *webServer) command(name string) {
	w.Helper()
	if code, out, errs := command(w.T, "mi", "--to", w.dir+"/fifo", "--reply-dir", w.dir, name); code != exitOK {
		w.Fatalf("%s: %s%s", name, out, errs)
	}
}

// browser connects to a domain; "" is by ws. certificate tells whose it showed.
func (w *webServer) browser(domain string, own ...tls.Certificate) (b *frames, certificate *x509.Certificate, err error) {
	d := &net.Dialer{Timeout: patience}
	at, to := &url.URL{Scheme: "ws", Host: "one.example.com", Path: "/"}, w.ws
	if domain != "" {
		at.Scheme, at.Host, to = "wss", domain, w.wss
	}
	conn, err := d.Dial("tcp", to)
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(3 * patience))
	if domain != "" {
		secure := tls.Client(conn, &tls.Config{InsecureSkipVerify: true, ServerName: domain, Certificates: own})
		if err := secure.Handshake(); err != nil {
			return nil, nil, err
		}
		certificate, conn = secure.ConnectionState().PeerCertificates[0], secure
	}
	in, _, err := ws.Dialer{Protocols: []string{"sip"}}.Upgrade(conn, at)
	if in == nil {
		in = bufio.NewReader(conn)
	}
	return &frames{Conn: conn, in: in}, certificate, err
}

// must is browser where it has to come in.
func (w *webServer) must(domain string, own ...tls.Certificate) (*frames, *x509.Certificate) {
	w.Helper()
	b, certificate, err := w.browser(domain, own...)
	if err != nil {
		w.Fatalf("%s: %v", domain, err)
	}
	return b, certificate
}

func webOptions(id string) string {
	return "OPTIONS sip:one.example.com SIP/2.0\r\nVia: SIP/2.0/WSS df7jal23ls0d.invalid;branch=z9hG4bK" + id + "\r\nMax-Forwards: 70\r\nFrom: <sip:a@b>;tag=1\r\n" +
		"To: <sip:one.example.com>\r\nCall-ID: " + id + "\r\nCSeq: 1 OPTIONS\r\n\r\n"
}

// answer is the first line of what comes next.
func (w *webServer) answer(b *frames) string {
	w.Helper()
	frame, err := ws.ReadFrame(b.in)
	if err != nil {
		w.Fatal(err)
	}
	line, _, _ := strings.Cut(string(frame.Payload), "\r\n")
	return line
}

// TestWebSocketReload: behind a reload of the script, and of the certificates, browsers' connections live on: half a
// message that came before is whole behind it. Who connects then gets the new certificate.
func TestWebSocketReload(t *testing.T) {
	w := startWebServer(t)
	plain, _ := w.must("")
	secure, before := w.must("one.example.com")
	say := func(b *frames, op ws.OpCode, fin bool, text string) {
		t.Helper()
		if err := ws.WriteFrame(b.Conn, ws.MaskFrame(ws.NewFrame(op, fin, []byte(text)))); err != nil {
			t.Fatal(err)
		}
	}
	for i, b := range []*frames{plain, secure} {
		id := fmt.Sprint("first", i)
		say(b, ws.OpText, true, webOptions(id))
		if got := w.answer(b); got != "SIP/2.0 200 First" {
			t.Errorf("before: %s", got)
		}
		say(b, ws.OpText, false, webOptions(fmt.Sprint("second", i))[:30])
	}
	if err := w.ca.Write(w.dir, "one", "ecdsa", "one.example.com"); err != nil {
		t.Fatal(err)
	}
	w.write("Second")
	w.command("reload_routes")
	w.command("tls_reload")
	for i, b := range []*frames{plain, secure} {
		say(b, ws.OpContinuation, true, webOptions(fmt.Sprint("second", i))[30:])
		if got := w.answer(b); got != "SIP/2.0 200 Second" {
			t.Errorf("behind it: %s", got)
		}
	}
	if _, after := w.must("one.example.com"); before.SerialNumber.Cmp(after.SerialNumber) == 0 {
		t.Error("who connects behind it gets the old certificate")
	}
}

// TestWebSocketDomains: the name that a browser asks for chooses the TLS domain with all that belongs to it.
func TestWebSocketDomains(t *testing.T) {
	w := startWebServer(t)
	if _, got := w.must("one.example.com"); got.DNSNames[0] != "one.example.com" {
		t.Errorf("one gets the certificate of %v", got.DNSNames)
	}
	if err := w.ca.Write(w.dir, "phone", "ecdsa", "phone.example.com"); err != nil {
		t.Fatal(err)
	}
	own, err := tls.LoadX509KeyPair(filepath.Join(w.dir, "phone.pem"), filepath.Join(w.dir, "phone.key"))
	if err != nil {
		t.Fatal(err)
	}
	b, got := w.must("two.example.com", own)
	if got.DNSNames[0] != "two.example.com" {
		t.Errorf("two gets the certificate of %v", got.DNSNames)
	}
	if _, err := b.Write([]byte(webOptions("two"))); err != nil {
		t.Fatal(err)
	}
	if line := w.answer(b); line != "SIP/2.0 200 First" {
		t.Error(line)
	}
	if _, _, err := w.browser("two.example.com"); err == nil {
		t.Error("two lets in who shows no certificate")
	}
	elsewhere := t.TempDir()
	stranger, err := load.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	if err := stranger.Write(elsewhere, "phone", "ecdsa", "phone.example.com"); err != nil {
		t.Fatal(err)
	}
	if own, err = tls.LoadX509KeyPair(filepath.Join(elsewhere, "phone.pem"), filepath.Join(elsewhere, "phone.key")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.browser("two.example.com", own); err == nil {
		t.Error("two lets in who shows a certificate of a stranger")
	}
}

// TestWebSocketResource: a server is asked for ws_resource at ws_port, and one that does not answer is given up behind
// ws_handshake_timeout.
func TestWebSocketResource(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	udp := "127.0.0.1:" + freePort(t)
	path := config(t, `socket=udp:`+udp+`
socket=ws:127.0.0.1:`+freePort(t)+`
loadmodule "proto_udp.so"
loadmodule "proto_ws.so"
loadmodule "sl.so"
modparam("proto_ws", "ws_port", `+port+`)
modparam("proto_ws", "ws_resource", "/sip/edge")
modparam("proto_ws", "ws_handshake_timeout", 200)
route { if (!forward("ws:127.0.0.1")) sl_send_reply(477, "Send Failed"); }
`)
	log, code := newOutput(), make(chan int, 1)
	go func() { code <- run(t.Context(), []string{"-f", path}, newOutput(), log) }()
	defer func() {
		if t.Failed() {
			t.Logf("log:\n%s", log)
		}
	}()
	log.wait(t, "msg=ready")
	asked := make(chan string, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(patience))
		b := bufio.NewReader(c)
		line, _ := b.ReadString('\n')
		asked <- line
		_, _ = b.ReadString(0) // until it gives up
	}()
	c, err := net.Dial("udp", udp)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(patience))
	fmt.Fprint(c, strings.Replace(webOptions("r"), "SIP/2.0/WSS df7jal23ls0d.invalid", "SIP/2.0/UDP "+c.LocalAddr().String(), 1))
	b := make([]byte, 4096)
	n, err := c.Read(b) // it gives up: ws_handshake_timeout
	if err != nil {
		t.Fatal(err)
	}
	var m sipframe.Message
	if err := m.Parse(b[:n]); err != nil || m.StatusCode() < 400 {
		t.Errorf("the sender gets %s", b[:n])
	}
	if got := <-asked; got != "GET /sip/edge HTTP/1.1\r\n" {
		t.Errorf("the server is asked %q", got)
	}
}
