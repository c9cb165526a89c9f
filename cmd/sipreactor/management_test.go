package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"sipreactor/reactor/mi"
)

// managed runs the program with its management interface.
func managed(t *testing.T) (r *running, fifo, web string) {
	t.Helper()
	r = &running{addr: "127.0.0.1:" + freePort(t), stderr: newOutput(), stdout: newOutput(), code: make(chan int, 1)}
	dir := t.TempDir()
	fifo = filepath.Join(dir, "fifo")
	port := freePort(t)
	web = "http://127.0.0.1:" + port
	path := config(t, `log_level=3
socket=tls:`+r.addr+`
loadmodule "proto_tls.so"
loadmodule "tls_mgm.so"
loadmodule "sl.so"
loadmodule "mi_fifo.so"
loadmodule "httpd.so"
loadmodule "mi_http.so"
modparam("mi_fifo", "fifo_name", "`+fifo+`")
modparam("mi_fifo", "reply_dir", "`+dir+`")
modparam("httpd", "port", `+port+`)
route { sl_send_reply(200, "OK"); }
`)
	go func() { r.code <- run(t.Context(), []string{"-f", path}, r.stdout, r.stderr) }()
	r.stderr.wait(t, "msg=ready")
	return r, fifo, web
}

// The program answers commands over both ways in, and kill ends it in order.
func TestManagement(t *testing.T) {
	r, fifo, web := managed(t)
	ways := map[string]*mi.Client{
		"fifo": {Target: fifo, ReplyDir: filepath.Dir(fifo)},
		"http": {Target: web + "/mi"},
	}
	call := func(way, method string, params any) string {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		got, err := ways[way].Call(ctx, method, params)
		if err != nil {
			return err.Error()
		}
		return string(got)
	}
	for way := range ways {
		for _, tt := range []struct {
			method string
			params any
			want   string
		}{
			{"tls_trace", nil, `{"TLS tracing":"off"}`},
			{"tls_trace", []string{"on"}, `"OK"`},
			{"tls_trace", nil, `{"TLS tracing":"on"}`},
			{"tls_trace", []string{"off"}, `"OK"`},
			{"tls_reload", nil, `"OK"`},
			{"tls_list", nil, `"TLS_DOMAIN_SRV"`},
			{"list_tcp_conns", nil, `{"Connections":[]}`},
			{"list_sockets", nil, strings.TrimPrefix(r.addr, "127.0.0.1:")},
			{"log_level", []int{4}, "4"},
			{"version", nil, "sipreactor"},
			{"ps", nil, "tls MAIN"},
			{"get_statistics", []any{[]string{"net:accepted"}}, "net:accepted"},
			{"overview", []int{0}, `"Address":"` + r.addr + `"`},
			{"no_such", nil, "ethod not found"},
		} {
			if got := call(way, tt.method, tt.params); !strings.Contains(got, tt.want) {
				t.Errorf("%s: %s: %s, want %s", way, tt.method, got, tt.want)
			}
		}
	}
	page, err := http.Get(web + "/")
	if err != nil {
		t.Fatal(err)
	}
	page.Body.Close()
	if page.StatusCode != http.StatusOK || !strings.HasPrefix(page.Header.Get("Content-Type"), "text/html") {
		t.Errorf("the status page: %v", page.Header)
	}
	resp, err := http.Get(web + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	metrics, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	if !strings.Contains(string(metrics), "sipreactor_") {
		t.Errorf("no metrics of ours in %d bytes", len(metrics))
	}
	if got := call("fifo", "kill", nil); got != `"OK"` {
		t.Errorf("kill: %s", got)
	}
	r.exit(t)
	if !json.Valid([]byte(call("fifo", "uptime", nil))) {
		return // nobody listens any more
	}
	t.Error("the management interface outlives the program")
}

// The command line asks a running program, for people and for programs.
func TestManagementFromTheCommandLine(t *testing.T) {
	r, fifo, web := managed(t)
	ask := func(args ...string) (int, string) {
		var out output
		out.more = make(chan struct{}, 1)
		code := run(t.Context(), append([]string{"mi"}, args...), &out, &out)
		return code, out.String()
	}
	for _, tt := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"--to", fifo, "--reply-dir", filepath.Dir(fifo), "tls_trace"}, exitOK, "TLS tracing: off\n"},
		{[]string{"--to", web + "/mi", "tls_trace", "on"}, exitOK, "OK\n"},
		{[]string{"--to", web + "/mi", "--json", "tls_trace"}, exitOK, "{\"TLS tracing\":\"on\"}\n"},
		{[]string{"--to", web + "/mi", "tls_trace", "perhaps"}, exitFailed, "Bad parameter value"},
		{[]string{"--to", web + "/mi", "no_such"}, exitFailed, "not found"},
		{[]string{"--to", web + "/mi"}, exitUsage, "COMMAND"},
		{[]string{"--to", filepath.Join(t.TempDir(), "none"), "ps"}, exitFailed, "no such file"},
		{[]string{"--help"}, exitOK, "Usage: sipreactor mi"},
	} {
		code, out := ask(tt.args...)
		if code != tt.code || !strings.Contains(out, tt.want) {
			t.Errorf("mi %q: exit code %d, %q; want %d, %q", tt.args, code, out, tt.code, tt.want)
		}
	}
	ask("--to", web+"/mi", "kill")
	r.exit(t)
}
