package tlsstate_test

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"sipreactor/tlsstate"
)

const keyLine = "CLIENT_RANDOM 00ff 1234\n"

// A key log is a file of ours alone, whatever was there before.
func TestKeyLogIsOursAlone(t *testing.T) {
	for _, c := range []struct {
		name string
		put  func(dir, file string) error
		want string // of the file when a line was written; "" = refused
		old  string // what was put aside
	}{
		{"nothing", func(_, _ string) error { return nil }, keyLine, ""},
		{"our own", func(_, file string) error { return os.WriteFile(file, []byte(keyLine), 0o600) }, keyLine + keyLine, ""},
		{"one that others can read", func(_, file string) error { return os.WriteFile(file, []byte(keyLine), 0o644) }, keyLine, keyLine},
		{"an empty one that others can read", func(_, file string) error { return os.WriteFile(file, nil, 0o666) }, keyLine, ""},
		{"one with another name", func(dir, file string) error {
			other := filepath.Join(dir, "other")
			if err := os.WriteFile(other, []byte(keyLine), 0o600); err != nil {
				return err
			}
			return os.Link(other, file)
		}, keyLine, keyLine},
		{"a link", func(dir, file string) error {
			other := filepath.Join(dir, "other")
			if err := os.WriteFile(other, nil, 0o600); err != nil {
				return err
			}
			return os.Symlink(other, file)
		}, "", ""},
		{"a link to nothing", func(dir, file string) error { return os.Symlink(filepath.Join(dir, "none"), file) }, "", ""},
		{"no key log", func(_, file string) error { return os.WriteFile(file, []byte("root:x:0:0\n"), 0o644) }, "", ""},
		{"a folder", func(_, file string) error { return os.Mkdir(file, 0o700) }, "", ""},
		{"a FIFO", func(_, file string) error { return unix.Mkfifo(file, 0o600) }, "", ""},
	} {
		dir := t.TempDir()
		file := filepath.Join(dir, "keys")
		mask := unix.Umask(0) // what a mask takes away is not what is asked for
		err := c.put(dir, file)
		f, refused := (*os.File)(nil), error(nil)
		if err == nil {
			f, refused = tlsstate.OpenKeyLog(file)
		}
		unix.Umask(mask)
		if err != nil {
			t.Fatal(err)
		}
		if c.want == "" {
			if refused == nil {
				f.Close()
				t.Errorf("%s: taken", c.name)
			}
			if _, err := os.Stat(filepath.Join(dir, "none")); err == nil {
				t.Errorf("%s: followed", c.name)
			}
			continue
		}
		if refused != nil {
			t.Errorf("%s: %v", c.name, refused)
			continue
		}
		_, err = f.WriteString(keyLine)
		f.Close()
		got, _ := os.ReadFile(file)
		info, statErr := os.Lstat(file)
		if err != nil || statErr != nil || string(got) != c.want || info.Mode() != 0o600 {
			t.Errorf("%s: %q, %v, %v, %v", c.name, got, info.Mode(), err, statErr)
		}
		if old, _ := os.ReadFile(file + ".old"); string(old) != c.old {
			t.Errorf("%s: %q was put aside", c.name, old)
		}
	}
}
