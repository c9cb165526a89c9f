package main

import (
	"bytes"
	"os"
	"strconv"
	"strings"
	"testing"
)

// TestCheckOfSockets: a constant that names no socket of the configuration ends -C and a start, with its place and the
// sockets that there are; the names of those that there are do not, whichever way they name them.
func TestCheckOfSockets(t *testing.T) {
	dir := t.TempDir()
	table := dir + "/d.csv"
	for name, text := range map[string]string{
		"d.csv": "setid,destination,socket\n1,sip:192.0.2.1,udp:lo\n1,sip:192.0.2.2,udp:9.9.9.9:5060\n",
		"g.csv": "gwid,type,address,strip,pri_prefix,attrs,probe_mode\ng,1,192.0.2.1,0,,,0\n",
		"r.csv": "groupid,prefix,timerec,priority,gwlist,attrs\n0,49,,0,g,\n",
	} {
		if err := os.WriteFile(dir+"/"+name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	head := `socket=udp:lo:5060
socket=tcp:*:5070
socket=tcp:127.0.0.1:5060 as edge.example:5062
loadmodule "proto_tcp.so"
` + strings.TrimPrefix(checkHead, "socket=udp:127.0.0.1:5060\n") + `loadmodule "dispatcher.so"
loadmodule "drouting.so"
loadmodule "usrloc.so"
loadmodule "nathelper.so"
loadmodule "uac_auth.so"
loadmodule "uac_registrant.so"
modparam("dispatcher", "dispatcher_file", "` + table + `")
modparam("drouting", "gateways_file", "` + dir + `/g.csv")
modparam("drouting", "rules_file", "` + dir + `/r.csv")
`
	text := func(names ...string) string {
		return head + `modparam("dispatcher", "ds_probing_sock", "` + names[0] + `")
modparam("drouting", "probing_socket", "` + names[1] + `")
modparam("nathelper", "force_socket", "` + names[2] + `")
modparam("uac_registrant", "uac", "sip:c.example,,sip:a@c.example,,u,p,sip:a@192.0.2.1,,60,` + names[3] + `")
route {
	force_send_socket("` + names[4] + `");
	$fs = "` + names[5] + `";
	$branch(socket) = "` + names[6] + `";
	exit;
}
`
	}
	code, errs, _ := checked(t, text("udp:127.0.0.1:5060", "tcp:edge.example:5062", "127.0.0.1:5060", "udp:lo:5060", "tcp:127.0.0.9:5070", "tcp:127.0.0.1", ""))
	if code != exitOK || !strings.Contains(errs, table+":3, row 2, column socket: udp:9.9.9.9:5060 is no socket of ours") {
		t.Errorf("code %d: %s", code, errs)
	}
	_, errs, file := checked(t, text("udp:9.9.9.9:5060", "tls:127.0.0.1:5061", "9.9.9.9:1", "nobody", "udp:9.9.9.9:5060", "tcp:127.0.0.1:5080", "udp:127.0.0.1:5061"))
	var out, bad bytes.Buffer
	if code := run(t.Context(), []string{"-f", file}, &out, &bad); code != exitFailed {
		t.Errorf("a start ends with %d", code)
	}
	from := strings.Count(head, "\n") + 1
	for name, said := range map[string]string{"-C": errs, "a start": bad.String()} {
		var lines []string
		for line := range strings.Lines(said) {
			if i := strings.Index(line, file); i >= 0 {
				lines = append(lines, line[i:])
			}
		}
		if len(lines) != 7 {
			t.Errorf("%s: %s", name, said)
			continue
		}
		for i, line := range lines {
			n := from + i
			if i > 3 {
				n++ // route {
			}
			if !strings.HasPrefix(line, file+":"+strconv.Itoa(n)+":") || !strings.Contains(line, " is no socket of ours; there are: tcp:0.0.0.0:5070, tcp:127.0.0.1:5060, ") {
				t.Errorf("%s: line %d is %s", name, n, line)
			}
		}
	}
}
