package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor/mi"
)

// What the script counts stands with what the program counts, in both
// directions: the script reads the engine's figures, management and Prometheus
// see the script's.
func TestScriptStatistics(t *testing.T) {
	r := &running{addr: "127.0.0.1:" + freePort(t), stderr: newOutput(), stdout: newOutput(), code: make(chan int, 1)}
	dir := t.TempDir()
	fifo, port := filepath.Join(dir, "fifo"), freePort(t)
	path := config(t, `log_level=3
socket=tcp:`+r.addr+`
loadmodule "proto_tcp.so"
loadmodule "sl.so"
loadmodule "sipmsgops.so"
loadmodule "statistics.so"
loadmodule "mi_fifo.so"
loadmodule "httpd.so"
loadmodule "mi_http.so"
modparam("mi_fifo", "fifo_name", "`+fifo+`")
modparam("mi_fifo", "reply_dir", "`+dir+`")
modparam("httpd", "port", `+port+`)
modparam("statistics", "stat_groups", "method")
modparam("statistics", "variable", "dear/no_reset")
route {
	update_stat("method:$rm", 1);
	update_stat("dear", 1);
	append_to_reply("X-Seen: $stat(method:$rm) $stat(net:accepted) $stat(rcv_requests)\r\n");
	sl_send_reply(200, "OK");
}
`)
	go func() { r.code <- run(t.Context(), []string{"-f", path}, r.stdout, r.stderr) }()
	r.stderr.wait(t, "msg=ready")
	peer, err := net.Dial("tcp", r.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	_ = peer.SetDeadline(time.Now().Add(patience))
	in := bufio.NewReader(peer)
	seen := func(n int) string {
		t.Helper()
		fmt.Fprintf(peer, "OPTIONS sip:a@%s SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bKs%d\r\nMax-Forwards: 70\r\n"+
			"From: <sip:a@127.0.0.1>;tag=1\r\nTo: <sip:a@127.0.0.1>\r\nCall-ID: s%d\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n", r.addr, n, n)
		header := ""
		for {
			line, err := in.ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			if v, ok := strings.CutPrefix(line, "X-Seen: "); ok {
				header = strings.TrimSpace(v)
			}
			if line == "\r\n" {
				return header
			}
		}
	}
	for n, want := range []string{"1 1 1", "2 1 2"} {
		if got := seen(n); got != want {
			t.Errorf("request %d: %s, want %s", n, got, want)
		}
	}
	client := &mi.Client{Target: fifo, ReplyDir: dir}
	call := func(method string, names ...string) string {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		got, err := client.Call(ctx, method, []any{names})
		if err != nil {
			t.Fatal(err)
		}
		return string(got)
	}
	if got := call("get_statistics", "method:", "dear"); got != `{"dynamic:dear":2,"method:OPTIONS":2}` {
		t.Error(got)
	}
	resp := fetch(t, "http://127.0.0.1:"+port+"/metrics")
	metrics, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	if line := `sipreactor_script_statistic{group="method",name="OPTIONS"} 2`; !strings.Contains(string(metrics), "\n"+line+"\n") {
		t.Errorf("%s is missing", line)
	}
	if got := call("reset_statistics", "all"); got != `"OK"` {
		t.Error(got)
	}
	if got := seen(3); got != "1 0 1" {
		t.Errorf("after a reset: %s", got)
	}
	if got := call("list_statistics", "method:OPTIONS", "dear"); got != `{"dynamic:dear":"non-incremental","method:OPTIONS":"incremental"}` {
		t.Error(got)
	}
	if _, err := client.Call(t.Context(), "kill", nil); err != nil {
		t.Error(err)
	}
	r.exit(t)
}

// Who asks for the module prometheus gets its names beside ours, and without
// mi_http neither commands nor the page.
func TestPrometheusModule(t *testing.T) {
	r := &running{addr: "127.0.0.1:" + freePort(t), stderr: newOutput(), stdout: newOutput(), code: make(chan int, 1)}
	port := freePort(t)
	path := config(t, `log_level=3
socket=tcp:`+r.addr+`
loadmodule "proto_tcp.so"
loadmodule "sl.so"
loadmodule "httpd.so"
loadmodule "prometheus.so"
modparam("httpd", "port", `+port+`)
modparam("prometheus", "root", "prom")
modparam("prometheus", "group_mode", 1)
modparam("prometheus", "statistics", "core: net:waiting_tls")
route { sl_send_reply(200, "OK"); }
`)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	go func() { r.code <- run(ctx, []string{"-f", path}, r.stdout, r.stderr) }()
	r.stderr.wait(t, "msg=ready")
	web := "http://127.0.0.1:" + port
	for _, where := range []string{"/prom", "/metrics"} {
		resp := fetch(t, web+where)
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		for _, line := range []string{"opensips_core_rcv_requests 0", "opensips_net_waiting_tls 0", "sipreactor_connections_accepted_total 0",
			"opensips_core_log_lines_dropped 0", "sipreactor_log_lines_dropped_total 0"} {
			if !strings.Contains(string(body), "\n"+line+"\n") {
				t.Errorf("%s: %s is missing", where, line)
			}
		}
		if strings.Contains(string(body), "opensips_net_accepted") {
			t.Errorf("%s: what was not asked for", where)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	client := &mi.Client{Target: web + "/mi", Token: token(t)}
	if got, err := client.Call(ctx, "kill", nil); err == nil {
		t.Errorf("kill: %s", got)
	}
	resp := fetch(t, web+"/")
	resp.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	if resp.StatusCode != http.StatusNotFound {
		t.Errorf("/: %s", resp.Status)
	}
	stop()
	r.exit(t)
}
