package main

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

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
	collector, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { collector.Close() })
	path := config(t, `log_level=3
socket=tls:`+r.addr+`
loadmodule "proto_tls.so"
loadmodule "tls_mgm.so"
loadmodule "sl.so"
loadmodule "mi_fifo.so"
loadmodule "httpd.so"
loadmodule "mi_http.so"
loadmodule "proto_hep.so"
modparam("proto_hep", "hep_id", "[collector]`+collector.LocalAddr().String()+`;transport=udp;version=3")
modparam("proto_tls", "trace_destination", "collector")
modparam("mi_fifo", "fifo_name", "`+fifo+`")
modparam("mi_fifo", "reply_dir", "`+dir+`")
modparam("httpd", "port", `+port+`)
route { sl_send_reply(200, "OK"); }
`)
	go func() { r.code <- run(t.Context(), []string{"-f", path}, r.stdout, r.stderr) }()
	r.stderr.wait(t, "msg=ready")
	return r, fifo, web
}

// token is what programs that these tests start ask for over HTTP.
func token(t *testing.T) string {
	t.Helper()
	s, err := readSecret(defaultStateDir().path(tokenFile))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// fetch gets what is served behind the token.
func fetch(t *testing.T, url string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth("anybody", token(t))
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

// The program answers commands over both ways in, and kill ends it in order.
func TestManagement(t *testing.T) {
	r, fifo, web := managed(t)
	ways := map[string]*mi.Client{
		"fifo": {Target: fifo, ReplyDir: filepath.Dir(fifo)},
		"http": {Target: web + "/mi", Token: token(t)},
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
	resp := fetch(t, web+"/metrics")
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

// Over HTTP the program asks for the token of its state_dir, unless the configuration says otherwise; the command line
// finds that of the default state_dir by itself, takes it nowhere but to this machine, and tells whose token was refused.
func TestManagementAsksForAToken(t *testing.T) {
	for _, tt := range []struct {
		name, more, says string
		open             bool
	}{
		{"by itself", "", "file=" + defaultStateDir().path(tokenFile), false},
		{"its own folder", `state_dir="{{dir}}"`, "file={{dir}}/" + tokenFile, false},
		{"none", `modparam("httpd", "token", "none")`, "every user of this machine", true},
		{"a password", `modparam("httpd", "auth_username", "ops")` + "\n" + `modparam("httpd", "auth_password", "secret")`, "file=", false},
	} {
		dir, port := t.TempDir(), freePort(t)
		in := strings.NewReplacer("{{dir}}", dir)
		path := config(t, `log_level=3
socket=tcp:127.0.0.1:`+freePort(t)+`
loadmodule "proto_tcp.so"
loadmodule "httpd.so"
loadmodule "mi_http.so"
modparam("httpd", "port", `+port+`)
`+in.Replace(tt.more)+`
route { exit; }
`)
		r := &running{stderr: newOutput(), stdout: newOutput(), code: make(chan int, 1)}
		ctx, stop := context.WithCancel(t.Context())
		go func() { r.code <- run(ctx, []string{"-f", path}, r.stdout, r.stderr) }()
		r.stderr.wait(t, "msg=ready")
		if log := r.stderr.String(); !strings.Contains(log, in.Replace(tt.says)) {
			t.Errorf("%s: the log does not tell %q:\n%s", tt.name, in.Replace(tt.says), log)
		}
		web := "http://127.0.0.1:" + port
		for _, where := range []string{"/metrics", "/mi"} {
			resp, err := http.Post(web+where, "application/json", strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"version"}`))
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if got := resp.StatusCode != http.StatusUnauthorized; got != tt.open {
				t.Errorf("%s: %s without a token: %s", tt.name, where, resp.Status)
			}
		}
		for args, want := range map[string]int{
			"": exitOK, "--token-file " + filepath.Join(dir, tokenFile): exitOK, "--token wrong": exitFailed, "-f " + path: exitOK,
		} {
			switch {
			case args == "-f "+path:
			case tt.open, args == "" && strings.HasPrefix(tt.more, "state_dir"):
				continue
			case strings.HasPrefix(args, "--token-file") && !strings.HasPrefix(tt.more, "state_dir"):
				want = exitFailed // no such file
			}
			all := append(append([]string{"mi", "--to", web + "/mi"}, strings.Fields(args)...), "version")
			if code := run(ctx, all, newOutput(), newOutput()); code != want {
				t.Errorf("%s: mi %s: %d, want %d", tt.name, args, code, want)
			}
			if strings.HasPrefix(args, "-f") { // which tells where to ask, too
				if code := run(ctx, []string{"mi", "-f", path, "version"}, newOutput(), newOutput()); code != exitOK {
					t.Errorf("%s: mi %s, without an address: %d", tt.name, args, code)
				}
			}
		}
		if strings.HasPrefix(tt.more, "state_dir") {
			token(t) // that of the first row's program
			for args, sent := range map[string]string{"": defaultTokenFile(), "--token wrong": "--token"} {
				code, out, errs := command(t, append(append([]string{"mi", "--to", web + "/mi"}, strings.Fields(args)...), "version")...)
				if code != exitFailed || !strings.Contains(errs, "the token of "+sent+" was sent; --token-file names another file") {
					t.Errorf("%s: mi %s: %d %s%s", tt.name, args, code, out, errs)
				}
			}
		}
		http.DefaultClient.CloseIdleConnections()
		stop()
		r.exit(t)
	}
	var c mi.Client
	for target, want := range map[string]bool{"http://127.0.0.1:1/mi": true, "http://localhost:1/mi": true, "https://[::1]:1/mi": true,
		"http://192.0.2.1/mi": false, "http://localhost.evil.example/mi": false, "/tmp/fifo": false} {
		c = mi.Client{Target: target}
		if from, err := findToken(&c, ""); err != nil || (from != "") != want || (c.Token != "") != want {
			t.Errorf("%s: %q, %v", target, c.Token, err)
		}
	}
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
		{[]string{"--help"}, exitOK, defaultTokenFile()},
	} {
		code, out := ask(tt.args...)
		if code != tt.code || !strings.Contains(out, tt.want) {
			t.Errorf("mi %q: exit code %d, %q; want %d, %q", tt.args, code, out, tt.code, tt.want)
		}
	}
	ask("--to", web+"/mi", "kill")
	r.exit(t)
}

// Connections to management, however many, take no descriptors of traffic's.
func TestManagementTakesNoDescriptorsOfTraffic(t *testing.T) {
	port := freePort(t)
	_, addr := program(t, `open_files_limit=112
loadmodule "httpd.so"
loadmodule "mi_http.so"
modparam("httpd", "port", `+port+`)
`, os.Stderr)
	isAnswered(t, addr, 1)
	for i, begun := 0, time.Now(); i < 300; {
		c, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err != nil {
			if i == 0 && time.Since(begun) < patience { // management begins behind traffic
				time.Sleep(10 * time.Millisecond)
				continue
			}
			t.Fatal(err)
		}
		i++
		defer c.Close()
		_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost:") // and no more
	}
	for range 40 { // which stay
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(patience))
		_, _ = io.WriteString(c, "\r\n\r\n")
		if _, err := io.ReadFull(c, make([]byte, 2)); err != nil {
			t.Fatal(err)
		}
	}
	isAnswered(t, addr, 1)
}

// What management cannot open is told with file, line and column, and who may not
// write in a folder with its name.
func TestManagementErrorsHavePlaces(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, port, _ := net.SplitHostPort(taken.Addr().String())
	dir := t.TempDir()
	for name, tt := range map[string]struct {
		text, want string
		args       []string
	}{
		"fifo":     {"loadmodule \"mi_fifo.so\"\nmodparam(\"mi_fifo\", \"fifo_name\", \"" + dir + "/no/fifo\")\n", ":5:34: mi_fifo: ", nil},
		"datagram": {"loadmodule \"mi_datagram.so\"\nmodparam(\"mi_datagram\", \"socket_name\", \"" + dir + "/no/socket\")\n", ":5:40: mi_datagram: ", nil},
		"http":     {"loadmodule \"httpd.so\"\nloadmodule \"mi_http.so\"\nmodparam(\"httpd\", \"port\", " + port + ")\n", ":6:27: httpd: ", nil},
		"nobody": {"loadmodule \"mi_fifo.so\"\nmodparam(\"mi_fifo\", \"fifo_name\", \"/etc/sipreactor_fifo\")\n",
			":5:34: mi_fifo: mi: folder /etc: permission denied: the program runs as the user nobody", []string{"-u", "nobody"}},
	} {
		t.Run(name, func(t *testing.T) {
			if tt.args != nil && os.Geteuid() != 0 {
				t.Skip("only root can become somebody else")
			}
			file := config(t, "socket=udp:127.0.0.1:"+freePort(t)+"\nloadmodule \"proto_udp.so\"\nroute { exit; }\n"+tt.text)
			child, log := asChild(t, append([]string{"-E", "-f", file}, tt.args...)...)
			if err := child.Wait(); err == nil {
				t.Fatal("it runs")
			}
			if want := file + tt.want; !strings.Contains(log.String(), want) {
				t.Errorf("got %s\nwant %s", log, want)
			}
		})
	}
}
