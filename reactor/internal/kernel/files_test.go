package kernel

import (
	"testing"

	"golang.org/x/sys/unix"
)

func TestOpenConnections(t *testing.T) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	files := int64(limit.Cur)
	for _, backlog := range []int{0, 1, 128, 1 << 20} {
		n := OpenConnections(backlog)
		if n < 1 || n > files-min(reservedFiles, files/4) || n < files/2-64 {
			t.Errorf("backlog %d: %d of %d files", backlog, n, files)
		}
	}
	if OpenConnections(16) <= OpenConnections(1<<20) && files < 1<<20 {
		t.Error("a short backlog leaves no more room")
	}
}
