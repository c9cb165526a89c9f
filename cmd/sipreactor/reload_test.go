package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"sipreactor/reactor/script"
)

// options sends OPTIONS by UDP and returns the first line of the answer.
func optionsByUDP(t *testing.T, addr string, n int) string {
	t.Helper()
	c, err := net.Dial("udp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "OPTIONS sip:%[1]s SIP/2.0\r\nVia: SIP/2.0/UDP %[2]s;branch=z9hG4bK%[3]d;rport\r\nMax-Forwards: 70\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:%[1]s>\r\nCall-ID: %[3]d\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n", addr, c.LocalAddr(), n)
	if err := c.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 2048)
	got, err := c.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(b[:got]), "\r\n")
	return line
}

// The routes and all that goes with them are swapped while the program runs, or nothing is.
func TestReloadRoutes(t *testing.T) {
	dir := t.TempDir()
	addr, fifo := "127.0.0.1:"+freePort(t), filepath.Join(dir, "fifo")
	text := func(more, routes string) string {
		return `log_level=2
socket=udp:` + addr + `
loadmodule "proto_udp.so"
loadmodule "sl.so"
loadmodule "maxfwd.so"
loadmodule "statistics.so"
loadmodule "mi_fifo.so"
modparam("mi_fifo", "fifo_name", "` + fifo + `")
modparam("mi_fifo", "reply_dir", "` + dir + `")
` + more + routes
	}
	path := filepath.Join(dir, "a.cfg")
	write := func(s string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r := &running{addr: addr, stderr: newOutput(), stdout: newOutput(), code: make(chan int, 1)}
	write(text("", `modparam("statistics", "variable", "seen")
route { update_stat("seen", 1); update_stat("dyn", 1); sl_send_reply(200, "First"); }
startup_route { xlog("up"); }
`))
	go func() { r.code <- run(t.Context(), []string{"-f", path}, r.stdout, r.stderr) }()
	r.stderr.wait(t, "msg=ready")
	mi := func(args ...string) (int, string) {
		out := newOutput()
		code := run(t.Context(), append([]string{"mi", "--to", fifo, "--reply-dir", dir}, args...), out, out)
		return code, out.String()
	}
	if got := optionsByUDP(t, addr, 1); got != "SIP/2.0 200 First" {
		t.Error(got)
	}

	write(text("", `modparam("statistics", "variable", "seen")
route { update_stat("seen", 1); xlog("seen $stat(seen) $stat(dyn)"); sl_send_reply(200, "Second"); }
startup_route { xlog("up again"); }
timer_route[tick, 1] { xlog("ticks"); }
`))
	if code, out := mi("reload_routes"); code != exitOK || out != "OK\n" {
		t.Fatal(code, out)
	}
	r.stderr.wait(t, `msg="routes are reloaded"`)
	if got := optionsByUDP(t, addr, 2); got != "SIP/2.0 200 Second" {
		t.Error(got)
	}
	r.stderr.wait(t, "seen 2 1")
	r.stderr.wait(t, "ticks")
	if strings.Contains(r.stderr.String(), "up again") {
		t.Error("the startup_route was run by a reload")
	}
	if _, out := mi("get_statistics", "seen"); !strings.Contains(out, "seen: 2") {
		t.Error(out)
	}

	// What is wrong changes nothing.
	write(text("", `route { sl_send_reply(200, "Third"); nothing(); }`))
	if code, out := mi("reload_routes"); code == exitOK || !strings.Contains(out, "a.cfg:10:38: unknown function nothing()") {
		t.Error(code, out)
	}
	r.signal(t, syscall.SIGHUP)
	r.stderr.wait(t, "routes are not reloaded, the old ones stay in use: ")
	if got := optionsByUDP(t, addr, 3); got != "SIP/2.0 200 Second" {
		t.Error(got)
	}

	// What has to wait for a restart is told, and the rest is done.
	write(text("tcp_connect_timeout=77\nmodparam(\"maxfwd\", \"max_limit\", 9)\nxlog_level=-1\n", `route { xlog("L_NOTICE", "silent"); sl_send_reply(200, "Fourth"); }`))
	if code, out := mi("reload_routes"); code != exitOK || !strings.Contains(out, "a.cfg:10:21: tcp_connect_timeout changes at a restart only") ||
		!strings.Contains(out, "a.cfg:11:33: max_limit of maxfwd changes at a restart only") || strings.Contains(out, "xlog_level") {
		t.Error(code, out)
	}
	if got := optionsByUDP(t, addr, 4); got != "SIP/2.0 200 Fourth" {
		t.Error(got)
	}
	if code, out := mi("reload_routes"); code != exitOK || !strings.Contains(out, "a.cfg:10:21: tcp_connect_timeout changes at a restart only") {
		t.Error("what waits for a restart is not told a second time:", code, out)
	}

	// What is as it was at the start waits for nothing.
	write(text("log_prefix=\"later\"\n", `route { sl_send_reply(200, "Fifth"); }`))
	r.signal(t, syscall.SIGHUP)
	r.stderr.wait(t, `msg="routes are reloaded" prefix=later`)
	r.stderr.wait(t, `msg="TLS domains are reloaded" prefix=later`)
	for line := range strings.Lines(r.stderr.String()) {
		if strings.Contains(line, "not reloaded: ") && strings.Contains(line, "prefix=later") {
			t.Error(line)
		}
	}
	if got := optionsByUDP(t, addr, 5); got != "SIP/2.0 200 Fifth" {
		t.Error(got)
	}
	if strings.Contains(r.stderr.String(), "silent") {
		t.Error("xlog_level was not reloaded")
	}
	r.signal(t, syscall.SIGTERM)
	r.exit(t)
}

// A configuration over which the compiler panics is one that is not taken.
func TestReloadThatPanics(t *testing.T) {
	load := guarded(func(*script.Program) (*script.Config, error) { panic("out of range") })
	if cfg, err := load(nil); cfg != nil || err == nil || !strings.Contains(err.Error(), "out of range") {
		t.Errorf("%v, %v", cfg, err)
	}
}
