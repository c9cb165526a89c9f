package kernel

import (
	"testing"

	"golang.org/x/sys/unix"
)

func TestWatcher(t *testing.T) {
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if set, err := EpollSetOf(fd); err == nil {
		t.Fatalf("%d watches what nobody does", set)
	}
	for range 3 {
		set, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(set)
	}
	set, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(set)
	if err := unix.EpollCtl(set, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)}); err != nil {
		t.Fatal(err)
	}
	if found, err := EpollSetOf(fd); err != nil || found != set {
		t.Errorf("%d, %v; want %d", found, err, set)
	}
}

func TestWatchedBy(t *testing.T) {
	const info = "pos:\t0\nflags:\t02000002\nmnt_id:\t16\nino:\t1059\n" +
		"tfd:       12 events:       19 data:                c  pos:0 ino:423 sdev:10\n" +
		"tfd:      120 events: 80000019 data: ffffffff00000078  pos:0 ino:423 sdev:10\n"
	var got []Watched
	for w := range watchedBy(info) {
		got = append(got, w)
	}
	if len(got) != 1 || got[0] != (Watched{FD: 12, Events: 0x19}) {
		t.Errorf("%v", got)
	}
	for w := range watchedBy("tfd:\n") {
		t.Errorf("found %v in nothing", w)
	}
}

// Of two descriptors of a socket one tells the other; of three none does.
func TestTwin(t *testing.T) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if _, err = Twin(fd); err == nil {
		t.Error("one has a twin")
	}
	var twins [2]int
	for i := range twins {
		if twins[i], err = unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0); err != nil {
			t.Fatal(err)
		}
		defer unix.Close(twins[i])
		if found, err := Twin(fd); i == 0 && (err != nil || found != twins[0]) || i == 1 && err == nil {
			t.Errorf("%d of %d, %v", found, 2+i, err)
		}
	}
}
