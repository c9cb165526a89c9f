package main

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
)

// A way into management that asks nothing of those who come is told of at the start; one that is closed is not.
func TestManagementTellsWhoMayUseIt(t *testing.T) {
	dir := t.TempDir()
	for name, tt := range map[string]struct {
		more string
		says []string
	}{
		"closed": {`modparam("mi_fifo", "fifo_mode", 0660)
modparam("mi_datagram", "socket_name", "{{dir}}/closed")`, nil},
		"open to this machine": {`modparam("mi_fifo", "fifo_mode", 0666)
modparam("mi_datagram", "socket_name", "udp:127.0.0.1:{{udp}}")
modparam("httpd", "token", "none")`, []string{
			"management over the FIFO asks for nothing: every user of this machine",
			"management over UDP asks for no token: every user of this machine",
			"management over HTTP asks for no token: every user of this machine"}},
		"a socket for all": {`modparam("mi_datagram", "socket_name", "{{dir}}/open")
modparam("mi_datagram", "unix_socket_mode", 0777)`, []string{"management over the socket asks for nothing: every user of this machine"}},
		"open to others": {`modparam("mi_datagram", "socket_name", "udp:0.0.0.0:{{udp}}")
modparam("mi_datagram", "allow", "127.0.0.0/8")
modparam("httpd", "ip", "0.0.0.0")
modparam("httpd", "allow", "127.0.0.0/8")`, []string{
			"management over UDP asks for no token: whoever has an address of allow may use it, and whoever forges one",
			"management over HTTP is not encrypted: whoever is on the way reads the token"}},
	} {
		t.Run(name, func(t *testing.T) {
			in := strings.NewReplacer("{{dir}}", dir, "{{udp}}", freePort(t))
			path := config(t, `log_level=3
state_dir="`+t.TempDir()+`"
socket=tcp:127.0.0.1:`+freePort(t)+`
loadmodule "proto_tcp.so"
loadmodule "httpd.so"
loadmodule "mi_http.so"
loadmodule "mi_fifo.so"
loadmodule "mi_datagram.so"
modparam("mi_fifo", "fifo_name", "`+filepath.Join(t.TempDir(), "fifo")+`")
modparam("httpd", "port", `+freePort(t)+`)
`+in.Replace(tt.more)+`
route { exit; }
`)
			r := &running{stderr: newOutput(), stdout: newOutput(), code: make(chan int, 1)}
			ctx, stop := context.WithCancel(t.Context())
			go func() { r.code <- run(ctx, []string{"-f", path}, r.stdout, r.stderr) }()
			r.stderr.wait(t, "msg=ready")
			stop()
			r.exit(t)
			log := r.stderr.String()
			for _, want := range tt.says {
				if !strings.Contains(log, want) {
					t.Errorf("the log does not tell %q:\n%s", want, log)
				}
			}
			if n := strings.Count(log, "level=WARN"); n != len(tt.says) {
				t.Errorf("%d warnings, want %d:\n%s", n, len(tt.says), log)
			}
		})
	}
}
