package auth_db

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor/digest"
)

const someHash = "0123456789abcdef0123456789ABCDEF"

func TestUserFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "users")
	write := func(text string, mode os.FileMode) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name, text string
		mode       os.FileMode
		wrong      string
	}{
		{"good", "# users\n\nalice:r:" + someHash + "\nbob:r:SHA-256:" + someHash + someHash + "\n", 0o600, ""},
		{"others read it", "alice:r:" + someHash, 0o640, "chmod 600"},
		{"two fields", "alice:r", 0o600, ":1: a line is"},
		{"short", "alice:r:" + someHash + "\nbob:r:abc", 0o600, ":2: the HA1 of MD5 has to be 32"},
		{"no digits", "alice:r:" + strings.Repeat("g", 32), 0o600, "hexadecimal"},
		{"odd algorithm", "alice:r:SHA-1:" + someHash, 0o600, "the algorithm is"},
	} {
		t.Run(c.name, func(t *testing.T) {
			write(c.text, c.mode)
			f := &userFile{name: name}
			err := f.read()
			if c.wrong == "" && err != nil || c.wrong != "" && (err == nil || !strings.Contains(err.Error(), c.wrong)) {
				t.Fatalf("%v, want %q", err, c.wrong)
			}
			if err != nil && strings.Contains(err.Error(), someHash) {
				t.Error("the error tells a hash")
			}
		})
	}
	write("alice:r:"+someHash+"\n", 0o600)
	f := &userFile{name: name}
	if err := f.read(); err != nil {
		t.Fatal(err)
	}
	c := &digest.Credentials{User: []byte("alice"), Realm: []byte("r")}
	if ha1, ok := f.find(c); !ok || string(ha1) != strings.ToLower(someHash) {
		t.Errorf("found %q %v", ha1, ok)
	}
	c.Algorithm = digest.SHA256
	if ha1, ok := f.find(c); !ok || ha1 != nil {
		t.Errorf("of another algorithm: %q %v", ha1, ok)
	}
	if _, ok := f.find(&digest.Credentials{User: []byte("alice"), Realm: []byte("q")}); ok {
		t.Error("found in another realm")
	}
	write("carol:r:"+someHash+"\n", 0o600)
	f.looked = time.Time{}
	if _, ok := f.find(&digest.Credentials{User: []byte("carol"), Realm: []byte("r")}); !ok {
		t.Error("what is new in the file is not found")
	}
	var log strings.Builder
	f.log = slog.New(slog.NewTextHandler(&log, nil))
	write("nonsense\n", 0o600)
	for range 3 {
		f.looked = time.Time{}
		if _, ok := f.find(&digest.Credentials{User: []byte("carol"), Realm: []byte("r")}); !ok {
			t.Error("a file that is wrong takes the users away")
		}
	}
	if n := strings.Count(log.String(), "users_file has changed and is not taken"); n != 1 {
		t.Errorf("%d lines tell of the file: %s", n, log.String())
	}
}
