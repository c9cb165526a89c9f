package interop

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"sipreactor/bench/process"
)

// outbound is a server of another make that sends back what it gets. The engine's request comes to the engine
// again, is answered there, and the answer goes the same way: both pass the connection in both directions.
type outbound struct {
	name   string
	args   []string
	domain string // client domain
	want   expected
	again  *expected // of a second connection; nil: none is made
}

var opensslServers = []outbound{
	{"1.2", []string{"-tls1_2"}, "nobody", expected{version: tls12, sni: "-", own: "-", peer: "peer"}, nil},
	{"1.3", []string{"-tls1_3"}, "nobody", expected{version: tls13, sni: "-", own: "-", peer: "peer"}, nil},
	{"X25519 only, 1.2", []string{"-tls1_2", "-groups", "X25519:P-256"}, "nobody", expected{version: tls12, group: x25519}, nil},
	{"X25519 only, 1.3", []string{"-tls1_3", "-groups", "X25519"}, "nobody", expected{version: tls13, group: x25519}, nil},
	{"P-256 only, 1.2", []string{"-tls1_2", "-groups", "P-256"}, "nobody", expected{version: tls12, group: p256}, nil},
	{"P-256 only, 1.3", []string{"-tls1_3", "-groups", "P-256"}, "nobody", expected{version: tls13, group: p256, retried: true}, nil},
	{"mutual ECDSA, 1.2", []string{"-tls1_2", "-Verify", "1", "-verify_return_error"}, "ecdsa", expected{version: tls12, own: "ecdsa"}, nil},
	{"mutual ECDSA, 1.3", []string{"-tls1_3", "-Verify", "1", "-verify_return_error"}, "ecdsa", expected{version: tls13, own: "ecdsa"}, nil},
	{"mutual RSA, 1.2", []string{"-tls1_2", "-Verify", "1", "-verify_return_error"}, "rsa", expected{version: tls12, own: "rsa"}, nil},
	{"mutual RSA, 1.3", []string{"-tls1_3", "-Verify", "1", "-verify_return_error"}, "rsa", expected{version: tls13, own: "rsa"}, nil},
	{"resumed, 1.2", []string{"-tls1_2"}, "nobody", expected{version: tls12}, &expected{version: tls12, resumed: true, peer: "peer"}},
	{"resumed, 1.3", []string{"-tls1_3"}, "nobody", expected{version: tls13}, &expected{version: tls13, resumed: true, peer: "peer"}},
	{"no tickets there", []string{"-tls1_2", "-no_ticket", "-no_cache"}, "nobody", expected{version: tls12}, &expected{version: tls12, peer: "peer"}},
	{"no tickets here", nil, "notickets", expected{version: tls13}, &expected{version: tls13, peer: "peer"}},
	{"system's authorities", nil, "roots", expected{version: tls13, peer: "peer"}, nil},
}

var gnutlsServers = []outbound{
	{"1.2", []string{"--priority=NORMAL:-VERS-ALL:+VERS-TLS1.2"}, "nobody", expected{version: tls12, own: "-", peer: "peer"}, nil},
	{"1.3", []string{"--priority=NORMAL:-VERS-ALL:+VERS-TLS1.3"}, "nobody", expected{version: tls13, own: "-", peer: "peer"}, nil},
	{"X25519 only, 1.3", []string{"--priority=NORMAL:-GROUP-ALL:+GROUP-X25519"}, "nobody", expected{version: tls13, group: x25519}, nil},
	{"P-256 only, 1.2", []string{"--priority=NORMAL:-VERS-ALL:+VERS-TLS1.2:-GROUP-ALL:+GROUP-SECP256R1"}, "nobody", expected{version: tls12, group: p256}, nil},
	{"P-256 only, 1.3", []string{"--priority=NORMAL:-GROUP-ALL:+GROUP-SECP256R1"}, "nobody", expected{version: tls13, group: p256, retried: true}, nil},
	{"mutual ECDSA, 1.2", []string{"--require-client-cert", "--verify-client-cert", "--priority=NORMAL:-VERS-ALL:+VERS-TLS1.2"}, "ecdsa", expected{version: tls12, own: "ecdsa"}, nil},
	{"mutual ECDSA, 1.3", []string{"--require-client-cert", "--verify-client-cert"}, "ecdsa", expected{version: tls13, own: "ecdsa"}, nil},
	{"mutual RSA, 1.2", []string{"--require-client-cert", "--verify-client-cert", "--priority=NORMAL:-VERS-ALL:+VERS-TLS1.2"}, "rsa", expected{version: tls12, own: "rsa"}, nil},
	{"mutual RSA, 1.3", []string{"--require-client-cert", "--verify-client-cert"}, "rsa", expected{version: tls13, own: "rsa"}, nil},
	{"resumed, 1.2", []string{"--priority=NORMAL:-VERS-ALL:+VERS-TLS1.2"}, "nobody", expected{version: tls12}, &expected{version: tls12, resumed: true, peer: "peer"}},
	{"resumed, 1.3", nil, "nobody", expected{version: tls13}, &expected{version: tls13, resumed: true, peer: "peer"}},
	{"resumed, mutual", []string{"--require-client-cert", "--verify-client-cert"}, "ecdsa", expected{own: "ecdsa"}, &expected{resumed: true, own: "ecdsa", peer: "peer"}},
	{"no tickets there", []string{"--noticket", "--nodb", "--priority=NORMAL:-VERS-ALL:+VERS-TLS1.2"}, "nobody", expected{version: tls12}, &expected{version: tls12, peer: "peer"}},
	{"no tickets here", nil, "notickets", expected{version: tls13}, &expected{version: tls13, peer: "peer"}},
}

func TestOpenSSLServer(t *testing.T) {
	path := tool(t, "openssl", "openssl")
	e := startEdge(t)
	for _, c := range opensslServers {
		t.Run(c.name, func(t *testing.T) {
			port := unusedPort(t)
			args := append([]string{"s_server", "-accept", "127.0.0.1:" + port, "-quiet",
				"-cert", e.file("peer.pem"), "-key", e.file("peer.key"), "-CAfile", e.file("ca.pem")}, c.args...)
			startEcho(t, "openssl s_server", exec.Command(path, args...))
			process.WaitListening(t, port)
			c.run(t, e, port)
		})
	}
	e.stop(t)
}

// startEcho runs a program whose output is its input.
func startEcho(t *testing.T, name string, cmd *exec.Cmd) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	cmd.Stdin, cmd.Stdout = r, w
	process.Start(t, name, cmd)
}

func TestGnuTLSServer(t *testing.T) {
	path := tool(t, "gnutls-serv", "gnutls-bin")
	e := startEdge(t)
	for _, c := range gnutlsServers {
		t.Run(c.name, func(t *testing.T) {
			port := unusedPort(t)
			args := append([]string{"--echo", "--crlf", "--port=" + port, "--x509certfile=" + e.file("peer.pem"),
				"--x509keyfile=" + e.file("peer.key"), "--x509cafile=" + e.file("ca.pem")}, c.args...)
			process.Start(t, "gnutls-serv", exec.Command(path, args...))
			process.WaitListening(t, port)
			c.run(t, e, port)
		})
	}
	e.stop(t)
}

// TestServerName sends it when the next hop is a name, and not when it is an address.
func TestServerName(t *testing.T) {
	path := tool(t, "gnutls-serv", "gnutls-bin")
	e := startEdge(t)
	port := unusedPort(t)
	process.Start(t, "gnutls-serv", exec.Command(path, "--echo", "--crlf", "--port="+port, "--x509certfile="+e.file("peer.pem"),
		"--x509keyfile="+e.file("peer.key"), "--sni-hostname=localhost", "--sni-hostname-fatal"))
	process.WaitListening(t, port)
	for host, sni := range map[string]string{"localhost": "localhost", "127.0.0.1": "-"} {
		t.Run(host, func(t *testing.T) {
			w := newWire(t, "127.0.0.1:"+port)
			a := e.caller(t).ask(t, "sip:echo@"+host+":"+w.port()+";transport=tls", "nobody")
			expected{version: tls13, sni: sni, peer: "peer"}.check(t, last(t, w, 1), a.header("X-Via"))
		})
	}
	e.stop(t)
}

// run sends an OPTIONS to a server that echoes, once or over two connections.
func (c outbound) run(t *testing.T, e *edge, port string) {
	t.Helper()
	w := newWire(t, "127.0.0.1:"+port)
	caller := e.caller(t)
	for i, want := range []*expected{&c.want, c.again} {
		if want == nil {
			break
		}
		w.cut(t)
		a := c.ask(t, caller, w.addr())
		want.check(t, last(t, w, i+1), a.header("X-Via"))
	}
}

func (c outbound) ask(t *testing.T, caller *caller, to string) answer {
	t.Helper()
	a := caller.ask(t, "sip:echo@"+to+";transport=tls", c.domain)
	if a.status != 200 {
		t.Fatalf("answered %d: %s", a.status, strings.Join(a.head, "; "))
	}
	return a
}
