package mi

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sipreactor/reactor/rpc"
)

// targets serves a Dispatcher in every way and gives Clients for each.
func targets(t testing.TB, d *rpc.Dispatcher) map[string]*Client {
	t.Helper()
	p := servePipes(t, d)
	socket := filepath.Join(t.TempDir(), "s")
	serveDatagram(t, DatagramConfig{Name: socket}, d)
	udp, _ := serveDatagram(t, DatagramConfig{Name: "udp:127.0.0.1:0"}, d)
	h := serveHTTP(t, HTTPConfig{}, d)
	return map[string]*Client{
		"FIFO": {Target: p.name, ReplyDir: p.dir},
		"UNIX": {Target: socket, ReplyDir: p.dir},
		"UDP":  {Target: "udp:" + udp.Addr().String()},
		"HTTP": {Target: "http://" + h.Addr().String() + "/mi"},
	}
}

func TestCall(t *testing.T) {
	for name, c := range targets(t, echo(t)) {
		t.Run(name, func(t *testing.T) {
			for _, params := range []any{[]any{"a", 2}, map[string]any{"text": "a", "times": 2}, rpc.Object{{Name: "text", Value: "a"}, {Name: "times", Value: "2"}}} {
				if got, err := c.Call(t.Context(), "echo", params); err != nil || string(got) != `"aa"` {
					t.Errorf("%v: %s, %v", params, got, err)
				}
			}
			var refused *rpc.Error
			if _, err := c.Call(t.Context(), "refuse", nil); !errors.As(err, &refused) || refused.Code != 500 || refused.Data != "because" {
				t.Errorf("refuse: %v", err)
			}
			if _, err := c.Call(t.Context(), "echo", make(chan int)); err == nil {
				t.Error("a channel was sent")
			}
			if c.ReplyDir != "" {
				if left, _ := filepath.Glob(filepath.Join(c.ReplyDir, "sipreactor_mi_*")); len(left) > 0 {
					t.Errorf("left behind: %v", left)
				}
			}
		})
	}
}

// TestCallsAtOnce: callers that come together get their own answers.
func TestCallsAtOnce(t *testing.T) {
	for name, c := range targets(t, echo(t)) {
		t.Run(name, func(t *testing.T) {
			var clients sync.WaitGroup
			for i := range 8 {
				clients.Go(func() {
					for j := range 10 {
						want := fmt.Sprintf("%d-%d", i, j)
						ctx, cancel := context.WithTimeout(t.Context(), patience)
						got, err := c.Call(ctx, "echo", []string{want})
						cancel()
						if err != nil || string(got) != `"`+want+`"` {
							t.Errorf("%s: %s, %v", want, got, err)
							return
						}
					}
				})
			}
			clients.Wait()
		})
	}
}

func TestCallLargeAnswer(t *testing.T) {
	d := wide(t)
	for name, c := range targets(t, d) {
		got, err := c.Call(t.Context(), "wide", nil)
		switch name {
		case "FIFO", "HTTP":
			if err != nil || len(got) != maxDatagram+2 {
				t.Errorf("%s: %d bytes, %v", name, len(got), err)
			}
		default:
			if err == nil || !strings.Contains(err.Error(), "too large for a datagram") {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// TestCallInVain: each way of not being there is told, and none waits longer
// than the context.
func TestCallInVain(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	if err := os.WriteFile(at("file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"idle", "silent"} {
		if err := unix.Mkfifo(at(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	silent, err := os.OpenFile(at("silent"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	mute, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: at("mute"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer mute.Close()
	quiet, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer quiet.Close()
	h := serveHTTP(t, HTTPConfig{Token: "x"}, echo(t))
	const late = "no answer: context deadline exceeded"
	for target, why := range map[string]string{
		at("missing"):                         "no such file",
		at("file"):                            "neither a FIFO nor a socket",
		at("idle"):                            "does not run",
		at("silent"):                          late,
		at("mute"):                            late,
		"udp:" + quiet.LocalAddr().String():   late,
		"udp:nowhere":                         "nowhere",
		"http://127.0.0.1:1/mi":               "refused",
		"http://" + h.Addr().String() + "/mi": "401",
	} {
		limit := patience
		if why == late {
			limit = 200 * time.Millisecond
		}
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		c := Client{Target: target, ReplyDir: dir}
		_, err := c.Call(ctx, "echo", []string{"a"})
		cancel()
		if err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v, not %q", target, err, why)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := Call(ctx, at("missing"), "echo", nil); err == nil {
		t.Error("Call of nothing")
	}
	c := Client{Target: at("silent"), ReplyDir: at("no folder")}
	if _, err := c.Call(ctx, "echo", nil); err == nil {
		t.Error("no folder for the answer")
	}
}

// TestCallNonsense: what is no answer is told as such.
func TestCallNonsense(t *testing.T) {
	h := serveHTTP(t, HTTPConfig{}, echo(t))
	for path, body := range map[string]string{"/text": "hello", "/empty": "", "/object": "{}", "/array": "[]", "/null": `{"error":null}`} {
		h.Handle(path, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) }))
		_, err := Call(t.Context(), "http://"+h.Addr().String()+path, "echo", nil)
		if err == nil || !strings.Contains(err.Error(), "no answer in JSON-RPC") {
			t.Errorf("%s: %v", path, err)
		}
	}
	if _, err := Call(t.Context(), "http://"+h.Addr().String()+"/missing", "echo", nil); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("missing: %v", err)
	}
	if _, err := Call(t.Context(), "http://[", "echo", nil); err == nil {
		t.Error("no address")
	}
}
