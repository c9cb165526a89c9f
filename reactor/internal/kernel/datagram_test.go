package kernel

import (
	"testing"

	"golang.org/x/sys/unix"
)

// A receive buffer grows to what is asked for, as far as the system allows, and
// never shrinks.
func TestGrowReceive(t *testing.T) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 8192); err != nil {
		t.Fatal(err)
	}
	if got := GrowReceive(fd, 65536); got != 65536 { // below any system's limit
		t.Errorf("grown to %d", got)
	}
	if got := GrowReceive(fd, 4096); got != 65536 {
		t.Errorf("shrunk to %d", got)
	}
}
