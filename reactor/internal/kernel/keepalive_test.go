package kernel

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestKeepaliveIsSavedAndRestored(t *testing.T) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	system := KeepaliveOf(fd)
	(&Keepalive{Idle: time.Hour}).Set(fd)
	if got := KeepaliveOf(fd); got != system {
		t.Errorf("not enabled: %v, want %v", got, system)
	}
	(&Keepalive{Enabled: true, Idle: time.Hour, Count: 3}).Set(fd)
	want := SavedKeepalive{1, 3600, system[2], 3}
	if got := KeepaliveOf(fd); got != want {
		t.Errorf("enabled: %v, want %v", got, want)
	}
	system.Restore(fd)
	if got := KeepaliveOf(fd); got != system {
		t.Errorf("restored: %v, want %v", got, system)
	}
}
