package script

import (
	"net/netip"
	"strings"
	"testing"
)

func TestSourceLimitAllow(t *testing.T) {
	const route = "\nsocket=tcp:127.0.0.1:5060\nloadmodule \"proto_tcp.so\"\nroute { exit; }\n"
	c, err := compile("x.cfg", []byte("tcp_source_limit_allow=\"192.0.2.7, 2001:db8:1::/40\""+route))
	if err != nil {
		t.Fatal(err)
	}
	for addr, want := range map[string]bool{"192.0.2.7": true, "192.0.2.8": false, "2001:db8:ff::1": true, "127.0.0.1": true} {
		free := false
		for _, p := range c.Engine.Sources.Allow {
			free = free || p.Contains(netip.MustParseAddr(addr))
		}
		if free != want {
			t.Errorf("%s: %v", addr, free)
		}
	}
	if _, err := compile("x.cfg", []byte("tcp_source_limit_allow=\"192.0.2.0/24 carrier\""+route)); err == nil ||
		!strings.Contains(err.Error(), "x.cfg:1:") || !strings.Contains(err.Error(), "carrier is none") {
		t.Errorf("a name: %v", err)
	}
}
