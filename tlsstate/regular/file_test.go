package regular_test

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"sipreactor/tlsstate/regular"
)

func TestRead(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	socket, err := net.Listen("unix", at("socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	if err := errors.Join(
		os.WriteFile(at("file"), []byte("text"), 0o600), os.Symlink("file", at("link")),
		unix.Mkfifo(at("fifo"), 0o600), os.Symlink("fifo", at("link to a fifo")),
	); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"file", "link"} {
		if text, err := regular.Read(at(name)); err != nil || string(text) != "text" {
			t.Errorf("%s: %q, %v", name, text, err)
		}
	}
	for path, want := range map[string]error{
		dir: regular.ErrFolder, at("fifo"): regular.ErrNotRegular, at("link to a fifo"): regular.ErrNotRegular,
		at("socket"): regular.ErrNotRegular, "/dev/zero": regular.ErrNotRegular, at("none"): fs.ErrNotExist,
	} {
		_, err := regular.Read(path)
		var named *fs.PathError
		if !errors.Is(err, want) || !errors.As(err, &named) || named.Path != path {
			t.Errorf("%s: %v, want %v", path, err, want)
		}
	}
}
