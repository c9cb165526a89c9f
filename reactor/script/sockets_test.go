package script

import (
	"fmt"
	"strings"
	"testing"
)

// An IPv6 address of a socket stands in brackets or without, where it is clear what the port is.
func TestSocketAddresses(t *testing.T) {
	for socket, want := range map[string]SocketDecl{
		"tls:[2001:db8::1]:5061":                  {Host: "2001:db8::1", Port: 5061},
		"tls:[::1]":                               {Host: "::1", Port: 5061},
		"tls:2001:db8:0:0:0:0:0:1":                {Host: "2001:db8:0:0:0:0:0:1", Port: 5061},
		"tls:2a00:4a40:8:6:f816:7eff:4e18:1:5070": {Host: "2a00:4a40:8:6:f816:7eff:4e18:1", Port: 5070},
	} {
		cfg, err := compile("cfg", []byte("socket="+socket+"\nloadmodule \"proto_tls.so\"\nroute { exit; }\n"))
		if err != nil {
			t.Errorf("%s: %v", socket, err)
			continue
		}
		if s := cfg.Sockets[0]; s.Host != want.Host || s.Port != want.Port {
			t.Errorf("%s: %s %d", socket, s.Host, s.Port)
		}
	}
	for _, socket := range []string{"2a00:4a40:8:6:f816:7eff:4e18:1:5070:1", "2001:db8::1", "::1:5061"} {
		if _, err := compile("cfg", []byte("socket=tls:"+socket+"\nloadmodule \"proto_tls.so\"\nroute { exit; }\n")); err == nil {
			t.Errorf("%s is taken", socket)
		}
	}
}

// A file without socket= listens on every address, by each protocol that it loads.
func TestNoSocket(t *testing.T) {
	cfg, err := compile("cfg", []byte("loadmodule \"proto_tls.so\"\nloadmodule \"proto_udp.so\"\nroute { exit; }\n"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range cfg.Sockets {
		got = append(got, fmt.Sprintf("%v:%s:%d", s.Proto, s.Host, s.Port))
	}
	if strings.Join(got, " ") != "udp:*:5060 tls:*:5061" {
		t.Errorf("the sockets are %q", got)
	}
	if len(cfg.Notes) == 0 || !strings.Contains(fmt.Sprint(cfg.Notes), "every address of the machine by udp, tls") {
		t.Errorf("the notes are %v", cfg.Notes)
	}
	if _, err := compile("cfg", []byte("route { exit; }\n")); err == nil || !strings.Contains(err.Error(), "there is no socket") {
		t.Errorf("without a protocol: %v", err)
	}
}
