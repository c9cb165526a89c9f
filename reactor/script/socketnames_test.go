package script

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"sipreactor/reactor"
)

// A constant that names no socket is found before it is used, wherever it stands; one with
// variables, and one that names a socket in any way, is not.
func TestCheckSockets(t *testing.T) {
	const text = `socket=udp:127.0.0.1:5060 as edge.example:5070
socket=tls:127.0.0.1:5061 tag trunk
loadmodule "proto_udp.so"
loadmodule "proto_tls.so"
route {
	force_send_socket("udp:9.9.9.9:5060");
	$fs = "tcp:127.0.0.1:5060";
	$socket_out = "trunks";
	$branch(socket)[0] = "udp:127.0.0.1:5062";
	$msg.branch.socket = "tls:9.9.9.9";
	force_send_socket("udp:127.0.0.1:5060");
	force_send_socket("trunk");
	force_send_socket("UDP:edge.example:5070");
	$fs = "udp:127.0.0.1";
	$socket_out = "127.0.0.1:5061";
	$socket_out = "$var(x)";
	$socket_out = NULL;
	force_send_socket("udp:$si:5060");
}
`
	cfg, err := (&Loader{Modules: testModules}).Compile("x.cfg", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	sockets := reactor.Named([]reactor.SocketConfig{
		{Proto: reactor.UDP, Addr: netip.MustParseAddrPort("127.0.0.1:5060"), Advertised: "edge.example", AdvertisedPort: 5070},
		{Proto: reactor.TLS, Addr: netip.MustParseAddrPort("127.0.0.1:5061"), Tag: "trunk"},
	})
	var found Errors
	if !errors.As(cfg.CheckSockets(sockets), &found) {
		t.Fatalf("CheckSockets gives %v", cfg.CheckSockets(sockets))
	}
	want := []struct {
		line, col int
		name      string
	}{{6, 20, "udp:9.9.9.9:5060"}, {7, 8, "tcp:127.0.0.1:5060"}, {8, 16, "trunks"}, {9, 23, "udp:127.0.0.1:5062"}, {10, 23, "tls:9.9.9.9"}}
	if len(found) != len(want) {
		t.Fatalf("found\n%v", found)
	}
	for i, w := range want {
		e := found[i]
		if e.Line != w.line || e.Col != w.col || !strings.HasPrefix(e.Msg, w.name+" is no socket of ours") || !strings.Contains(e.Msg, "there are: tls:127.0.0.1:5061 tag trunk, udp:127.0.0.1:5060") {
			t.Errorf("error %d is %v, want one of %s at %d:%d", i, e, w.name, w.line, w.col)
		}
	}
	if err := cfg.Start(Surroundings{Sockets: sockets}, nil); err == nil || err.Error() != found.Error() {
		t.Errorf("a start says %v", err)
	}
}
