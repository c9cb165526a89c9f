package main

import (
	"strings"
	"testing"
)

// TestManagementOnOurSockets: management that is to listen where the file itself listens is told by -C, with its place.
func TestManagementOnOurSockets(t *testing.T) {
	const head = checkHead + `socket=tcp:127.0.0.1:8888
loadmodule "proto_tcp.so"
loadmodule "httpd.so"
loadmodule "mi_http.so"
loadmodule "mi_datagram.so"
`
	for text, want := range map[string]string{
		`modparam("httpd", "port", 8888)` + "\n" + `modparam("mi_datagram", "socket_name", "udp:127.0.0.1:5061")`: ":14:27: httpd: 127.0.0.1:8888 is the address of the socket tcp:127.0.0.1:8888 of this configuration",
		`modparam("httpd", "port", 5060)` + "\n" + `modparam("mi_datagram", "socket_name", "udp:127.0.0.1:5060")`: `:15:40: mi_datagram: 127.0.0.1:5060 is the address of the socket udp:127.0.0.1:5060 of this configuration`,
		`modparam("httpd", "port", 8889)` + "\n" + `modparam("mi_datagram", "socket_name", "udp:127.0.0.1:8888")`: "",
	} {
		code, errs, file := checked(t, head+text+"\nroute { exit; }\n")
		if want == "" {
			if code != exitOK {
				t.Errorf("code %d: %s", code, errs)
			}
			continue
		}
		if code == exitOK || !strings.Contains(errs, file+want) || strings.Count(errs, "is the address of") != 1 {
			t.Errorf("code %d: %s", code, errs)
		}
	}
}
