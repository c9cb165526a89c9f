package regular_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sipreactor/tlsstate/regular"
)

// TestWritable: what cannot be written to is told without a trial that leaves something.
func TestWritable(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		dir: "", dir + "/none": "no such file", file: "is no folder", "/proc": "the kernel's", "/sys": "the kernel's",
	} {
		err := regular.Writable(path)
		var named *fs.PathError
		if (want == "") != (err == nil) || err != nil && (!strings.Contains(err.Error(), want) || !errors.As(err, &named) || named.Path != path) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
	for path, want := range map[string]string{
		file: "", dir + "/new": "", dir: "is a folder, not a file", dir + "/none/new": "no such file", file + "/new": "not a directory", "/proc/new": "the kernel's",
	} {
		if err := regular.WritableFile(path); (want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("%v, %v", left, err)
	}
}
