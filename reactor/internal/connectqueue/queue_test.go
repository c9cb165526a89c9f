package connectqueue

import (
	"errors"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/kernel"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 20 * time.Second

// peer is a connection that notes what it is told.
type peer struct {
	fd        int
	closes    atomic.Bool
	connected chan error
	writable  chan struct{}
}

func (p *peer) Fd() int             { return p.fd }
func (p *peer) Closes() bool        { return p.closes.Load() }
func (p *peer) Connected(err error) { p.connected <- err }
func (p *peer) Writable()           { p.writable <- struct{}{} }

func newPeer(fd int) *peer {
	return &peer{fd: fd, connected: make(chan error, 2), writable: make(chan struct{}, 2)}
}

func await[T any](t *testing.T, from chan T) (v T) {
	t.Helper()
	select {
	case v = <-from:
	case <-time.After(patience):
		t.Fatal("nothing comes")
	}
	return v
}

func newQueue(t *testing.T) *Queue[*peer] {
	t.Helper()
	began := time.Now()
	q, err := New[*peer](func() int64 { return int64(time.Since(began)) + 1 }, func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(q.Close)
	return q
}

// begin begins a connect to an address and returns its socket.
func begin(t *testing.T, to netip.AddrPort) *peer {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err = unix.Connect(fd, kernel.Sockaddr(to)); err != nil && err != unix.EINPROGRESS {
		t.Fatal(err)
	}
	return newPeer(fd)
}

func listener(t *testing.T) (l net.Listener, at netip.AddrPort) {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l, l.Addr().(*net.TCPAddr).AddrPort()
}

// silent is an address that answers no connect: a listener whose backlog is full.
func silent(t *testing.T) netip.AddrPort {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	if err = errors.Join(unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}), unix.Listen(fd, 0)); err != nil {
		t.Fatal(err)
	}
	at, err := kernel.LocalAddr(fd)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 { // the first is done, the others wait for it to be accepted
		filler := begin(t, at)
		t.Cleanup(func() { unix.Close(filler.fd) })
	}
	return at
}

// open reports whether a descriptor is.
func open(fd int) bool {
	_, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
	return err == nil
}

func TestConnectIsDone(t *testing.T) {
	_, at := listener(t)
	q := newQueue(t)
	p := begin(t, at)
	if err := q.Park(p, patience); err != nil {
		t.Fatal(err)
	}
	if err := await(t, p.connected); err != nil {
		t.Error(err)
	}
	if !open(p.fd) || q.Len() != 0 || q.Watched() != 0 {
		t.Errorf("open %v, %d under way, %d watched", open(p.fd), q.Len(), q.Watched())
	}
	q.Cancel(p) // is too late
	if !open(p.fd) {
		t.Error("a connection that is up was ended")
	}
	unix.Close(p.fd)
}

func TestConnectIsRefused(t *testing.T) {
	l, at := listener(t)
	l.Close()
	q := newQueue(t)
	p := begin(t, at)
	if err := q.Park(p, patience); err != nil {
		t.Fatal(err)
	}
	if err := await(t, p.connected); !errors.Is(err, unix.ECONNREFUSED) {
		t.Error(err)
	}
	if open(p.fd) {
		t.Error("its descriptor is open")
	}
}

func TestConnectHasALimit(t *testing.T) {
	q := newQueue(t)
	p := begin(t, silent(t))
	if err := q.Park(p, 10*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if err := await(t, p.connected); !errors.Is(err, ErrTimeout) {
		t.Error(err)
	}
	if open(p.fd) || q.Len() != 0 || q.Watched() != 0 {
		t.Errorf("open %v, %d under way, %d watched", open(p.fd), q.Len(), q.Watched())
	}
}

func TestConnectIsCancelled(t *testing.T) {
	q := newQueue(t)
	at := silent(t)
	p := begin(t, at)
	q.Cancel(p) // not here yet: whoever has it closes it
	if !open(p.fd) {
		t.Error("a descriptor was closed that is not the queue's")
	}
	if err := q.Park(p, patience); err != nil {
		t.Fatal(err)
	}
	q.Cancel(p)
	q.Cancel(p)
	if err := await(t, p.connected); !errors.Is(err, ErrCancelled) {
		t.Error(err)
	}
	if open(p.fd) || len(p.connected) != 0 {
		t.Errorf("open %v, told %d times more", open(p.fd), len(p.connected))
	}
	late := begin(t, at)
	late.closes.Store(true)
	if err := q.Park(late, patience); !errors.Is(err, ErrCancelled) || q.Len() != 0 {
		t.Errorf("%v, %d under way", err, q.Len())
	}
	unix.Close(late.fd)
}

// An event may be that of an earlier socket of the same number.
func TestConnectOutlivesAnEventOfAnother(t *testing.T) {
	q := newQueue(t)
	p := begin(t, silent(t))
	if err := q.Park(p, patience); err != nil {
		t.Fatal(err)
	}
	if q.ready(p.fd); len(p.connected) != 0 || q.Len() != 1 {
		t.Errorf("told %d times, %d under way", len(p.connected), q.Len())
	}
	q.Cancel(p)
	await(t, p.connected)
}

// A watch is told once; then it wants to be asked for again.
func TestRoomToWrite(t *testing.T) {
	l, at := listener(t)
	q := newQueue(t)
	p := begin(t, at)
	theirs, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer theirs.Close()
	for err = nil; err == nil; _, err = unix.Write(p.fd, make([]byte, 64<<10)) {
	}
	if err = q.WatchWrite(p); err != nil {
		t.Fatal(err)
	}
	q.Cancel(p) // is for connects
	if !open(p.fd) || q.Len() != 0 || q.Watched() != 1 {
		t.Errorf("open %v, %d under way, %d watched", open(p.fd), q.Len(), q.Watched())
	}
	go func() {
		b := make([]byte, 64<<10)
		for {
			if _, err := theirs.Read(b); err != nil {
				return
			}
		}
	}()
	await(t, p.writable)
	if err = q.WatchWrite(p); err != nil {
		t.Fatal(err)
	}
	await(t, p.writable)
	q.Forget(p)
	if q.Watched() != 0 {
		t.Errorf("%d watched", q.Watched())
	}
	unix.Close(p.fd)
}

// That a peer ended its half is no end; a reset is.
func TestEndOfAConnection(t *testing.T) {
	l, at := listener(t)
	q := newQueue(t)
	p := begin(t, at)
	theirs, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if err = errors.Join(theirs.(*net.TCPConn).CloseWrite(), q.WatchEnd(p)); err != nil {
		t.Fatal(err)
	}
	if len(p.writable) != 0 {
		t.Error("told of the end of a half")
	}
	if err = errors.Join(theirs.(*net.TCPConn).SetLinger(0), theirs.Close()); err != nil {
		t.Fatal(err)
	}
	await(t, p.writable)
	q.Forget(p)
	unix.Close(p.fd)
}
