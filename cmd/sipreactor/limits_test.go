package main

import (
	"testing"

	"golang.org/x/sys/unix"
)

func TestRaiseFileLimit(t *testing.T) {
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Setrlimit(unix.RLIMIT_NOFILE, &before) })

	want := before.Max - 1
	if before.Max == unix.RLIM_INFINITY {
		want = 4096
	}
	got, err := raiseFileLimit(int(want))
	if err != nil || got != want {
		t.Errorf("%d: %d, %v", want, got, err)
	}
	var now unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &now); err != nil || now.Cur != want || now.Max != before.Max {
		t.Errorf("%+v, %v", now, err)
	}
	if got, err := raiseFileLimit(1 << 40); err == nil || got != want {
		t.Errorf("beyond what the kernel allows: %d, %v", got, err)
	}
}
