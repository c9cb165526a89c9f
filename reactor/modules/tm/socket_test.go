package tm_test

import (
	"testing"

	"sipreactor/reactor"
)

// The second Route of a pair of ours names the socket and the transport that t_relay() sends by, where nothing else names
// any, and for a later try again. What the script forces outranks it, for later tries, too, and a branch_route that for its
// branch.
func TestSocketOfARoute(t *testing.T) {
	const relay = `t_on_failure("again"); t_relay(); }
branch_route[udp] { force_send_socket("udp:127.0.0.1:5060"); }
branch_route[none] { }
failure_route[again] { t_on_branch("none"); t_relay(); }
`
	for script, want := range map[string][2]reactor.Proto{
		`loose_route(); `: {reactor.TCP, reactor.TCP},
		``:                {reactor.TCP, reactor.TCP},
		`loose_route(); force_send_socket("udp:127.0.0.1:5060"); `:                     {reactor.UDP, reactor.UDP},
		`force_send_socket("udp:127.0.0.1:5060"); loose_route(); `:                     {reactor.UDP, reactor.UDP},
		`loose_route(); $socket_out = "udp:127.0.0.1:5060"; `:                          {reactor.UDP, reactor.UDP},
		`loose_route(); t_on_branch("udp"); `:                                          {reactor.UDP, reactor.TCP},
		`loose_route(); force_send_socket("tcp:127.0.0.1:5060"); t_on_branch("udp"); `: {reactor.UDP, reactor.TCP},
	} {
		b := start(t, "route { "+script+relay)
		b.send(t, "INFO sip:bob@192.0.2.9", "To: <sip:bob@example.net>;tag=b",
			"Route: <sip:127.0.0.1:5061;transport=tls;r2=on;lr>, <sip:127.0.0.1:5060;transport=tcp;r2=on;lr>")
		for i, proto := range want {
			out := b.want(t, "INFO")
			if len(out) != 1 {
				t.Fatalf("%q", script)
			}
			if to := out[0].Target; to.Proto != proto || to.Socket == nil || to.Socket.Proto != proto {
				t.Errorf("%q, try %d: by %v from %+v, want %v", script, i+1, to.Proto, to.Socket, proto)
			}
			b.answer(t, out[0], "480 Not Now")
		}
	}
}
