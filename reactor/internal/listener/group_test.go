package listener

import (
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/kernel"
)

const patience = 30 * time.Second

// watching is a group with one listener in an epoll set of its own.
type watching struct {
	*testing.T
	*Group
	set, fd int
	at      netip.AddrPort
	log     *strings.Builder
}

func watched(t *testing.T) *watching {
	t.Helper()
	w := &watching{T: t, log: new(strings.Builder)}
	w.Group = NewGroup(slog.New(slog.NewTextHandler(w.log, nil)))
	c := Config{Addr: netip.MustParseAddrPort("127.0.0.1:0")}
	var err error
	if w.fd, err = c.Bind(); err != nil {
		t.Fatal(err)
	}
	if err := unix.SetNonblock(w.fd, true); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(w.fd, 10); err != nil {
		t.Fatal(err)
	}
	if w.at, err = kernel.LocalAddr(w.fd); err != nil {
		t.Fatal(err)
	}
	if w.set, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	if err := unix.EpollCtl(w.set, unix.EPOLL_CTL_ADD, w.fd, &unix.EpollEvent{Fd: int32(w.fd), Events: unix.EPOLLIN}); err != nil {
		t.Fatal(err)
	}
	w.Open([]kernel.Watched{{Set: w.set, FD: w.fd, Events: unix.EPOLLIN}})
	t.Cleanup(func() {
		w.Close()
		unix.Close(w.fd)
		unix.Close(w.set)
	})
	return w
}

// told reports whether the set tells of the listener within a time.
func (w *watching) told(within time.Duration) bool {
	w.Helper()
	var events [1]unix.EpollEvent
	for end := time.Now().Add(within); ; {
		n, err := unix.EpollWait(w.set, events[:], int(max(0, time.Until(end)/time.Millisecond)))
		if err == unix.EINTR { //nolint:errorlint // a number
			continue
		}
		if err != nil {
			w.Fatal(err)
		}
		return n > 0
	}
}

func (w *watching) dial() net.Conn {
	w.Helper()
	c, err := net.Dial("tcp", w.at.String())
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(patience))
	return c
}

// stop keeps the pause from ending by itself.
func (w *watching) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.paused.Stop()
}

// later moves the group's clock on.
func (w *watching) later(d time.Duration) { w.born = w.born.Add(-d) }

// When accept has failed nobody is told of the listeners, and a little later all is
// as before.
func TestFailurePauses(t *testing.T) {
	w := watched(t)
	w.dial()
	if !w.told(patience) {
		t.Fatal("the set tells of no connection")
	}
	w.Fail(unix.ENOMEM)
	w.stop()
	w.mu.Lock()
	watch(w.watched[0], 0) // the timer may have been faster
	w.mu.Unlock()
	if w.told(0) {
		t.Error("it is told of all the same")
	}
	w.Fail(unix.ENOMEM)
	if !w.told(patience) {
		t.Error("it is never told of again")
	}
	if n := strings.Count(w.log.String(), "cannot be accepted"); n != 1 || w.Failed.Load() != 2 {
		t.Errorf("%d lines for %d failures", n, w.Failed.Load())
	}
}

// What waits is turned away only when descriptors have been short for a while.
func TestShortOfDescriptors(t *testing.T) {
	w := watched(t)
	c := w.dial()
	for _, step := range []struct {
		after time.Duration
		err   error
		away  uint64
	}{
		{0, unix.EMFILE, 0},
		{turnAfter / 2, unix.EMFILE, 0},
		{2 * turnAfter, unix.EMFILE, 0}, // it was over meanwhile
		{3 * turnAfter / 4, unix.ENOMEM, 0},
		{3 * turnAfter / 4, unix.ENFILE, 1},
	} {
		w.later(step.after)
		w.Fail(step.err)
		w.stop()
		if n := w.TurnedAway.Load(); n != step.away {
			t.Fatalf("%v after %v: %d are turned away, want %d", step.err, step.after, n, step.away)
		}
	}
	if n, err := c.Read(make([]byte, 1)); n != 0 || err == nil || os.IsTimeout(err) {
		t.Errorf("the peer reads %d, %v", n, err)
	}
}

// Shut ends the listening though the descriptor stays open.
func TestShut(t *testing.T) {
	w := watched(t)
	w.Shut()
	if c, err := net.DialTimeout("tcp", w.at.String(), patience); err == nil {
		c.Close()
		t.Error("somebody still listens")
	}
	if _, err := unix.FcntlInt(uintptr(w.fd), unix.F_GETFD, 0); err != nil {
		t.Errorf("the descriptor is closed: %v", err)
	}
	if w.told(0) {
		t.Error("the set still watches it")
	}
}

// A group that has ended keeps no descriptor and pauses nothing.
func TestCloseKeepsNothing(t *testing.T) {
	w := watched(t)
	kept := append([]int(nil), w.spare...)
	if len(kept) != spares {
		t.Fatalf("%d are kept", len(kept))
	}
	w.Close()
	for _, fd := range kept {
		if to, err := os.Readlink("/proc/self/fd/" + strconv.Itoa(fd)); err == nil && to == "/dev/null" {
			t.Errorf("descriptor %d is still open", fd)
		}
	}
	w.Fail(unix.EMFILE)
	w.resume()
	w.dial()
	if !w.told(patience) {
		t.Error("it is paused")
	}
	w.Open(nil)
	if len(w.spare) != 0 {
		t.Error("it is opened again")
	}
}

// Who has connected when the accepting ends is accepted all the same, however late, and nobody else connects.
func TestShutBehindThoseWhoWait(t *testing.T) {
	w := watched(t)
	var clients []net.Conn
	for range 5 {
		c := w.dial()
		if _, err := c.Write([]byte("?")); err != nil {
			t.Fatal(err)
		}
		clients = append(clients, c)
	}
	shut := make(chan struct{})
	go func() { defer close(shut); w.Shut() }()
	ignores := func() bool { // the kernel would answer at once
		c, err := net.DialTimeout("tcp", w.at.String(), 100*time.Millisecond)
		if err == nil {
			_ = c.Close()
		}
		return err != nil
	}
	for end := time.Now().Add(patience); !ignores(); {
		if time.Now().After(end) {
			t.Fatal("it never ends")
		}
	}
	for {
		fd, _, err := unix.Accept4(w.fd, unix.SOCK_CLOEXEC)
		if err != nil {
			break
		}
		if _, err := unix.Write(fd, []byte("!")); err != nil {
			t.Error(err)
		}
		unix.Close(fd)
	}
	for _, c := range clients {
		if n, err := c.Read(make([]byte, 1)); n != 1 {
			t.Errorf("a client that had connected reads %d, %v", n, err)
		}
	}
	<-shut
	if kernel.Unaccepted(w.fd) != 0 {
		t.Error("some wait all the same")
	}
}

// A socket that others have as well is not watched any more, and goes on listening.
func TestShutLeavesWhatIsShared(t *testing.T) {
	w := watched(t)
	w.shared[w.fd] = true
	other, err := unix.FcntlInt(uintptr(w.fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(other)
	w.Shut()
	w.dial()
	if kernel.Unaccepted(other) != 1 || w.told(0) {
		t.Error("it does not listen, or is watched")
	}
}

// A group that is closed while it ends its sockets puts nothing in the place of what has their numbers by then.
func TestCloseOvertakesShut(t *testing.T) {
	w := watched(t)
	shut := make(chan struct{})
	go func() { defer close(shut); w.Shut() }()
	for taken := false; !taken; time.Sleep(acceptPause / 10) { // it has the list, and waits for who accepts
		w.mu.Lock()
		taken = w.watched == nil
		w.mu.Unlock()
	}
	w.Close()
	stranger, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(stranger)
	if err := unix.Dup3(stranger, w.fd, unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	<-shut
	var is, want unix.Stat_t
	if err := errors.Join(unix.Fstat(w.fd, &is), unix.Fstat(stranger, &want)); err != nil || is.Ino != want.Ino {
		t.Errorf("another socket is behind the number: %v", err)
	}
}
