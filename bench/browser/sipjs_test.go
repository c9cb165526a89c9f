package browser

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// sipJS is the phone's library, as npm has it: a version, and what its package is (npm view sip.js@… dist.integrity).
const (
	sipJS     = "sip.js@0.21.2"
	sipJSFile = "sip.js-0.21.2.tgz"
	sipJSHash = "tSqTcIgrOd2IhP/rd70JablvAp+fSfLSxO4hGNY6LkWRY1SKygTO7OtJEV/BQb8oIxtMRx0LE7nUF2MaqGbFzA=="
)

// library gives the files of SIP.js, by their path in the package. It is fetched once for a machine.
func library(t *testing.T) map[string][]byte {
	t.Helper()
	need(t)
	b, err := packed()
	if err != nil {
		if os.Getenv("SIPREACTOR_BROWSER") == "require" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for in := tar.NewReader(z); ; {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		if name, ok := strings.CutPrefix(h.Name, "package/"); ok && strings.HasSuffix(name, ".js") {
			if files[name], err = io.ReadAll(in); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// packed gives the package: the one that is kept, or the registry's, which is asked three times.
func packed() ([]byte, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return nil, err
	}
	dir = filepath.Join(dir, "sipreactor-ci")
	path := filepath.Join(dir, sipJSFile)
	if b, err := os.ReadFile(path); err == nil && isSIPJS(b) {
		return b, nil
	}
	fresh, err := os.MkdirTemp("", "sipjs-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(fresh) }()
	for _, pause := range []time.Duration{0, 5 * time.Second, 20 * time.Second} {
		time.Sleep(pause)
		cmd := exec.Command("npm", "pack", "--silent", "--pack-destination", fresh, sipJS)
		cmd.Dir = fresh
		said, failed := cmd.CombinedOutput()
		if errors.Is(failed, exec.ErrNotFound) {
			return nil, errors.New("npm is not installed (Debian: apt-get install npm)")
		}
		b, unread := os.ReadFile(filepath.Join(fresh, sipJSFile))
		switch {
		case failed != nil:
			err = errors.New("npm pack " + sipJS + ": " + failed.Error() + ": " + strings.TrimSpace(string(said)))
		case unread != nil:
			err = unread
		case !isSIPJS(b):
			return nil, errors.New(sipJSFile + " of the registry is not the one that is pinned")
		default:
			if os.MkdirAll(dir, 0o755) == nil {
				_ = os.WriteFile(path, b, 0o644) // else it is fetched again
			}
			return b, nil
		}
	}
	return nil, err
}

func isSIPJS(b []byte) bool {
	sum := sha512.Sum512(b)
	return base64.StdEncoding.EncodeToString(sum[:]) == sipJSHash
}
