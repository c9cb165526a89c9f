package mi

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor/internal/waittest"
	"sipreactor/reactor/rpc"
	"sipreactor/tlsstate"
)

// loopback lets the kernel choose a port.
var loopback = netip.MustParseAddrPort("127.0.0.1:0")

func serveHTTP(t testing.TB, cfg HTTPConfig, d *rpc.Dispatcher) *HTTP {
	t.Helper()
	if !cfg.Addr.IsValid() {
		cfg.Addr = loopback
	}
	h, err := ServeHTTP(cfg, d)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		http.DefaultClient.CloseIdleConnections() // an unused one holds Close up
		if err := h.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return h
}

// send does one request; the headers come in pairs.
func send(t testing.TB, h *HTTP, method, path, body string, headers ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+h.Addr().String()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
		}
		r.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(b)
}

func TestHTTP(t *testing.T) {
	h := serveHTTP(t, HTTPConfig{}, echo(t))
	resp, body := send(t, h, "POST", "/mi", echoRequest("a", 1))
	if resp.StatusCode != 200 || body != echoReply("a", 1) || resp.Header.Get("Content-Type") != "application/json" ||
		resp.ContentLength != int64(len(body)) {
		t.Errorf("%v %s", resp.Header, body)
	}
	if resp, body = send(t, h, "POST", "/mi/", "["+echoRequest("a", 1)+"]"); resp.StatusCode != 200 || body != "["+echoReply("a", 1)+"]" {
		t.Errorf("batch: %d %s", resp.StatusCode, body)
	}
	if resp, body = send(t, h, "POST", "/mi", `{"jsonrpc":"2.0","method":"echo","params":["a"]}`); resp.StatusCode != 204 || body != "" {
		t.Errorf("notification: %d %q", resp.StatusCode, body)
	}
	if resp, body = send(t, h, "POST", "/mi", strings.Repeat(" ", rpc.MaxRequest+1)); resp.StatusCode != 413 || body != string(rpc.TooLarge()) {
		t.Errorf("large: %d %s", resp.StatusCode, body)
	}
	if resp, _ = send(t, h, "GET", "/mi", ""); resp.StatusCode != 405 || resp.Header.Get("Allow") != "POST" {
		t.Errorf("GET: %d", resp.StatusCode)
	}
	if resp, _ = send(t, h, "POST", "/else", ""); resp.StatusCode != 404 {
		t.Errorf("elsewhere: %d", resp.StatusCode)
	}
	h.Handle("GET /more", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "more") }))
	if _, body = send(t, h, "GET", "/more", ""); body != "more" {
		t.Errorf("more: %s", body)
	}
	rooted := serveHTTP(t, HTTPConfig{Root: "admin/rpc/"}, echo(t))
	if _, body = send(t, rooted, "POST", "/admin/rpc", echoRequest("a", 1)); body != echoReply("a", 1) {
		t.Errorf("root: %s", body)
	}
}

func TestHTTPRefusesToBeOpen(t *testing.T) {
	any4 := netip.MustParseAddrPort("0.0.0.0:0")
	some := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	for name, c := range map[string]HTTPConfig{
		"no list":               {Addr: any4, Token: "x"},
		"neither token nor TLS": {Addr: any4, Allow: some},
		"a pattern as its path": {Root: "{x}"},
		"an address not ours":   {Addr: netip.MustParseAddrPort("192.0.2.1:1"), Allow: some, Token: "x"},
	} {
		if _, err := ServeHTTP(c, echo(t)); err == nil {
			t.Errorf("served with %s", name)
		}
	}
	h := serveHTTP(t, HTTPConfig{Addr: any4, Allow: some, Token: "x"}, echo(t))
	local := netip.AddrPortFrom(loopback.Addr(), h.Addr().Port())
	c := Client{Target: "http://" + local.String() + "/mi", Token: "x"}
	if got, err := c.Call(t.Context(), "echo", []string{"a"}); err != nil || string(got) != `"a"` {
		t.Errorf("%s, %v", got, err)
	}
}

// selfSigned is a certificate for a server on loopback.
func selfSigned(t testing.TB) tls.Certificate {
	t.Helper()
	certPEM, keyPEM, err := tlsstate.Ephemeral([]string{"127.0.0.1"}, false)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

// TestHTTPSecure wraps the listener in TLS.
func TestHTTPSecure(t *testing.T) {
	pair := selfSigned(t)
	h := serveHTTP(t, HTTPConfig{Secure: func(l net.Listener) net.Listener {
		return tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{pair}})
	}}, echo(t))
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	defer transport.CloseIdleConnections()
	c := Client{Target: "https://" + h.Addr().String() + "/mi", HTTP: &http.Client{Transport: transport}}
	if got, err := c.Call(t.Context(), "echo", map[string]string{"text": "a"}); err != nil || string(got) != `"a"` {
		t.Errorf("%s, %v", got, err)
	}
}

// TestHTTPSlowClients: those who send nothing are shown out, and until then
// hold no more than their connection.
func TestHTTPSlowClients(t *testing.T) {
	h := serveHTTP(t, HTTPConfig{MaxConns: 2, Timeout: 100 * time.Millisecond}, echo(t))
	var slow []net.Conn
	for range 2 {
		c, err := net.Dial("tcp", h.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		fmt.Fprint(c, "POST /mi HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
		slow = append(slow, c)
	}
	waittest.For(t, "one behind slow ones is answered", func() bool { // who is stalled is slow as well, and shown out
		ctx, cancel := context.WithTimeout(t.Context(), patience/2)
		defer cancel()
		got, err := Call(ctx, "http://"+h.Addr().String()+"/mi", "echo", []string{"a"})
		return err == nil && string(got) == `"a"`
	})
	for _, c := range slow {
		_ = c.SetReadDeadline(time.Now().Add(patience))
		if resp, err := http.ReadResponse(bufio.NewReader(c), nil); err == nil && resp.StatusCode < 400 {
			t.Errorf("half a request was answered: %d", resp.StatusCode)
		}
	}
}

// slowCommand is a Dispatcher with a command that waits until release is closed
// or the caller is gone.
func slowCommand(t testing.TB) (d *rpc.Dispatcher, begun chan bool, release chan bool) {
	t.Helper()
	d, begun, release = echo(t), make(chan bool, 1), make(chan bool)
	if err := d.Register(rpc.Command{Name: "slow", Func: func(ctx context.Context, _ *rpc.Args) (any, error) {
		begun <- true
		select {
		case <-release:
			return "done", nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}}); err != nil {
		t.Fatal(err)
	}
	return d, begun, release
}

// TestHTTPClose: a request that is being carried out is answered, unless the
// time for that is over.
func TestHTTPClose(t *testing.T) {
	for _, patient := range []bool{true, false} {
		d, begun, release := slowCommand(t)
		h, err := ServeHTTP(HTTPConfig{Addr: loopback}, d)
		if err != nil {
			t.Fatal(err)
		}
		answered := make(chan error)
		go func() {
			got, err := Call(context.Background(), "http://"+h.Addr().String()+"/mi", "slow", nil)
			if err == nil && string(got) != `"done"` {
				err = fmt.Errorf("got %s", got)
			}
			answered <- err
		}()
		<-begun
		ctx, cancel := context.WithCancel(t.Context())
		if patient {
			time.AfterFunc(10*time.Millisecond, func() { close(release) })
		} else {
			cancel()
		}
		closed := h.Close(ctx)
		if err := <-answered; (err == nil) != patient || (closed == nil) != patient {
			t.Errorf("patient %v: answered %v, closed %v", patient, err, closed)
		}
		cancel()
		http.DefaultClient.CloseIdleConnections()
	}
}
