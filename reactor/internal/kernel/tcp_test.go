package kernel

import (
	"errors"
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/tcptest"
	"sipreactor/reactor/internal/waittest"
)

// pair returns the descriptor of a connection and its peer.
func pair(t *testing.T) (fd int, peer *net.TCPConn) {
	t.Helper()
	fd, peer = tcptest.Pair(t)
	t.Cleanup(func() { unix.Close(fd) })
	return fd, peer
}

func TestBytesUnderWay(t *testing.T) {
	fd, peer := pair(t)
	if _, err := peer.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	waittest.For(t, "five bytes are unread", func() bool { return Unread(fd) == 5 })
	Discard(fd)
	if _, err := peer.Write(make([]byte, 20000)); err != nil {
		t.Fatal(err)
	}
	waittest.For(t, "more is unread", func() bool { return Unread(fd) == 20000 })
	if Discard(fd); Unread(fd) != 0 {
		t.Errorf("%d left", Unread(fd))
	}
	if _, err := unix.Write(fd, []byte("answer")); err != nil {
		t.Fatal(err)
	}
	waittest.For(t, "all is acknowledged", func() bool { n, err := Unacknowledged(fd); return n == 0 && err == nil })
	if RoundTrip(fd) <= 0 || RoundTrip(fd) > MaxRoundTrip {
		t.Errorf("a round trip of %v", RoundTrip(fd))
	}
}

func TestReset(t *testing.T) {
	fd, peer := pair(t)
	if Dead(fd) {
		t.Fatal("dead from the start")
	}
	_ = peer.SetLinger(0)
	peer.Close()
	waittest.For(t, "it is dead", func() bool { return Dead(fd) })
	if err := SocketError(fd, unix.ENOTCONN); !errors.Is(err, unix.ECONNRESET) {
		t.Errorf("%v", err)
	}
	if err := SocketError(fd, unix.ENOTCONN); !errors.Is(err, unix.ENOTCONN) {
		t.Errorf("told twice: %v", err)
	}
}

func TestWindowClosed(t *testing.T) {
	for name, c := range map[string]struct {
		info unix.TCPInfo
		want bool
	}{
		"no window":                     {unix.TCPInfo{}, true},
		"room":                          {unix.TCPInfo{Snd_wnd: 65535, Snd_mss: 1460, Notsent_bytes: 9000}, false},
		"less than a segment":           {unix.TCPInfo{Snd_wnd: 700, Snd_mss: 1460, Notsent_bytes: 9000}, true},
		"the rest fits":                 {unix.TCPInfo{Snd_wnd: 700, Snd_mss: 1460, Notsent_bytes: 500}, false},
		"less, but something is on way": {unix.TCPInfo{Snd_wnd: 700, Snd_mss: 1460, Notsent_bytes: 9000, Unacked: 1}, false},
		"large segments of a loopback":  {unix.TCPInfo{Snd_wnd: 20000, Snd_mss: 65483, Notsent_bytes: 60000}, false},
	} {
		if got := WindowClosed(&c.info); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestAbortOnClose(t *testing.T) {
	fd, peer := pair(t)
	AbortOnClose(fd)
	unix.Close(fd)
	_ = peer.SetReadDeadline(time.Now().Add(30 * time.Second))
	if _, err := peer.Read(make([]byte, 1)); !errors.Is(err, unix.ECONNRESET) {
		t.Errorf("the peer gets %v", err)
	}
}
