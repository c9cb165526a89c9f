package proxy

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReadSecret(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	long := strings.Repeat("0123456789abcdef", 2)
	a, err := ReadSecret(write("a", long, 0o600))
	if err != nil {
		t.Fatal(err)
	}
	if b, err := ReadSecret(write("b", " "+long+"\r\n", 0o640)); err != nil || *a != *b {
		t.Errorf("white space counts: %v", err)
	}
	if c, err := ReadSecret(write("c", long+"g", 0o400)); err != nil || *a == *c {
		t.Errorf("another text is the same secret: %v", err)
	}
	for path, want := range map[string]string{
		write("short", long[:31]+"\n", 0o600):           "this one 31",
		write("long", strings.Repeat(long, 200), 0o600): "more than",
		write("open", long, 0o644):                      "mode 0644",
		write("shared", long, 0o660):                    "mode 0660",
		filepath.Join(dir, "missing"):                   "no such file",
		dir:                                             "no plain file",
	} {
		if _, err := ReadSecret(path); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", path, err)
		}
	}
}
