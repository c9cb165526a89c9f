package mi

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor/internal/logtest"
	"sipreactor/reactor/internal/waittest"
	"sipreactor/reactor/rpc"
)

func serveDatagram(t testing.TB, cfg DatagramConfig, d *rpc.Dispatcher) (*Datagram, *logtest.Log) {
	t.Helper()
	log := new(logtest.Log)
	cfg.Log = slog.New(slog.NewTextHandler(log, nil))
	if cfg.WriteTimeout == 0 {
		cfg.WriteTimeout = patience
	}
	s, err := ServeDatagram(cfg, d)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s, log
}

// wide is a Dispatcher with a command whose answer no datagram holds.
func wide(t testing.TB) *rpc.Dispatcher {
	t.Helper()
	d := echo(t)
	if err := d.Register(rpc.Command{Name: "wide", Func: func(context.Context, *rpc.Args) (any, error) {
		return strings.Repeat("x", maxDatagram), nil
	}}); err != nil {
		t.Fatal(err)
	}
	return d
}

// talk sends a datagram and, if an answer is wanted, reads it.
func talk(t testing.TB, c net.Conn, request, want string) {
	t.Helper()
	if _, err := c.Write([]byte(request)); err != nil {
		t.Fatal(err)
	}
	if want == "" {
		return
	}
	_ = c.SetReadDeadline(time.Now().Add(patience))
	b := make([]byte, maxDatagram)
	if n, err := c.Read(b); err != nil || string(b[:n]) != want {
		t.Fatalf("got %s, %v\nwant %s", b[:n], err, want)
	}
}

func TestDatagramUDP(t *testing.T) {
	s, log := serveDatagram(t, DatagramConfig{Name: "udp:127.0.0.1:0"}, wide(t))
	c, err := net.Dial("udp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	talk(t, c, echoRequest("a", 1), echoReply("a", 1))
	talk(t, c, `{"jsonrpc":"2.0","method":"echo","params":["silent"]}`, "")
	talk(t, c, "", `{"jsonrpc":"2.0","error":{"code":-32700,"message":"Parse error"},"id":null}`)
	talk(t, c, `{"jsonrpc":"2.0","method":"wide","id":"w"}`,
		`{"jsonrpc":"2.0","error":{"code":500,"message":"The answer is too large for a datagram","data":65545},"id":"w"}`)
	if log.Has("WARN") {
		t.Error("something was complained of")
	}
	s.Close()
	s.Close()
}

func TestDatagramAllow(t *testing.T) {
	allow := []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
	s, log := serveDatagram(t, DatagramConfig{Name: "udp:127.0.0.1:0", Allow: allow}, echo(t))
	c, err := net.Dial("udp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	talk(t, c, echoRequest("a", 1), "")
	waittest.For(t, "it is refused", func() bool { return log.Has("may not speak") })
}

func TestDatagramUNIX(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "s")
	s, log := serveDatagram(t, DatagramConfig{Name: name, WriteTimeout: 500 * time.Millisecond}, wide(t))
	if info, err := os.Lstat(name); err != nil || info.Mode().Perm() != 0o600 || s.Addr().IsValid() {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	at := &net.UnixAddr{Name: name, Net: "unixgram"}
	c, err := net.DialUnix("unixgram", &net.UnixAddr{Name: filepath.Join(dir, "c"), Net: "unixgram"}, at)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	talk(t, c, echoRequest("a", 1), echoReply("a", 1))

	// Who has no name, has gone, or takes nothing holds nobody up.
	nameless, err := net.DialUnix("unixgram", nil, at)
	if err != nil {
		t.Fatal(err)
	}
	defer nameless.Close()
	talk(t, nameless, echoRequest("a", 1), "")
	full, err := net.DialUnix("unixgram", &net.UnixAddr{Name: filepath.Join(dir, "full"), Net: "unixgram"}, at)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	for !log.Has("i/o timeout") {
		if _, err := full.Write([]byte(echoRequest(strings.Repeat("x", 16<<10), 1))); err != nil {
			break // the socket is another
		}
	}
	waittest.For(t, "others are answered", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		caller := Client{Target: name, ReplyDir: dir}
		got, err := caller.Call(ctx, "echo", []string{"b"})
		return err == nil && string(got) == `"b"`
	})
	if !log.Has("has no name") {
		t.Error("nothing is said of the one without a name")
	}
	s.Close()
	if _, err := os.Lstat(name); !os.IsNotExist(err) {
		t.Errorf("the socket is left: %v", err)
	}
}

func TestDatagramRefuses(t *testing.T) {
	dir := t.TempDir()
	used := filepath.Join(dir, "used")
	serveDatagram(t, DatagramConfig{Name: used}, echo(t))
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, why := range map[string]string{
		used:                           "in use",
		file:                           "no socket",
		filepath.Join(dir, "no", "at"): "no such file",
		"udp:0.0.0.0:0":                "needs a list",
		"udp:localhost":                "",
	} {
		if _, err := ServeDatagram(DatagramConfig{Name: name}, echo(t)); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v", name, err)
		}
	}
	left, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(dir, "left"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	left.Close()
	s, _ := serveDatagram(t, DatagramConfig{Name: filepath.Join(dir, "left"), Mode: 0o660}, echo(t))
	if info, err := os.Lstat(s.cfg.Name); err != nil || info.Mode().Perm() != 0o660 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

// TestDatagramLeavesOthers: a socket that somebody else put in its place stays.
func TestDatagramLeavesOthers(t *testing.T) {
	name := filepath.Join(t.TempDir(), "s")
	s, _ := serveDatagram(t, DatagramConfig{Name: name}, echo(t))
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	next, _ := serveDatagram(t, DatagramConfig{Name: name}, echo(t))
	s.Close()
	if got, err := Call(t.Context(), name, "echo", []string{"a"}); err != nil || string(got) != `"a"` {
		t.Errorf("%s, %v", got, err)
	}
	next.Close()
}
