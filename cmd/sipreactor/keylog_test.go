package main

import (
	"crypto/tls"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// The secrets of a connection are in the file, which others cannot read, and a
// warning says so; without the parameter there is neither.
func TestKeyLogFile(t *testing.T) {
	for _, on := range []bool{false, true} {
		file := filepath.Join(t.TempDir(), "keys")
		param := ""
		if on {
			param = `modparam("tls_mgm", "ssl_keylog_file", "` + file + `")`
		}
		r := &running{addr: "127.0.0.1:" + freePort(t), stderr: newOutput(), stdout: newOutput(), code: make(chan int, 1)}
		path := config(t, "log_level=1\nsocket=tls:"+r.addr+"\nloadmodule \"proto_tls.so\"\nloadmodule \"tls_mgm.so\"\n"+
			set("tls", "handshake_timeout", ms(long))+param+"\nroute { exit; }\n")
		if code := check(t.Context(), options{file: path}, r.stdout, r.stderr); code != exitOK {
			t.Fatalf("-C: %s", r.stderr)
		}
		if _, err := os.Stat(file); err == nil {
			t.Error("-C has made the file")
		}
		ctx := t.Context()
		go func() { r.code <- run(ctx, []string{"-f", path}, r.stdout, r.stderr) }()
		r.stderr.wait(t, "msg=ready")
		c, err := tls.Dial("tcp", r.addr, &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		c.Close()
		r.signal(t, syscall.SIGINT)
		r.exit(t)
		keys, err := os.ReadFile(file)
		if on != (err == nil) || on != strings.Contains(string(keys), "TRAFFIC_SECRET") {
			t.Errorf("key log %v: %d bytes, %v", on, len(keys), err)
		}
		if info, err := os.Stat(file); err == nil && info.Mode().Perm() != 0o600 {
			t.Errorf("mode %v", info.Mode())
		}
		if strings.Contains(r.stderr.String(), "secrets") != on {
			t.Errorf("key log %v: %s", on, r.stderr)
		}
	}
}
