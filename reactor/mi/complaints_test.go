package mi

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/logtest"
	"sipreactor/reactor/internal/waittest"
)

// A client that fails all the time does not fill the log, and does not hide another
// one's failure.
func TestFIFOComplaintsFold(t *testing.T) {
	p := servePipes(t, echo(t))
	for i := range 200 {
		p.write(":noisy:" + echoRequest("a", i))
		if i == 100 {
			p.write(":other:" + echoRequest("a", i))
		}
	}
	r := p.reader("reply")
	p.write(":reply:" + echoRequest("a", 1))
	p.expect(r, echoReply("a", 1))
	p.Close()
	if noisy, other := p.log.Count("reply=noisy"), p.log.Count("reply=other"); noisy < 1 || noisy > 20 || other != 1 {
		t.Errorf("%d lines of the noisy one, %d of the other", noisy, other)
	}
}

func TestDatagramComplaintsFold(t *testing.T) {
	log := new(logtest.Log)
	dir := t.TempDir()
	d, err := ServeDatagram(DatagramConfig{Name: filepath.Join(dir, "socket"), Log: slog.New(slog.NewTextHandler(log, nil))}, echo(t))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	nobody, err := net.Dial("unixgram", d.cfg.Name)
	if err != nil {
		t.Fatal(err)
	}
	defer nobody.Close()
	for i := range 200 {
		if _, err := nobody.Write([]byte(echoRequest("a", i))); err != nil {
			t.Fatal(err)
		}
	}
	here := filepath.Join(dir, "here")
	c, err := net.DialUnix("unixgram", &net.UnixAddr{Name: here, Net: "unixgram"}, &net.UnixAddr{Name: d.cfg.Name, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(patience))
	_, _ = c.Write([]byte(echoRequest("a", 1)))
	if _, err := c.Read(make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}
	if n := log.Count("has no name"); n < 1 || n > 20 {
		t.Errorf("%d lines", n)
	}
}

// Answers that are not read again and again are told of once in a while.
func TestDatagramRenewalsFold(t *testing.T) {
	dir := t.TempDir()
	d, log := serveDatagram(t, DatagramConfig{Name: filepath.Join(dir, "socket"), WriteTimeout: 10 * time.Millisecond}, wide(t))
	const n = 8
	for i := range n {
		full, err := net.DialUnix("unixgram", &net.UnixAddr{Name: filepath.Join(dir, fmt.Sprint("full", i)), Net: "unixgram"},
			&net.UnixAddr{Name: d.cfg.Name, Net: "unixgram"})
		if err != nil {
			t.Fatal(err)
		}
		deadline := time.Now().Add(patience)
		for err == nil && time.Now().Before(deadline) { // until the socket is another
			_ = full.SetWriteDeadline(deadline)
			_, err = full.Write([]byte(echoRequest(strings.Repeat("x", 16<<10), 1)))
		}
		full.Close()
		if err == nil {
			t.Fatal("the socket is not made anew")
		}
	}
	if got := log.Count("made anew"); got < 1 || got > n/2 {
		t.Errorf("%d lines of %d sockets", got, n)
	}
}

// caller is a connection from an address.
type caller struct {
	net.Conn
	at net.Addr
}

func (c caller) RemoteAddr() net.Addr { return c.at }

// A stranger who knocks all the time does not hide another one.
func TestStrangersFold(t *testing.T) {
	log := new(logtest.Log)
	l := &boundedListener{log: slog.New(slog.NewTextHandler(log, nil))}
	knock := func(from string) {
		if l.admits(caller{at: net.TCPAddrFromAddrPort(netip.MustParseAddrPort(from))}) {
			t.Errorf("%s may speak", from)
		}
	}
	for i := range 200 {
		knock(fmt.Sprintf("203.0.113.1:%d", 1000+i))
		if i == 100 {
			knock("203.0.113.2:1000")
		}
	}
	if noisy, other := log.Count("203.0.113.1"), log.Count("203.0.113.2"); noisy < 1 || noisy > 20 || other != 1 {
		t.Errorf("%d lines of the noisy one, %d of the other", noisy, other)
	}
}

// A file system that is full neither ends the serving of a FIFO that is open, nor
// fills the log when that has to be made again; when there is room, it is back.
func TestFIFOOnAFullDisk(t *testing.T) {
	dir := t.TempDir()
	// The folder, the FIFO, that of the answers and another file have the i-nodes.
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "nr_inodes=4,size=64k"); errors.Is(err, unix.EPERM) {
		t.Skip("may not mount a file system: ", err)
	} else if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Unmount(dir, unix.MNT_DETACH) }()
	log := new(logtest.Log)
	f, err := ServeFIFO(FIFOConfig{Name: filepath.Join(dir, "fifo"), ReplyDir: dir, Log: slog.New(slog.NewTextHandler(log, nil)), tick: 5 * time.Millisecond}, echo(t))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p := &pipes{TB: t, FIFO: f, dir: dir, name: f.cfg.Name, log: log}
	r := p.reader("reply")
	ask := func() {
		t.Helper()
		p.write(":reply:" + echoRequest("a", 1))
		p.expect(r, echoReply("a", 1))
	}
	other := filepath.Join(dir, "other")
	if err := os.WriteFile(other, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	ask()
	if err := os.WriteFile(filepath.Join(dir, "more"), nil, 0o600); !errors.Is(err, unix.ENOSPC) {
		t.Fatalf("the disk is not full: %v", err)
	}
	if err := os.Remove(p.name); err != nil { // its i-node is in use all the same
		t.Fatal(err)
	}
	waittest.For(t, "it is told of", func() bool { return log.Has("no space left") })
	time.Sleep(100 * time.Millisecond) // 20 looks
	if n := log.Count("no space left"); n > 2 {
		t.Errorf("%d lines", n)
	}
	if err := os.Remove(other); err != nil {
		t.Fatal(err)
	}
	waittest.For(t, "it is back", func() bool { return log.Has("was gone and is made again") })
	ask()
}
