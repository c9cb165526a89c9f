package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestReloadBlacklists: after a reload, messages are kept from what the new lists have:
// those of dst_blacklist and of the tables, in the routes, in the proxy and for management.
func TestReloadBlacklists(t *testing.T) {
	dir := t.TempDir()
	addr, fifo, path := "127.0.0.1:"+freePort(t), filepath.Join(dir, "fifo"), filepath.Join(dir, "a.cfg")
	box := listenUDP(t, "127.0.0.2:0")
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	text := func(lists, table string) string {
		return `log_level=3
socket=udp:` + addr + `
` + lists + `
loadmodule "proto_udp.so"
loadmodule "sl.so"
loadmodule "dispatcher.so"
loadmodule "mi_fifo.so"
modparam("mi_fifo", "fifo_name", "` + fifo + `")
modparam("mi_fifo", "reply_dir", "` + dir + `")
modparam("dispatcher", "dispatcher_file", "` + filepath.Join(dir, table) + `")
modparam("dispatcher", "ds_define_blacklist", "table = 1")
route {
	if ($rU == "fixed")
		use_blacklist("fixed");
	else if ($rU == "table")
		use_blacklist("table");
	$du = "sip:` + box.addr() + `";
	if (!forward())
		sl_send_reply(403, "Kept From It");
}
`
	}
	write("far.csv", "setid,destination\n1,sip:127.0.0.9\n")
	write("near.csv", "setid,destination\n1,sip:127.0.0.2\n")
	write("a.cfg", text("dst_blacklist = fixed: 127.0.0.9", "far.csv"))
	r := &running{addr: addr, stderr: newOutput(), stdout: newOutput(), code: make(chan int, 1)}
	go func() { r.code <- run(t.Context(), []string{"-f", path}, r.stdout, r.stderr) }()
	r.stderr.wait(t, "msg=ready")
	mi := func(args ...string) string {
		out := newOutput()
		if code := run(t.Context(), append([]string{"mi", "--to", fifo, "--reply-dir", dir}, args...), out, out); code != exitOK {
			t.Errorf("mi %v: %s", args, out)
		}
		return out.String()
	}
	caller, c := listenUDP(t, "127.0.0.1:0"), &trial{T: t}
	expect := func(when, user, want string) {
		t.Helper()
		if got := c.call(caller, "UDP", addr, "sip:"+user+"@example.com", when+user); got != want {
			t.Errorf("%s, %s: %s, want %s", when, user, got, want)
		}
	}
	expect("before", "fixed", "200")
	expect("before", "table", "200")
	// Another list stands in front now, and both have the box.
	write("a.cfg", text("dst_blacklist = more: 127.0.0.3\ndst_blacklist = fixed: 127.0.0.2", "near.csv"))
	if out := mi("reload_routes"); strings.Contains(out, "restart") {
		t.Errorf("reload: %s", out)
	}
	expect("after", "fixed", "403")
	expect("after", "table", "403")
	expect("after", "nobody", "200")
	if out := mi("list_blacklists"); !strings.Contains(out, "127.0.0.3") || strings.Contains(out, "127.0.0.9") || strings.Count(out, "127.0.0.2/32") != 2 {
		t.Errorf("lists: %s", out)
	}
	// The table alone is read again.
	write("near.csv", "setid,destination\n1,sip:127.0.0.9\n")
	mi("ds_reload")
	expect("later", "table", "200")
	expect("later", "fixed", "403")
	r.signal(t, syscall.SIGTERM)
	r.exit(t)
}
