package mi

import (
	"fmt"
	"net/http"
	"net/netip"
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
