package main

import (
	"context"
	"net"
	"strings"
	"testing"
)

// TestKeepalives has a phone that registers kept by module nat_traversal, behind a restart, too.
func TestKeepalives(t *testing.T) {
	t.Parallel()
	udp := "127.0.0.1:" + freePort(t)
	path := config(t, `socket=udp:`+udp+`
loadmodule "proto_udp.so"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "signaling.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "nat_traversal.so"
modparam("nat_traversal", "keepalive_interval", 1)
modparam("nat_traversal", "keepalive_extra_headers", "X-Keep: yes\r\n")
modparam("nat_traversal", "keepalive_state_file", "`+t.TempDir()+`/kept")
route {
	if (client_nat_test(3)) fix_contact();
	nat_keepalive();
	save("location");
}
`)
	c, err := net.Dial("udp", udp)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	phone := &pinged{T: t, Conn: c, proto: "UDP"}
	for life := range 2 {
		log, code := newOutput(), make(chan int, 1)
		ctx, cancel := context.WithCancel(t.Context())
		go func() { code <- run(ctx, []string{"-f", path}, newOutput(), log) }()
		log.wait(t, "msg=ready")
		if life == 0 {
			phone.register("alice")
		}
		for range 2 {
			got := phone.read()
			if !strings.HasPrefix(got, "NOTIFY sip:"+phone.LocalAddr().String()+" ") || !strings.Contains(got, "\r\nFrom: <sip:keepalive@127.0.0.1>;tag=") ||
				!strings.Contains(got, "\r\nEvent: keep-alive\r\n") || !strings.Contains(got, "\r\nX-Keep: yes\r\n") {
				t.Errorf("life %d: a keepalive: %q", life, got)
			}
			phone.answer(got)
		}
		cancel()
		if n := <-code; n != exitOK {
			t.Fatalf("life %d: exit code %d:\n%s", life, n, log)
		}
	}
}
