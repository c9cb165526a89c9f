package browser

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/textproto"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sipreactor/reactor/ports"
)

// hostile is a name in a certificate that would like to be markup.
const hostile = `<img src=x onerror=alert(1)> "&`

const configuration = `log_level=2
socket=tls:127.0.0.1:{{tls}}
socket=tcp:127.0.0.1:{{tcp}}
loadmodule "proto_tls.so"
loadmodule "proto_tcp.so"
loadmodule "tls_mgm.so"
loadmodule "sl.so"
loadmodule "sipmsgops.so"
loadmodule "httpd.so"
loadmodule "mi_http.so"
state_dir="{{dir}}/state"
modparam("httpd", "port", {{http}})
modparam("proto_tls", "tls_handshake_timeout", 20000)
modparam("tls_mgm", "server_domain", "edge")
modparam("tls_mgm", "certificate", "[edge]{{dir}}/edge.pem")
modparam("tls_mgm", "private_key", "[edge]{{dir}}/edge.key")
modparam("tls_mgm", "ca_list", "[edge]{{dir}}/ca.pem")
modparam("tls_mgm", "verify_cert", "[edge]1")
modparam("tls_mgm", "require_cert", "[edge]0")
modparam("tls_mgm", "client_domain", "peers")
modparam("tls_mgm", "certificate", "[peers]{{dir}}/client.pem")
modparam("tls_mgm", "private_key", "[peers]{{dir}}/client.key")
modparam("tls_mgm", "ca_list", "[peers]{{dir}}/ca.pem")
modparam("tls_mgm", "verify_cert", "[peers]0")
`

const routing = `
route {
	if (is_method("OPTIONS")) {
		sl_send_reply(200, "OK");
		exit;
	}
	forward();
}
`

// pki holds an authority and what it has signed; the files lie in a directory.
type pki struct {
	dir    string
	ca     *x509.Certificate
	key    *ecdsa.PrivateKey
	roots  *x509.CertPool
	serial int64
}

func newPKI(t *testing.T, dir string) *pki {
	p := &pki{dir: dir, roots: x509.NewCertPool()}
	p.make(t, "ca", "Example Carrier CA", 3650)
	p.make(t, "edge", "edge.example.net", 187)
	p.make(t, "client", "sbc-2.example.net", 21)
	return p
}

// make writes NAME.pem and NAME.key.
func (p *pki) make(t *testing.T, file, name string, days int) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p.serial++
	template := &x509.Certificate{
		SerialNumber: big.NewInt(p.serial), Subject: pkix.Name{CommonName: name, Organization: []string{"Example Carrier"}},
		NotBefore: time.Now().Add(-24 * time.Hour), NotAfter: time.Now().Add(time.Duration(days)*24*time.Hour + time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true,
		DNSNames: []string{"sip.example.net"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	parent, signer := p.ca, p.key
	if p.ca == nil {
		template.IsCA, template.KeyUsage = true, x509.KeyUsageCertSign
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	if p.ca == nil {
		if p.ca, err = x509.ParseCertificate(der); err != nil {
			t.Fatal(err)
		}
		p.key = key
		p.roots.AddCert(p.ca)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for suffix, block := range map[string]*pem.Block{".pem": {Type: "CERTIFICATE", Bytes: der}, ".key": {Type: "PRIVATE KEY", Bytes: keyDER}} {
		if err := os.WriteFile(filepath.Join(p.dir, file+suffix), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func (p *pki) pair(t *testing.T, file string) tls.Certificate {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(filepath.Join(p.dir, file+".pem"), filepath.Join(p.dir, file+".key"))
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

// peer is a client of the program's.
type peer struct {
	net.Conn
	read *textproto.Reader
	n    int
}

// dial connects to the program by TLS, with a certificate if one is named.
func (e *edge) dial(t *testing.T, certificate string) *peer {
	t.Helper()
	cfg := &tls.Config{RootCAs: e.pki.roots, ServerName: "sip.example.net"}
	if certificate != "" {
		cfg.Certificates = []tls.Certificate{e.pki.pair(t, certificate)}
	}
	d := tls.Dialer{NetDialer: &net.Dialer{Timeout: patience, LocalAddr: e.from}, Config: cfg}
	c, err := d.DialContext(t.Context(), "tcp", "127.0.0.1:"+e.tls)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return &peer{Conn: c, read: textproto.NewReader(bufio.NewReader(c))}
}

var calls atomic.Int64

// send sends a request that has no answer here.
func (p *peer) send(method, uri, body string) error {
	p.n++
	_, err := fmt.Fprintf(p, "%s %s SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.1:9;branch=z9hG4bK%d\r\nMax-Forwards: 70\r\n"+
		"From: <sip:a@example.net>;tag=1\r\nTo: <sip:b@example.net>\r\nCall-ID: %d\r\nCSeq: 1 %s\r\nContent-Length: %d\r\n\r\n%s",
		method, uri, p.n, calls.Add(1), method, len(body), body)
	return err
}

// ask sends OPTIONS and reads the answer.
func (p *peer) ask(t *testing.T) {
	t.Helper()
	_ = p.SetDeadline(time.Now().Add(patience))
	if err := p.send("OPTIONS", "sip:edge.example.net", ""); err != nil {
		t.Fatal(err)
	}
	line, err := p.read.ReadLine()
	if err != nil || !strings.HasPrefix(line, "SIP/2.0 200") {
		t.Fatalf("%q, %v", line, err)
	}
	header, err := p.read.ReadMIMEHeader()
	if err != nil {
		t.Fatal(err)
	}
	n, _ := strconv.Atoi(header.Get("Content-Length"))
	if _, err := io.CopyN(io.Discard, p.read.R, int64(n)); err != nil {
		t.Fatal(err)
	}
}

// isOpen tells whether nothing ends the connection for a moment.
func (p *peer) isOpen(t *testing.T) bool {
	t.Helper()
	_ = p.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	_, err := p.read.R.Peek(1)
	timeout, is := err.(net.Error)
	return err == nil || is && timeout.Timeout()
}

// ends waits until the program closes the connection.
func (p *peer) ends(t *testing.T) {
	t.Helper()
	_ = p.SetReadDeadline(time.Now().Add(patience))
	_, err := io.Copy(io.Discard, p.read.R)
	if timeout, is := err.(net.Error); is && timeout.Timeout() {
		t.Fatal("the connection stays open")
	}
}

// silent is a listener that takes connections and says nothing.
func silent(t *testing.T) (port string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	_, port, _ = net.SplitHostPort(l.Addr().String())
	return port
}

// freePort gives a port that nobody is given by chance.
func freePort(t *testing.T) string {
	t.Helper()
	port, err := ports.Unused()
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// noTLS speaks to the TLS socket in the clear, until it is shown out.
func noTLS(t *testing.T, e *edge) {
	t.Helper()
	c, err := net.DialTimeout("tcp", "127.0.0.1:"+e.tls, patience)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(patience))
	fmt.Fprint(c, "OPTIONS sip:edge SIP/2.0\r\n\r\n")
	_, _ = io.Copy(io.Discard, c)
}
