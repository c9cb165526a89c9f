package mi

import (
	"context"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"testing"
)

// TestHTTPStrangers: pages of other sites that a browser shows cannot speak to
// us, by their own name or by one that leads here.
func TestHTTPStrangers(t *testing.T) {
	h := serveHTTP(t, HTTPConfig{}, echo(t))
	port := fmt.Sprint(h.Addr().Port())
	for _, c := range []struct {
		name    string
		want    int
		headers []string
	}{
		{"by address", 200, []string{"Host", "127.0.0.1:" + port}},
		{"as localhost", 200, []string{"Host", "localhost:" + port}},
		{"by IPv6", 200, []string{"Host", "[::1]"}},
		{"our own page", 200, []string{"Content-Type", "application/json", "Origin", "http://" + h.Addr().String()}},
		{"our own page, told so", 200, []string{"Content-Type", "application/json", "Sec-Fetch-Site", "same-origin"}},
		{"another page", 403, []string{"Origin", "https://evil.example"}},
		{"another page, told so", 403, []string{"Sec-Fetch-Site", "cross-site"}},
		{"a name that leads here", 403, []string{"Host", "evil.example:" + port}},
	} {
		if resp, body := send(t, h, "POST", "/mi", echoRequest("a", 1), c.headers...); resp.StatusCode != c.want {
			t.Errorf("%s: %d %s", c.name, resp.StatusCode, body)
		}
	}
}

// TestHTTPBrowsers: what a page can make a browser send elsewhere unasked, a
// form or a text, is refused even if nothing else shows who sends it.
func TestHTTPBrowsers(t *testing.T) {
	h := serveHTTP(t, HTTPConfig{}, echo(t))
	own := []string{"Origin", "http://" + h.Addr().String()}
	told := []string{"Sec-Fetch-Site", "same-origin"}
	for _, c := range []struct {
		kind    string
		browser []string
		want    int
	}{
		{"application/json", own, 200},
		{"application/json; charset=utf-8", told, 200},
		{"application/x-www-form-urlencoded", own, 415},
		{"multipart/form-data; boundary=x", told, 415},
		{"text/plain", own, 415},
		{"text/plain; x=application/json", told, 415},
		{"", told, 415},
		{"application/json", []string{"Sec-Fetch-Site", "same-site"}, 403},
		{"application/json", []string{"Origin", "null"}, 403},
		{"application/json", []string{"Origin", "http://127.0.0.1:1"}, 403},
		{"application/x-www-form-urlencoded", nil, 200}, // curl -d
	} {
		headers := append([]string{"Content-Type", c.kind}, c.browser...)
		if resp, body := send(t, h, "POST", "/mi", echoRequest("a", 1), headers...); resp.StatusCode != c.want {
			t.Errorf("%q from %q: %d %s", c.kind, c.browser, resp.StatusCode, body)
		}
	}
}

// TestHTTPOpen: what is open needs no token, but is shown to nobody else.
func TestHTTPOpen(t *testing.T) {
	page := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "page") })
	h := serveHTTP(t, HTTPConfig{Token: "sesame"}, echo(t))
	h.HandleOpen("GET /{$}", page)
	h.Handle("GET /closed", page)
	if h.Root() != "/mi" {
		t.Errorf("root %q", h.Root())
	}
	for path, want := range map[string]int{"/": 200, "/closed": 401, "/mi": 401, "/else": 401} {
		if resp, _ := send(t, h, "GET", path, ""); resp.StatusCode != want {
			t.Errorf("%s: %d", path, resp.StatusCode)
		}
	}
	if resp, _ := send(t, h, "POST", "/", echoRequest("a", 1)); resp.StatusCode != 401 {
		t.Errorf("posted to the page: %d", resp.StatusCode)
	}
	if resp, _ := send(t, h, "GET", "/", "", "Host", "evil.example"); resp.StatusCode != 403 {
		t.Errorf("by a name that leads here: %d", resp.StatusCode)
	}
	others := serveHTTP(t, HTTPConfig{Allow: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}, echo(t))
	others.HandleOpen("GET /{$}", page)
	if resp, _ := send(t, others, "GET", "/", ""); resp.StatusCode != 403 {
		t.Errorf("not on the list: %d", resp.StatusCode)
	}
}

func TestHTTPToken(t *testing.T) {
	h := serveHTTP(t, HTTPConfig{Token: "sesame"}, echo(t))
	for header, want := range map[string]int{"Bearer sesame": 200, "bearer  sesame": 200, "Bearer other": 401, "Bearer ": 401, "Basic sesame": 401, "": 401} {
		if resp, _ := send(t, h, "POST", "/mi", echoRequest("a", 1), "Authorization", header); resp.StatusCode != want {
			t.Errorf("%q: %d", header, resp.StatusCode)
		}
	}
}

// TestHTTPPassword: a user with a password may speak as well, whoever knows the
// token by any name, and a browser's user is asked.
func TestHTTPPassword(t *testing.T) {
	h := serveHTTP(t, HTTPConfig{Token: "sesame", User: "ops", Password: "pass:word ü", Realm: `the "edge"`}, echo(t))
	basic := func(user, password string) string {
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
	}
	for header, want := range map[string]int{
		basic("ops", "pass:word ü"): 200, basic("anybody", "sesame"): 200, basic("", "sesame"): 200, "Bearer sesame": 200, "Bearer pass:word ü": 200,
		basic("other", "pass:word ü"): 401, basic("ops", "pass"): 401, basic("ops", ""): 401, basic("", ""): 401, "Basic !": 401, "Bearer ": 401, "": 401,
	} {
		if resp, _ := send(t, h, "POST", "/mi", echoRequest("a", 1), "Authorization", header); resp.StatusCode != want {
			t.Errorf("%q: %d, want %d", header, resp.StatusCode, want)
		}
	}
	// A browser sends what its user typed with every request, those of other sites' pages too.
	if resp, _ := send(t, h, "POST", "/mi", echoRequest("a", 1), "Authorization", basic("ops", "pass:word ü"), "Origin", "https://evil.example",
		"Content-Type", "application/json"); resp.StatusCode != 403 {
		t.Errorf("another site's page: %d", resp.StatusCode)
	}
	for mode, asks := range map[string]bool{"": true, "navigate": true, "cors": false, "same-origin": false} {
		resp, _ := send(t, h, "GET", "/metrics", "", "Sec-Fetch-Mode", mode)
		if got := slices.Contains(resp.Header["Www-Authenticate"], `Basic realm="the \"edge\"", charset="UTF-8"`); resp.StatusCode != 401 || got != asks {
			t.Errorf("mode %q: %d %q", mode, resp.StatusCode, resp.Header["Www-Authenticate"])
		}
	}
}

// TestHTTPStrangersTakeNoPlace: who may not speak is shown out before a place is
// theirs.
func TestHTTPStrangersTakeNoPlace(t *testing.T) {
	h := serveHTTP(t, HTTPConfig{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.2/32")}, MaxConns: 1, Timeout: patience}, echo(t))
	for range 2 * maxRefusals {
		c, err := net.Dial("tcp", h.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		fmt.Fprint(c, "POST /mi HTTP/1.1\r\n")
	}
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
	transport := &http.Transport{DialContext: d.DialContext}
	defer transport.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(t.Context(), patience/2)
	defer cancel()
	c := Client{Target: "http://" + h.Addr().String() + "/mi", HTTP: &http.Client{Transport: transport}}
	if got, err := c.Call(ctx, "echo", []string{"a"}); err != nil || string(got) != `"a"` {
		t.Errorf("%s, %v", got, err)
	}
}

func TestHTTPAllow(t *testing.T) {
	allow, err := ParseAllow([]string{"192.0.2.0/24", "2001:db8::1"})
	if err != nil {
		t.Fatal(err)
	}
	h := serveHTTP(t, HTTPConfig{Allow: allow}, echo(t))
	if resp, _ := send(t, h, "POST", "/mi", echoRequest("a", 1)); resp.StatusCode != 403 {
		t.Errorf("not on the list: %d", resp.StatusCode)
	}
	for peer, want := range map[string]bool{"192.0.2.77": true, "::ffff:192.0.2.77": true, "192.0.3.1": false, "2001:db8::1": true, "2001:db8::2": false, "127.0.0.1": false} {
		if got := admits(allow, netip.MustParseAddr(peer)); got != want {
			t.Errorf("%s: %v", peer, got)
		}
	}
	for peer, want := range map[string]bool{"127.9.9.9": true, "::1": true, "::ffff:127.0.0.1": true, "192.0.2.1": false} {
		if got := admits(nil, netip.MustParseAddr(peer)); got != want {
			t.Errorf("without a list, %s: %v", peer, got)
		}
	}
	if _, err := ParseAllow([]string{"everybody"}); err == nil {
		t.Error("everybody is no network")
	}
}

func TestLocalHost(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "LocalHost:8888": true, "127.0.0.1": true, "127.0.0.1:1": true, "[::1]:1": true, "[::1]": true, "::1": true, "": true,
		"localhost.evil.example": false, "evil.example": false, "evil.example:8888": false, "127.0.0.1.evil.example": false, "edge": false,
	} {
		if got := localHost(host); got != want {
			t.Errorf("%q: %v", host, got)
		}
	}
}
