package page

import (
	"context"
	"io"
	"io/fs"
	"net/http"
	"net/netip"
	"regexp"
	"strings"
	"testing"

	"sipreactor/reactor/mi"
	"sipreactor/reactor/rpc"
)

// serve mounts the page on a listener of its own.
func serve(t *testing.T, cfg mi.HTTPConfig) string {
	t.Helper()
	cfg.Addr = netip.MustParseAddrPort("127.0.0.1:0")
	h, err := mi.ServeHTTP(cfg, rpc.NewDispatcher(nil))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		http.DefaultClient.CloseIdleConnections()
		if err := h.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	if err := Mount(h); err != nil {
		t.Fatal(err)
	}
	return "http://" + h.Addr().String()
}

// get does one request; the headers come in pairs.
func get(t *testing.T, method, url, body string, headers ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
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

// TestMount: the page and all that it names are there, with the headers that
// keep it by itself.
func TestMount(t *testing.T) {
	at := serve(t, mi.HTTPConfig{Root: `a"b`})
	resp, index := get(t, "GET", at+"/", "")
	if resp.StatusCode != 200 || !strings.HasPrefix(index, "<!doctype html>") || !strings.Contains(index, `data-root="/a&#34;b"`) {
		t.Fatalf("%d %.200s", resp.StatusCode, index)
	}
	seen := map[string]bool{"/": true}
	kinds := map[string]string{"": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
	var visit func(path, text string)
	visit = func(path, text string) {
		for _, m := range regexp.MustCompile(`(?:src|href)="(page/[^"#]*)"|from "\./([^"]*)"`).FindAllStringSubmatch(text, -1) {
			next := "/" + m[1]
			if m[2] != "" {
				next = "/page/" + m[2]
			}
			if seen[next] {
				continue
			}
			seen[next] = true
			resp, body := get(t, "GET", at+next, "")
			if resp.StatusCode != 200 || body == "" {
				t.Errorf("%s names %s: %d", path, next, resp.StatusCode)
				continue
			}
			visit(next, body)
		}
	}
	visit("/", index)
	files, _ := fs.Glob(embedded, "assets/*")
	if len(seen) != len(files) {
		t.Errorf("%d of %d files are used: %v", len(seen), len(files), seen)
	}
	for path := range seen {
		resp, _ := get(t, "GET", at+path, "")
		for name, want := range map[string]string{"Content-Security-Policy": policy, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
			"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin", "Cache-Control": "no-cache"} {
			if got := resp.Header.Get(name); got != want {
				t.Errorf("%s: %s: %q", path, name, got)
			}
		}
		ext := regexp.MustCompile(`\.\w+$|$`).FindString(path)
		if got := resp.Header.Get("Content-Type"); got != kinds[ext] {
			t.Errorf("%s is %q", path, got)
		}
		if again, body := get(t, "GET", at+path, "", "If-None-Match", resp.Header.Get("ETag")); again.StatusCode != 304 || body != "" {
			t.Errorf("%s is sent again: %d", path, again.StatusCode)
		}
	}
	for path, want := range map[string]int{"/page/": 404, "/page/none.js": 404, "/page/../mi": 404, "/index.html": 404, "/page/index.html": 404} {
		if resp, _ := get(t, "GET", at+path, ""); resp.StatusCode != want {
			t.Errorf("%s: %d", path, resp.StatusCode)
		}
	}
}

// TestAssetsKeepThePolicy: what the policy forbids is not even tried, and
// nothing is built as markup.
func TestAssetsKeepThePolicy(t *testing.T) {
	if !strings.HasPrefix(policy, "default-src 'none'; script-src 'self';") || strings.Contains(policy, "unsafe") {
		t.Error(policy)
	}
	never := regexp.MustCompile(`(?i)innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|style="|<style|\son\w+="|javascript:|https?://`)
	inline := regexp.MustCompile(`<script[^>]*>[^<]`)
	files, err := fs.Glob(embedded, "assets/*")
	if err != nil || len(files) < 5 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		b, err := embedded.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		text := strings.ReplaceAll(string(b), "http://www.w3.org/2000/svg", "")
		if found := never.FindString(text); found != "" {
			t.Errorf("%s holds %q", f, found)
		}
		if found := inline.FindString(text); found != "" {
			t.Errorf("%s holds %q", f, found)
		}
	}
}

// TestAccess: the page is shown without the token, to those that the rules of
// the listener admit, and what it shows is not.
func TestAccess(t *testing.T) {
	const ask = `{"jsonrpc":"2.0","id":1,"method":"which"}`
	json := []string{"Content-Type", "application/json"}
	secret := serve(t, mi.HTTPConfig{Token: "sesame"})
	for _, c := range []struct {
		method, path string
		want         int
		headers      []string
	}{
		{"GET", "/", 200, nil}, {"GET", "/page/app.js", 200, nil}, {"HEAD", "/", 200, nil}, {"POST", "/", 401, json},
		{"POST", "/mi", 401, json}, {"GET", "/metrics", 401, nil},
		{"POST", "/mi", 200, append([]string{"Authorization", "Bearer sesame"}, json...)},
		{"POST", "/mi", 403, append([]string{"Authorization", "Bearer sesame", "Sec-Fetch-Site", "cross-site"}, json...)},
		{"GET", "/", 403, []string{"Host", "evil.example"}}, {"GET", "/page/app.js", 403, []string{"Host", "evil.example:8888"}},
	} {
		if resp, _ := get(t, c.method, secret+c.path, ask, c.headers...); resp.StatusCode != c.want {
			t.Errorf("%s %s %q: %d", c.method, c.path, c.headers, resp.StatusCode)
		}
	}
	elsewhere := serve(t, mi.HTTPConfig{Allow: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}})
	for _, path := range []string{"/", "/page/app.js", "/mi"} {
		if resp, _ := get(t, "GET", elsewhere+path, ""); resp.StatusCode != 403 {
			t.Errorf("%s for an address that is not on the list: %d", path, resp.StatusCode)
		}
	}
}
