package kernel

import (
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// gnet does not tell its epoll sets. The kernel lists those of a process, and what
// they watch, in /proc.

// Watched is a descriptor that an epoll set watches, and for what.
type Watched struct {
	Set, FD int
	Events  uint32
}

// EpollSets returns what the epoll sets of this process watch under the
// descriptor's number: gnet, built with poll_opt, gives the kernel a pointer
// instead, and the runtime's own poller does.
func EpollSets() iter.Seq2[Watched, error] {
	return func(yield func(Watched, error) bool) {
		dir, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			yield(Watched{}, err)
			return
		}
		for _, d := range dir {
			to, err := os.Readlink(filepath.Join("/proc/self/fd", d.Name()))
			if err != nil || to != "anon_inode:[eventpoll]" {
				continue
			}
			set, ok := number(d.Name())
			info, err := os.ReadFile(filepath.Join("/proc/self/fdinfo", d.Name()))
			if !ok || err != nil {
				continue
			}
			for w := range watchedBy(string(info)) {
				w.Set = set
				if !yield(w, nil) {
					return
				}
			}
		}
	}
}

// EpollSetOf returns the epoll set that watches a descriptor.
func EpollSetOf(fd int) (set int, err error) {
	for w, err := range EpollSets() {
		if err != nil {
			return -1, err
		}
		if w.FD == fd {
			return w.Set, nil
		}
	}
	return -1, fmt.Errorf("no epoll set watches descriptor %d", fd)
}

// watchedBy returns the descriptors that the kernel's description of an epoll set
// has under their numbers: lines "tfd: 12 events: 19 data: c …", the last two in
// hexadecimal.
func watchedBy(info string) iter.Seq[Watched] {
	return func(yield func(Watched) bool) {
		for line := range strings.Lines(info) {
			var w Watched
			var data uint64
			n, err := fmt.Sscanf(line, "tfd: %d events: %x data: %x", &w.FD, &w.Events, &data)
			if n == 3 && err == nil && data == uint64(w.FD) && !yield(w) {
				return
			}
		}
	}
}

// number reads a descriptor's number.
func number(name string) (int, bool) {
	n, err := strconv.Atoi(name)
	return n, err == nil
}

// Twin finds the other descriptor of a socket that has two.
func Twin(fd int) (found int, err error) {
	var want unix.Stat_t
	if err := unix.Fstat(fd, &want); err != nil {
		return -1, os.NewSyscallError("fstat", err)
	}
	dir, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return -1, err
	}
	found = -1
	for _, d := range dir {
		var st unix.Stat_t
		n, ok := number(d.Name())
		if !ok || n == fd || unix.Fstat(n, &st) != nil {
			continue
		}
		if st.Dev == want.Dev && st.Ino == want.Ino {
			if found >= 0 {
				return -1, errTwins
			}
			found = n
		}
	}
	if found < 0 {
		return -1, errTwins
	}
	return found, nil
}

var errTwins = errors.New("the listener's place cannot be told")

// Blank takes a descriptor out of the set and puts an empty file behind its number, which stays
// whoever's it is.
func (w Watched) Blank() error {
	null, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return os.NewSyscallError("open", err)
	}
	defer unix.Close(null)
	_ = unix.EpollCtl(w.Set, unix.EPOLL_CTL_DEL, w.FD, nil)
	return os.NewSyscallError("dup3", unix.Dup3(null, w.FD, unix.O_CLOEXEC))
}

// ByEdge returns the one descriptor of an epoll set that is told of by an edge.
func ByEdge(set int) (Watched, error) {
	for w, err := range EpollSets() {
		if err != nil {
			return Watched{}, err
		}
		if w.Set == set && w.Events&unix.EPOLLET != 0 {
			return w, nil
		}
	}
	return Watched{}, fmt.Errorf("epoll set %d tells of nothing by an edge", set)
}

// ListensAt returns the address that a descriptor listens at, if it does.
func ListensAt(fd int) (at netip.AddrPort, listens bool) {
	if is, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN); err != nil || is == 0 {
		return at, false
	}
	at, err := LocalAddr(fd)
	return at, err == nil
}
