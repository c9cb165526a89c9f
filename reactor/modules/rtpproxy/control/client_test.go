package control

import (
	"bufio"
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"sipreactor/reactor/ports"
)

// stub answers datagrams with what f returns.
func stub(t *testing.T, f func(cookie, command string) []string) string {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pc.Close() })
	go func() {
		buf := make([]byte, maxLine)
		for {
			n, from, err := pc.ReadFrom(buf)
			if err != nil {
				return
			}
			cookie, command, _ := strings.Cut(string(buf[:n]), " ")
			for _, a := range f(cookie, strings.TrimSpace(command)) {
				_, _ = pc.WriteTo([]byte(a), from)
			}
		}
	}()
	return pc.LocalAddr().String()
}

func TestDatagrams(t *testing.T) {
	var lost atomic.Int32
	c := NewClient("udp", stub(t, func(cookie, command string) []string {
		switch {
		case command == "lost" && lost.Add(1) < 3:
			return nil
		case command == "wrong":
			return []string{cookie + " E8\n"}
		case command == "empty":
			return []string{cookie + " \n"}
		}
		return []string{"", "x", "other 1", cookie + " " + command + " b\n"}
	}), 50*time.Millisecond, 20, nil)
	for _, command := range []string{"a", "lost"} {
		if got, err := c.Do(t.Context(), command); err != nil || strings.Join(got, " ") != command+" b" {
			t.Error(got, err)
		}
	}
	if got := lost.Load(); got != 3 {
		t.Errorf("sent %d times", got)
	}
	for command, want := range map[string]string{"wrong": "E8", "empty": "without a number"} {
		var r Refusal
		if _, err := c.Do(t.Context(), command); !errors.As(err, &r) || string(r) != want {
			t.Errorf("%s: %v", command, err)
		}
	}
	for _, command := range []string{"", "a\nD b", "a\r", strings.Repeat("x", maxLine+1)} {
		if _, err := c.Do(t.Context(), command); !errors.Is(err, ErrCommand) {
			t.Errorf("%.10q: %v", command, err)
		}
	}
	if err := c.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestSilence(t *testing.T) {
	for _, f := range []func(cookie, _ string) []string{
		func(_, _ string) []string { return nil },
		func(_, _ string) []string { return []string{"other 1", "x"} },
	} {
		c := NewClient("udp", stub(t, f), 5*time.Millisecond, 2, nil)
		if _, err := c.Do(t.Context(), "V"); !errors.Is(err, ErrSilent) {
			t.Error(err)
		}
		if err := c.Ping(t.Context()); !errors.Is(err, ErrSilent) {
			t.Error(err)
		}
	}
	addr, err := ports.Address()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewClient("udp", addr, time.Minute, 1, nil).Do(t.Context(), "V"); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Error(err)
	}
}

func TestStreams(t *testing.T) {
	for network, addr := range map[string]string{"tcp": "127.0.0.1:0", "unix": t.TempDir() + "/rtpproxy"} {
		l, err := net.Listen(network, addr)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = l.Close() }()
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				go func() {
					defer func() { _ = conn.Close() }()
					text, _ := bufio.NewReader(conn).ReadString('\n')
					for _, b := range []byte("ok " + text) { // in pieces
						if text == "silent\n" {
							time.Sleep(20 * time.Millisecond)
							continue
						}
						_, _ = conn.Write([]byte{b})
					}
				}()
			}
		}()
		c := NewClient(network, l.Addr().String(), 2*time.Second, 0, nil)
		if got, err := c.Do(t.Context(), "V x"); err != nil || strings.Join(got, " ") != "ok V x" {
			t.Error(got, err)
		}
		c.within = 10 * time.Millisecond
		if got, err := c.Do(t.Context(), "silent"); !errors.Is(err, ErrSilent) {
			t.Error(got, err)
		}
	}
}

func TestParse(t *testing.T) {
	for url, want := range map[string]string{
		"udp:localhost:22222": "udp localhost:22222", "tcp6:[::1]:1": "tcp6 [::1]:1", "/var/run/x": "unix /var/run/x", "unix:/x": "unix /x",
	} {
		if network, addr, err := Parse(url); err != nil || network+" "+addr != want {
			t.Errorf("%s: %s %s %v", url, network, addr, err)
		}
	}
	for _, url := range []string{"", "x", "udp:", "udp:h", "udp:h:0", "udp:h:x", "sctp:h:1", "unix:x", "udp::1"} {
		if _, _, err := Parse(url); err == nil {
			t.Errorf("%q is taken", url)
		}
	}
}
