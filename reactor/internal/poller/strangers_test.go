package poller

import (
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/listener"
)

// inode tells which file a descriptor is of.
func inode(t *testing.T, fd int) uint64 {
	t.Helper()
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		t.Fatal(err)
	}
	return st.Ino
}

// A socket that somebody else's epoll set watches stays what it is when a Poller
// starts that has no listener of streams.
func TestStartLeavesOtherEpollSets(t *testing.T) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	set, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(set) })
	if err := unix.EpollCtl(set, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)}); err != nil {
		t.Fatal(err)
	}
	was := inode(t, fd)
	start(t, 2, listener.Config{Addr: netip.MustParseAddrPort("127.0.0.1:0"), Datagrams: true})
	if inode(t, fd) != was {
		t.Error("another file is in the place of the socket")
	}
	if err := unix.EpollCtl(set, unix.EPOLL_CTL_MOD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)}); err != nil {
		t.Errorf("it is not watched any more: %v", err)
	}
}
