package listener

import (
	"net"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// What is no listening or bound socket of the Internet is not taken.
func TestInheritRefuses(t *testing.T) {
	dir := t.TempDir()
	local, err := net.Listen("unix", dir+"/s")
	if err != nil {
		t.Fatal(err)
	}
	defer local.Close()
	ofUnix, err := local.(*net.UnixListener).File()
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.Create(dir + "/f")
	if err != nil {
		t.Fatal(err)
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	fd2, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Bind(fd2, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	for want, f := range map[string]*os.File{
		"IPv4 or IPv6":             ofUnix,
		"no socket":                file,
		"that is bound":            os.NewFile(uintptr(fd), "unbound"),
		"connection and no listen": os.NewFile(uintptr(fd2), "mute"),
	} {
		if _, err := Inherit(f); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
		f.Close()
	}
}
