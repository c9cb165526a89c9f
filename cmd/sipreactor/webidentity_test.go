package main

import (
	"context"
	"crypto/tls"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sipreactor/reactor/mi"
)

// Management is served over HTTPS, with the certificate that tls_reload found last; a reload that fails keeps it.
func TestManagementOverHTTPS(t *testing.T) {
	r := serving(t)
	r.signal(t, 15)
	r.exit(t)
	port := freePort(t)
	cert, key := filepath.Join(r.dir, "edge.pem"), filepath.Join(r.dir, "edge.key")
	path := config(t, `socket=udp:127.0.0.1:`+freePort(t)+`
loadmodule "proto_udp.so"
loadmodule "httpd.so"
loadmodule "mi_http.so"
modparam("httpd", "port", `+port+`)
modparam("httpd", "tls_cert_file", "`+cert+`")
modparam("httpd", "tls_key_file", "`+key+`")
route { exit; }
`)
	ctx, cancel := context.WithCancel(t.Context())
	stderr, code := newOutput(), make(chan int, 1)
	go func() { code <- run(ctx, []string{"-f", path}, newOutput(), stderr) }()
	stderr.wait(t, "msg=ready")
	serial := func() string {
		t.Helper()
		c, err := tls.Dial("tcp", "127.0.0.1:"+port, r.ca.ClientConfig())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		return c.ConnectionState().PeerCertificates[0].SerialNumber.String()
	}
	call := func(method string) (string, error) {
		transport := &http.Transport{TLSClientConfig: r.ca.ClientConfig()}
		defer transport.CloseIdleConnections()
		client := mi.Client{Target: "https://127.0.0.1:" + port + "/mi", Token: token(t), HTTP: &http.Client{Transport: transport}}
		got, err := client.Call(t.Context(), method, nil)
		return string(got), err
	}
	first := serial()
	if err := r.ca.Write(r.dir, "edge", "ecdsa", "127.0.0.1"); err != nil {
		t.Fatal(err)
	}
	if got, err := call("tls_reload"); err != nil || got != `"OK"` {
		t.Fatalf("%s, %v", got, err)
	}
	second := serial()
	if second == first {
		t.Error("the old certificate is shown behind tls_reload")
	}
	if err := r.ca.Write(r.dir, "other", "ecdsa", "127.0.0.1"); err != nil {
		t.Fatal(err)
	}
	copyFile(t, filepath.Join(r.dir, "other.key"), key) // a key that is another certificate's
	if _, err := call("tls_reload"); err == nil {
		t.Error("a key that does not fit is loaded")
	}
	if serial() != second {
		t.Error("a reload that failed changed the certificate")
	}
	if code, _, errs := command(t, "-C", "-f", path); code != exitFailed || !strings.Contains(errs, "tls_cert_file") {
		t.Errorf("-C: exit code %d: %s", code, errs)
	}
	cancel()
	if c := <-code; c != exitOK {
		t.Errorf("exit code %d: %s", c, stderr)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}
