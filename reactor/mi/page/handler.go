package page

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"html"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"time"

	"sipreactor/reactor/mi"
)

//go:embed assets
var embedded embed.FS

// index is the page itself; the other assets lie under folder.
const (
	index  = "index.html"
	folder = "/page/"
)

// policy is what the page may do: load what lies beside it, and speak to where
// it came from. No script or style stands in the page, and none writes markup.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"

// Mount serves the page at / of a listener, to whoever may speak there. It may
// be called once for each.
func Mount(h *mi.HTTP) error {
	files, err := fs.Sub(embedded, "assets")
	if err != nil {
		return err
	}
	entries, err := fs.ReadDir(files, ".")
	if err != nil {
		return err
	}
	for _, e := range entries {
		body, err := fs.ReadFile(files, e.Name())
		if err != nil {
			return err
		}
		pattern := "GET " + folder + e.Name()
		if e.Name() == index {
			pattern = "GET /{$}"
			body = bytes.ReplaceAll(body, []byte("{{root}}"), []byte(html.EscapeString(h.Root())))
		}
		h.HandleOpen(pattern, newAsset(e.Name(), body))
	}
	return nil
}

// asset is a file as it is served. Browsers keep it, and ask whether it has
// changed: it does with the program.
type asset struct {
	name, kind, tag string
	body            []byte
}

func newAsset(name string, body []byte) *asset {
	kind := mime.TypeByExtension(path.Ext(name))
	switch path.Ext(name) { // what the system's tables say varies
	case ".js":
		kind = "text/javascript; charset=utf-8"
	case ".css":
		kind = "text/css; charset=utf-8"
	case ".html":
		kind = "text/html; charset=utf-8"
	case ".svg":
		kind = "image/svg+xml"
	}
	sum := sha256.Sum256(body)
	return &asset{name: name, kind: kind, body: body, tag: `"` + hex.EncodeToString(sum[:12]) + `"`}
}

// ServeHTTP implements http.Handler.
func (a *asset) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for name, value := range map[string]string{
		"Content-Type":                 a.kind,
		"Content-Security-Policy":      policy,
		"X-Content-Type-Options":       "nosniff",
		"Referrer-Policy":              "no-referrer",
		"Cross-Origin-Opener-Policy":   "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin",
		"Cache-Control":                "no-cache",
		"ETag":                         a.tag,
	} {
		w.Header().Set(name, value)
	}
	http.ServeContent(w, r, a.name, time.Time{}, bytes.NewReader(a.body))
}
