package main

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// raiseFileLimit sets how many descriptors the process may have: want, or with 0 as many as the system lets us.
// It returns the limit that holds.
func raiseFileLimit(want int) (uint64, error) {
	var l unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &l); err != nil {
		return 0, fmt.Errorf("open_files_limit: %w", err)
	}
	soft := l.Max
	if want > 0 {
		soft = uint64(want)
	}
	if soft == l.Cur {
		return l.Cur, nil
	}
	hard := max(l.Max, soft)
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: soft, Max: hard}); err != nil {
		return l.Cur, fmt.Errorf("open_files_limit: %d files are not allowed, %d remain: %w", soft, l.Cur, err)
	}
	return soft, nil
}
