package kernel

import (
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// reservedFiles is how many descriptors are left to others than connections: 81
// may be those of management over HTTP, the rest are files, listeners and loops.
const reservedFiles = 160

// OpenConnections is how many connections the process may have so that accept
// does not run out of descriptors, where the limit is some hundreds or more: what waits is then turned away. A storm can bring a
// whole backlog of connections into the process before the loops have refused
// them, so that many descriptors stay free, but never more than a quarter.
func OpenConnections(backlog int) int64 {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil || limit.Cur > 1<<30 {
		return 1 << 30
	}
	files := int64(limit.Cur)
	if most := someConnections(); backlog <= 0 || backlog > most {
		backlog = most
	}
	return max(files-min(int64(backlog), files/4)-min(reservedFiles, files/4), 1)
}

// someConnections is the system's bound on a listener's backlog.
func someConnections() int {
	text, err := os.ReadFile("/proc/sys/net/core/somaxconn")
	if err == nil {
		if n, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil {
			return n
		}
	}
	return unix.SOMAXCONN
}
