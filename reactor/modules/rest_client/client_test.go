package rest_client

import (
	"bytes"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor/ports"
)

func made(t *testing.T, change func(o *options)) *client {
	t.Helper()
	o := defaults()
	if change != nil {
		change(&o)
	}
	c, err := newClient(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.http.CloseIdleConnections)
	return c
}

// TestRequests are sent as the script says, and their answers come back.
func TestRequests(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		if r.URL.Path == "/moved" {
			http.Redirect(w, r, "/", http.StatusFound)
			return
		}
		w.Header().Set("Content-Type", "text/x")
		w.WriteHeader(http.StatusAccepted)
		_, _ = w.Write([]byte(r.Method + " " + r.URL.RawQuery + " " + r.Header.Get("Content-Type") + " " + r.Header.Get("X-A") + " " + string(b)))
	}))
	defer srv.Close()
	c := made(t, nil)
	a := c.do(&request{method: "POST", url: srv.URL + "/?x=1", headers: []string{"X-A: 5"}, body: []byte("hello"), mime: "text/plain"})
	if a.code != codeOK || a.status != 202 || a.mime != "text/x" || string(a.body) != "POST x=1 text/plain 5 hello" {
		t.Errorf("%+v %s", a, a.body)
	}
	if a := c.do(&request{method: "GET", url: srv.URL + "/moved"}); a.status != 302 || a.code != codeOK {
		t.Errorf("a redirect is followed: %+v", a)
	}
	for _, bad := range []request{{method: "GET", url: "ftp://x"}, {method: "GET", url: ":"}, {method: "GET", url: srv.URL, headers: []string{"none"}}, {method: "GET", url: srv.URL, headers: []string{"X: a\r\nY: b"}}} {
		if a := c.do(&bad); a.code != codeInternal || a.status != 0 {
			t.Errorf("%+v: %+v", bad, a)
		}
	}
}

// TestFailures have the codes of the documentation.
func TestFailures(t *testing.T) {
	closed, err := ports.Address()
	if err != nil {
		t.Fatal(err)
	}
	if a := made(t, nil).do(&request{method: "GET", url: "http://" + closed}); a.code != codeRefused || a.status != 0 {
		t.Errorf("refused: %+v", a)
	}
	release := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/half" {
			_, _ = w.Write([]byte("half"))
			_ = http.NewResponseController(w).Flush()
		}
		<-release
	}))
	defer slow.Close()
	defer close(release)
	c := made(t, func(o *options) { o.timeout = 50 * time.Millisecond })
	if a := c.do(&request{method: "GET", url: slow.URL}); a.code != codeTransfer || a.status != 0 {
		t.Errorf("no answer: %+v", a)
	}
	some := made(t, func(o *options) { o.timeout = 3 * time.Second }) // in which the half of it comes
	if a := some.do(&request{method: "GET", url: slow.URL + "/half"}); a.code != codeTransfer || a.status != 200 || string(a.body) != "half" {
		t.Errorf("half an answer: %+v %s", a, a.body)
	}
	c.slots = make(chan struct{}, 1)
	c.slots <- struct{}{}
	if a := c.do(&request{method: "GET", url: slow.URL}); a.code != codeInternal {
		t.Errorf("too many: %+v", a)
	}
}

// TestSize bounds an answer.
func TestSize(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/streamed" { // without a length
			w.(http.Flusher).Flush()
		}
		_, _ = w.Write(bytes.Repeat([]byte("x"), 2000))
	}))
	defer srv.Close()
	for path, has := range map[string]int{"/": 0, "/streamed": 1024} {
		a := made(t, func(o *options) { o.size = 1024 }).do(&request{method: "GET", url: srv.URL + path})
		if a.code != codeInternal || len(a.body) != has || !errors.Is(a.err, errLarge) {
			t.Errorf("%s: %d bytes, %d, %v", path, len(a.body), a.code, a.err)
		}
	}
	if a := made(t, func(o *options) { o.size = 0 }).do(&request{method: "GET", url: srv.URL}); a.code != codeOK || len(a.body) != 2000 {
		t.Errorf("%d bytes, %d", len(a.body), a.code)
	}
}

// TestMemory is bounded over all answers that are being read, and is given back.
func TestMemory(t *testing.T) {
	const each, fit, more = 32 << 10, 4, 4
	sent, goOn := make(chan struct{}, fit+more), make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(bytes.Repeat([]byte("x"), each))
		w.(http.Flusher).Flush()
		sent <- struct{}{}
		<-goOn
	}))
	defer srv.Close()
	c := made(t, nil)
	c.most.Store(fit * 2 * each) // what one of them takes, with room for the next read
	answers := make(chan answer, fit+more)
	ask := func() { answers <- c.do(&request{method: "GET", url: srv.URL}) }
	for range fit + more {
		go ask()
	}
	for range fit + more {
		<-sent
	}
	refused := 0
	for end := time.Now().Add(20 * time.Second); refused == 0; {
		select {
		case a := <-answers:
			if !errors.Is(a.err, errMemory) {
				t.Fatalf("%+v", a)
			}
			refused++
		case <-time.After(time.Until(end)):
			t.Fatal("all of them are held")
		}
	}
	close(goOn)
	for range fit + more - refused {
		if a := <-answers; a.code != codeOK && !errors.Is(a.err, errMemory) || a.code == codeOK && len(a.body) != each {
			t.Errorf("%d, %v", a.code, a.err)
		}
	}
	if n := c.held.Load(); n != 0 {
		t.Errorf("%d bytes are held for nothing", n)
	}
}

// TestVerified is what is checked of a server's certificate.
func TestVerified(t *testing.T) {
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok")) }))
	defer srv.Close()
	srv.Config.ErrorLog = nil
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	named := strings.Replace(srv.URL, "127.0.0.1", "localhost", 1) // which the certificate does not have
	for _, tc := range []struct {
		change func(o *options)
		url    string
		want   int
	}{
		{nil, srv.URL, codeInternal},
		{func(o *options) { o.caPath = ca }, srv.URL, codeOK},
		{func(o *options) { o.caPath = filepath.Dir(ca) }, srv.URL, codeOK},
		{func(o *options) { o.caPath = ca }, named, codeInternal},
		{func(o *options) { o.caPath, o.verifyHost = ca, false }, named, codeOK},
		{func(o *options) { o.verifyHost = false }, srv.URL, codeInternal},
		{func(o *options) { o.verifyPeer = false }, named, codeOK},
	} {
		if a := made(t, tc.change).do(&request{method: "GET", url: tc.url}); a.code != tc.want {
			t.Errorf("%s: %d, want %d: %v", tc.url, a.code, tc.want, a.err)
		}
	}
	o := defaults()
	o.caPath = "/none"
	if _, err := newClient(o); err == nil {
		t.Error("a CA file that is not there")
	}
}

// TestOneConnect refuses a second connection to a host while one is opened.
func TestOneConnect(t *testing.T) {
	c := made(t, func(o *options) { o.oneConnect = true })
	c.connecting["127.0.0.1:9"] = 1
	if a := c.do(&request{method: "GET", url: "http://127.0.0.1:9/"}); a.code != codeBusy {
		t.Errorf("%+v", a)
	}
}
