package main

import (
	"net"
	"strings"
	"testing"
	"time"
)

// TestPingsFromAnotherSocket pings contacts that came by no socket from that of force_socket, with another method; those
// that have registered are pinged from where they did.
func TestPingsFromAnotherSocket(t *testing.T) {
	near, forced, web := "127.0.0.1:"+freePort(t), "127.0.0.1:"+freePort(t), "127.0.0.1:"+freePort(t)
	path := config(t, `socket=udp:`+near+`
socket=udp:`+forced+`
loadmodule "proto_udp.so"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "signaling.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "nathelper.so"
loadmodule "httpd.so"
loadmodule "mi_http.so"
modparam("httpd", "ip", "127.0.0.1")
modparam("httpd", "port", `+portIn(web)+`)
modparam("usrloc", "nat_bflag", "NAT")
modparam("nathelper", "natping_interval", 1)
modparam("nathelper", "sipping_bflag", "SIPPING")
modparam("nathelper", "sipping_from", "sip:ping@example.org")
modparam("nathelper", "sipping_method", "INFO")
modparam("nathelper", "force_socket", "udp:`+forced+`")
route {
	setbflag("SIPPING");
	save("location");
}
`)
	log, code := newOutput(), make(chan int, 1)
	go func() { code <- run(t.Context(), []string{"-f", path}, newOutput(), log) }()
	log.wait(t, "msg=ready")
	defer func() {
		if t.Failed() {
			t.Logf("log:\n%s", log)
		}
	}()
	c, err := net.Dial("udp", near) // takes datagrams of that address alone
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	registered := &pinged{T: t, Conn: c, proto: "UDP"}
	registered.register("registered")
	added, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer added.Close()
	if code, _, errs := command(t, "mi", "--to", "http://"+web+"/mi", "ul_add", "location", "added",
		"sip:added@"+added.LocalAddr().String(), "600", "1.0", "0", "0", "0"); code != exitOK {
		t.Fatal(errs)
	}
	_ = added.SetReadDeadline(time.Now().Add(patience))
	b := make([]byte, 2048)
	n, from, err := added.ReadFrom(b)
	if err != nil || string(b[:n]) != "\x00\x00\x00\x00" || from.String() != forced {
		t.Errorf("who was added is pinged by %q from %v, %v; force_socket is %s", b[:n], from, err, forced)
	}
	if got := registered.read(); !strings.HasPrefix(got, "INFO sip:registered@") || !strings.Contains(got, " INFO\r\n") {
		t.Errorf("who has registered is pinged by %q", got)
	}
}
