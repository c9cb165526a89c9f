package mi

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"
)

// fill opens n connections without a token, which stay open until the test ends.
func fill(t *testing.T, h *HTTP, n int, first string) {
	t.Helper()
	for range n {
		c, err := net.Dial("tcp", h.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		fmt.Fprint(c, first)
	}
}

// TestHTTPPlacesOfThoseWhoAreKnown: whoever has the token is served at once while
// others, who have not, have come and stay; a connection that has shown it once stays.
func TestHTTPPlacesOfThoseWhoAreKnown(t *testing.T) {
	for name, first := range map[string]string{
		"silent":      "",
		"half":        "POST /mi HTTP/1.1\r\nHost: localhost\r\nX: ",
		"wrong token": "GET /metrics HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer wrong\r\n\r\n",
		"idle":        "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			log := new(lockedBuffer)
			h := serveHTTP(t, HTTPConfig{Token: "secret", MaxConns: 8, Log: slog.New(slog.NewTextHandler(log, nil))}, echo(t))
			h.HandleOpen("GET /{$}", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "page") }))
			stays, err := net.Dial("tcp", h.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer stays.Close()
			answers := bufio.NewReader(stays)
			ask := func() {
				t.Helper()
				_ = stays.SetDeadline(time.Now().Add(patience))
				fmt.Fprintf(stays, "POST /mi HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer secret\r\nContent-Length: %d\r\n\r\n%s",
					len(echoRequest("a", 1)), echoRequest("a", 1))
				resp, err := http.ReadResponse(answers, nil)
				if err != nil || resp.StatusCode != 200 {
					t.Fatalf("the connection that is known: %v, %v", resp, err)
				}
				_, _ = answers.Discard(int(resp.ContentLength))
			}
			ask()
			for range 5 {
				fill(t, h, 2*h.cfg.MaxConns, first)
				transport := new(http.Transport)
				c := Client{Target: "http://" + h.Addr().String() + "/mi", Token: "secret", HTTP: &http.Client{Transport: transport}}
				ctx, cancel := context.WithTimeout(t.Context(), headerTimeout/2)
				got, err := c.Call(ctx, "echo", []string{"a"})
				cancel()
				transport.CloseIdleConnections()
				if err != nil || string(got) != `"a"` {
					t.Fatalf("one more: %s, %v", got, err)
				}
			}
			ask()
			if !log.has("made room for new ones") {
				t.Error("the log does not tell who lost its place")
			}
		})
	}
}

// TestHTTPPlacesOverTLS: a connection is known behind its handshake, too.
func TestHTTPPlacesOverTLS(t *testing.T) {
	cert := selfSigned(t)
	h := serveHTTP(t, HTTPConfig{Token: "secret", MaxConns: 4, Secure: func(l net.Listener) net.Listener {
		return tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{cert}})
	}}, echo(t))
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	defer transport.CloseIdleConnections()
	c := Client{Target: "https://" + h.Addr().String() + "/mi", Token: "secret", HTTP: &http.Client{Transport: transport}}
	var dials int
	transport.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		dials++
		return new(net.Dialer).DialContext(ctx, network, addr)
	}
	call := func() {
		t.Helper()
		if got, err := c.Call(t.Context(), "echo", []string{"a"}); err != nil || string(got) != `"a"` {
			t.Fatalf("%s, %v", got, err)
		}
	}
	call()
	fill(t, h, 2*h.cfg.MaxConns, "")
	call()
	if dials != 1 {
		t.Errorf("%d connections", dials)
	}
}

// TestHTTPPlacesBySource: an address that opens connections without end makes room by its own; one that comes from
// elsewhere and is about to show the token keeps its place.
func TestHTTPPlacesBySource(t *testing.T) {
	h := serveHTTP(t, HTTPConfig{Token: "secret", MaxConns: 8, Log: slog.New(slog.DiscardHandler)}, echo(t))
	slow, err := net.Dial("tcp", h.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	fmt.Fprintf(slow, "POST /mi HTTP/1.1\r\nHost: localhost\r\n")
	other := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
	for range 10 * h.cfg.MaxConns {
		c, err := other.Dial("tcp", h.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
	}
	// One that has come behind all of them is answered once they all have been accepted.
	last, err := other.Dial("tcp", h.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer last.Close()
	for _, c := range []struct {
		net.Conn
		start string
	}{{last, "POST /mi HTTP/1.1\r\nHost: localhost\r\n"}, {slow, ""}} {
		_ = c.SetDeadline(time.Now().Add(patience))
		fmt.Fprintf(c, "%sAuthorization: Bearer secret\r\nContent-Length: %d\r\n\r\n%s", c.start, len(echoRequest("a", 1)), echoRequest("a", 1))
		if resp, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil || resp.StatusCode != 200 {
			t.Errorf("%s: %v, %v", c.LocalAddr(), resp, err)
		}
	}
}
