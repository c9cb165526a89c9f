package main

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
)

// xlog_level of the management interface is in force from the next message on, in both directions and across a reload;
// log_level does not touch the script's lines, and $log_level and $xlog_level tell what is in force. $xlog_level shows
// lines of one message that xlog_level hides.
func TestXlogLevelOfARunningProgram(t *testing.T) {
	dir := t.TempDir()
	addr, fifo := "127.0.0.1:"+freePort(t), filepath.Join(dir, "fifo")
	path := config(t, `log_level=3
socket=udp:`+addr+`
loadmodule "proto_udp.so"
loadmodule "sl.so"
loadmodule "mi_fifo.so"
modparam("mi_fifo", "fifo_name", "`+fifo+`")
modparam("mi_fifo", "reply_dir", "`+dir+`")
route {
	xlog("L_INFO", "info $ci of $log_level $xlog_level.");
	if ($ci == "6") { $xlog_level = 4; xlog("L_DBG", "raised $ci."); }
	sl_send_reply(200, "OK");
}
`)
	r := &running{addr: addr, stderr: newOutput(), stdout: newOutput(), code: make(chan int, 1)}
	ctx, stop := context.WithCancel(t.Context())
	go func() { r.code <- run(ctx, []string{"-f", path}, r.stdout, r.stderr) }()
	r.stderr.wait(t, "msg=ready")
	for i, tt := range []struct{ command, level, want string }{
		{"version", "", ""},
		{"xlog_level", "3", "info 2 of 3 3."},
		{"log_level", "1", "info 3 of 1 3."},
		{"xlog_level", "2", ""},
		{"log_level", "4", ""},
		{"version", "", "raised 6."},
		{"xlog_level", "4", "info 7 of 4 4."},
		{"reload_routes", "", "info 8 of 4 4."},
	} {
		words := []string{"mi", "--to", fifo, "--reply-dir", dir, tt.command}
		if tt.level != "" {
			words = append(words, tt.level)
		}
		if code, out, errs := command(t, words...); code != exitOK {
			t.Fatalf("%s %s: %d %s%s", tt.command, tt.level, code, out, errs)
		}
		if got := optionsByUDP(t, addr, i+1); got != "SIP/2.0 200 OK" {
			t.Fatal(got)
		}
		if tt.want != "" {
			r.stderr.wait(t, tt.want)
		}
	}
	stop()
	r.exit(t)
	for _, hidden := range []string{"info 1 ", "info 4 ", "info 5 ", "info 6 "} {
		if strings.Contains(r.stderr.String(), hidden) {
			t.Errorf("%q is written:\n%s", hidden, r.stderr)
		}
	}
}
