package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// A secret is made once, for its owner alone, however many begin at once.
func TestStateSecret(t *testing.T) {
	d := stateDir(filepath.Join(t.TempDir(), "above", "state"))
	var all sync.Map
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			s, err := d.secret("token")
			if err != nil || len(s) != 64 {
				t.Errorf("%q, %v", s, err)
			}
			all.Store(s, true)
		})
	}
	wg.Wait()
	n := 0
	all.Range(func(any, any) bool { n++; return true })
	if n != 1 {
		t.Errorf("%d secrets", n)
	}
	for path, want := range map[string]fs.FileMode{string(d): 0o700 | fs.ModeDir, d.path("token"): 0o600} {
		if info, err := os.Lstat(path); err != nil || info.Mode() != want {
			t.Errorf("%s: %v, %v; want %v", path, info.Mode(), err, want)
		}
	}
	if left, _ := os.ReadDir(string(d)); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}

// What somebody else may have put there, or can read, is no secret.
func TestStateIsNotTrusted(t *testing.T) {
	for name, c := range map[string]struct {
		put  func(dir, file string) error
		want string
	}{
		"a link": {func(dir, file string) error {
			other := filepath.Join(dir, "other")
			return errors.Join(os.WriteFile(other, []byte("known"), 0o600), os.Symlink(other, file))
		}, "link"},
		"a link to nothing":       {func(dir, file string) error { return os.Symlink(filepath.Join(dir, "none"), file) }, "link"},
		"a file for all":          {func(_, file string) error { return os.WriteFile(file, []byte("known"), 0o644) }, "0644"},
		"an empty file":           {func(_, file string) error { return os.WriteFile(file, nil, 0o600) }, "empty"},
		"a folder":                {func(_, file string) error { return os.Mkdir(file, 0o700) }, "no file"},
		"a folder others may use": {func(dir, _ string) error { return os.Chmod(dir, 0o777) }, "0777"},
	} {
		dir := t.TempDir()
		d := stateDir(dir)
		if err := c.put(dir, d.path("token")); err != nil {
			t.Fatal(err)
		}
		if s, err := d.secret("token"); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %q, %v", name, s, err)
		}
	}
	if s, err := stateDir("").secret("token"); err == nil {
		t.Errorf("nowhere: %q", s)
	}
}

func TestDefaultStateDir(t *testing.T) {
	t.Setenv("STATE_DIRECTORY", "/run/a:/run/b")
	if d := defaultStateDir(); d != "/run/a" {
		t.Errorf("by systemd: %s", d)
	}
	t.Setenv("STATE_DIRECTORY", "")
	t.Setenv("XDG_STATE_HOME", "/home/x/state")
	want := stateDir("/home/x/state/sipreactor")
	if os.Geteuid() == 0 {
		want = "/var/lib/sipreactor"
	}
	if d := defaultStateDir(); d != want {
		t.Errorf("%s, want %s", d, want)
	}
}
