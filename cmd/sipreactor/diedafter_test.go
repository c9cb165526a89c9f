package main

import (
	"crypto/tls"
	"net"
	"strings"
	"testing"

	"sipreactor/cmd/sipreactor/load"
)

// A next hop whose TCP takes a request and that then dies with it, by a reset: nothing in TCP tells whether its program
// has read that, so no other way is tried. The transaction times it: an INVITE is answered 408, and the failure_route of
// another request answers it (RFC 4320 has us say nothing by ourselves).
func TestPeerDiesBehindARequest(t *testing.T) {
	both(t, func(t *testing.T, transport string) {
		c := prepare(t)
		next, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { next.Close() })
		addr := "127.0.0.1:" + freePort(t)
		path := config(t, strings.ReplaceAll(`socket=tcp:`+addr+`
socket=tls:127.0.0.1:`+freePort(t)+"\n"+contractModules+`loadmodule "signaling.so"
loadmodule "tm.so"
loadmodule "sipmsgops.so"
modparam("tm", "fr_timeout", 1)
`+generous(), "DIR", c.dir)+`
route {
	t_on_failure("late");
	t_relay(, "`+transport+":"+next.Addr().String()+`");
}
failure_route[late] {
	if (t_check_status("408") && t_local_replied("all") && !is_method("INVITE")) t_reply(408, "Timer F");
}
`)
		r := &running{addr: addr, stderr: newOutput(), stdout: newOutput(), code: make(chan int, 1)}
		go func() { r.code <- run(t.Context(), []string{"-f", path}, r.stdout, r.stderr) }()
		r.stderr.wait(t, "msg=ready")
		for _, method := range []string{"INVITE", "OPTIONS"} {
			conn, err := net.Dial("tcp", addr)
			client := newLine(t, conn, err)
			client.say(strings.ReplaceAll(ask("died"+method, ""), "OPTIONS", method))
			raw, err := next.Accept()
			if err != nil {
				t.Fatal(err)
			}
			stream := net.Conn(raw)
			if transport == "tls" {
				stream = tls.Server(raw, c.serverConfig())
			}
			peer := newLine(t, stream, nil)
			got := peer.hear()
			if string(got.Method) != method {
				t.Fatalf("the next hop got %s", got.Method)
			}
			peer.say("\r\n") // with it goes the acknowledgement, which TCP may else put off beyond the end
			_ = raw.(*net.TCPConn).SetLinger(0)
			_ = raw.Close()
			var m *load.Message
			for m = client.hear(); m.Status < 200; m = client.hear() {
				continue
			}
			if m.Status != 408 {
				t.Errorf("%s is answered %d", method, m.Status)
			}
		}
	})
}
