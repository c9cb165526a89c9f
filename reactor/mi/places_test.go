package mi

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/logtest"
	"sipreactor/reactor/internal/waittest"
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
			log := new(logtest.Log)
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
			waittest.For(t, "the log tells who lost its place", func() bool { return log.Has("made room for new ones") }) // who is silent comes late
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

// TestHTTPPlacesOfOneAddress: who shares an address with one that opens connections without end, and asks with the
// token, is answered at the first try.
func TestHTTPPlacesOfOneAddress(t *testing.T) {
	h := serveHTTP(t, HTTPConfig{Token: "secret", MaxConns: 64, Log: slog.New(slog.DiscardHandler)}, echo(t))
	over := make(chan struct{})
	var floods sync.WaitGroup
	for range 3 {
		floods.Go(func() {
			var open []net.Conn
			for {
				select {
				case <-over:
					for _, c := range open {
						c.Close()
					}
					return
				default:
				}
				c, err := net.Dial("tcp", h.Addr().String())
				if err != nil {
					continue
				}
				if open = append(open, c); len(open) > 64 {
					open[0].Close()
					open = open[1:]
				}
			}
		})
	}
	// A busy machine takes seconds for each, behind what the others open.
	for i, end := 0, time.Now().Add(patience); i < 100 && (i < 3 || time.Now().Before(end)); i++ {
		c, err := net.Dial("tcp", h.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(patience))
		fmt.Fprintf(c, "POST /mi HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer secret\r\nContent-Length: %d\r\n\r\n%s", len(echoRequest("a", 1)), echoRequest("a", 1))
		if resp, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil || resp.StatusCode != 200 {
			t.Fatalf("%d: %v, %v", i, resp, err)
		}
		c.Close()
	}
	close(over)
	floods.Wait()
}

// accepted is a pair of ends of TCP.
func accepted(t *testing.T) (client, server net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if client, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if server, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(); server.Close() })
	return client, server
}

// TestPlacesOfUnreadRequests: a request with the token that nobody has read yet keeps its connection's place; half of one, and
// one without, do not.
func TestPlacesOfUnreadRequests(t *testing.T) {
	for text, keeps := range map[string]bool{
		"GET /metrics HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer secret\r\n\r\n": true,
		"GET /metrics HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer secret\r\n":     false,
		"GET /metrics HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer wrong\r\n\r\n":  false,
		"": false,
	} {
		p := newPlaces(4, newGuard(&HTTPConfig{Token: "secret"}, true, http.NewServeMux(), http.NewServeMux()).shows)
		client, server := accepted(t)
		fmt.Fprint(client, text)
		first, _ := p.enter(server)
		waitUnread(t, server, len(text))
		for range 6 {
			_, other := accepted(t)
			p.enter(other)
		}
		if first.left == keeps || first.known != keeps {
			t.Errorf("%q: left %v, known %v", text, first.left, first.known)
		}
	}
}

// waitUnread waits until so much can be read.
func waitUnread(t *testing.T, c net.Conn, n int) {
	t.Helper()
	raw, err := c.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		var has int
		if err := raw.Control(func(fd uintptr) { has, err = unix.IoctlGetInt(int(fd), unix.TIOCINQ) }); err != nil || has >= n {
			return
		}
		if time.Now().After(end) {
			t.Fatal("it does not arrive")
		}
	}
}

// TestPlacesOfTheIdle: where all who are known are as many as may be, the one that is idle for the longest time makes
// room, and none that is being answered.
func TestPlacesOfTheIdle(t *testing.T) {
	p := newPlaces(4, nil)
	var in []*place
	for range 3 {
		_, c := accepted(t)
		at, _ := p.enter(c)
		at.prove()
		in = append(in, at)
	}
	if in[2].known || !in[0].known || !in[1].known {
		t.Fatal("two have a place, and both are busy")
	}
	turns(in[1], http.StateIdle)
	turns(in[0], http.StateIdle)
	in[2].prove()
	if !in[2].known || !in[1].left || in[0].left {
		t.Errorf("the first idle one stays: %v, the other left: %v", !in[1].left, in[0].left)
	}
}

// TestPlacesOfTheAnswered: who has shown what is asked for and is being answered loses its place to nobody, however many
// those are; a newcomer has none then.
func TestPlacesOfTheAnswered(t *testing.T) {
	p := newPlaces(4, nil)
	enter := func() *place {
		_, c := accepted(t)
		in, out := p.enter(c)
		for _, o := range out {
			if o.busy {
				t.Error("one that is being answered loses its place")
			}
		}
		return in
	}
	var in []*place
	for range 4 { // two are known, two are not
		at := enter()
		at.prove()
		in = append(in, at)
	}
	if enter() != nil {
		t.Error("a newcomer has the place of one that is being answered")
	}
	turns(in[3], http.StateIdle)
	if enter() == nil || !in[3].left || in[2].left {
		t.Error("who is answered makes no room")
	}
}
