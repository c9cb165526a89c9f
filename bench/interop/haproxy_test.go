package interop

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"sipreactor/bench/process"
)

// Without a cache of sessions only tickets resume them: crypto/tls has nothing else.
const haproxyHead = `global
	nbthread 1
	tune.ssl.cachesize 0
defaults
	mode tcp
	timeout connect 30s
	timeout client 2m
	timeout server 2m
`

// HAProxy wraps what comes to it plain in TLS towards the engine; each case is a server line.
var haproxyClients = []struct {
	name, line  string
	want, again expected
}{
	{"1.2", "ssl-max-ver TLSv1.2", expected{version: tls12, sni: "-", own: "ecdsa", peer: "-"}, expected{version: tls12, resumed: true}},
	{"1.3", "ssl-min-ver TLSv1.3", expected{version: tls13, sni: "-", own: "ecdsa", peer: "-"}, expected{version: tls13, resumed: true}},
	{"no tickets, 1.2", "ssl-max-ver TLSv1.2 no-tls-tickets", expected{version: tls12}, expected{version: tls12}},
	{"no tickets here", "sni str(plain.test)", expected{version: tls13, sni: "plain.test"}, expected{version: tls13}},
	{"P-256 wanted", "sni str(p256.test)", expected{version: tls13, group: p256, retried: true}, expected{version: tls13, group: p256, retried: true, resumed: true}},
	{"mutual ECDSA", "sni str(mutual.test) crt $DIR/peer.both.pem", expected{version: tls13, peer: "peer"}, expected{version: tls13, peer: "peer", resumed: true}},
	{"mutual RSA, 1.2", "sni str(mutual.test) ssl-max-ver TLSv1.2 crt $DIR/peerrsa.both.pem",
		expected{version: tls12, peer: "peerrsa"}, expected{version: tls12, peer: "peerrsa", resumed: true}},
}

// HAProxy unwraps what the engine sends; each case is a bind line.
var haproxyServers = []outbound{
	{"1.2", []string{"ssl-max-ver TLSv1.2"}, "nobody", expected{version: tls12, peer: "peer"}, &expected{version: tls12, resumed: true}},
	{"1.3", []string{"ssl-min-ver TLSv1.3"}, "nobody", expected{version: tls13, peer: "peer"}, &expected{version: tls13, resumed: true}},
	{"no tickets there, 1.2", []string{"ssl-max-ver TLSv1.2 no-tls-tickets"}, "nobody", expected{version: tls12}, &expected{version: tls12}},
	{"X25519 only", []string{"curves X25519"}, "nobody", expected{version: tls13, group: x25519}, nil},
	{"P-256 only", []string{"curves P-256"}, "nobody", expected{version: tls13, group: p256, retried: true}, nil},
	{"mutual ECDSA", []string{"verify required ca-file $DIR/ca.pem"}, "ecdsa", expected{version: tls13, own: "ecdsa"}, &expected{version: tls13, own: "ecdsa", resumed: true}},
	{"mutual RSA, 1.2", []string{"ssl-max-ver TLSv1.2 verify required ca-file $DIR/ca.pem"}, "rsa", expected{version: tls12, own: "rsa"}, &expected{version: tls12, own: "rsa", resumed: true}},
}

func TestHAProxyClient(t *testing.T) {
	path := tool(t, "haproxy", "haproxy")
	e := startEdge(t)
	wires, ports := make([]*wire, len(haproxyClients)), make([]string, len(haproxyClients))
	var cfg strings.Builder
	cfg.WriteString(haproxyHead)
	for i, c := range haproxyClients {
		wires[i], ports[i] = newWire(t, e.tls), unusedPort(t)
		fmt.Fprintf(&cfg, "listen in%d\n\tbind 127.0.0.1:%s\n\tserver edge %s ssl verify required ca-file %s %s\n",
			i, ports[i], wires[i].addr(), e.file("ca.pem"), strings.ReplaceAll(c.line, "$DIR", e.dir))
	}
	startHAProxy(t, e, path, cfg.String(), ports)
	for i, c := range haproxyClients {
		t.Run(c.name, func(t *testing.T) {
			for n, want := range []expected{c.want, c.again} {
				a := overPlain(t, "127.0.0.1:"+ports[i])
				want.check(t, last(t, wires[i], n+1), a.header("X-Seen"))
			}
		})
	}
	e.stop(t)
}

func TestHAProxyServer(t *testing.T) {
	path := tool(t, "haproxy", "haproxy")
	e := startEdge(t)
	behind := echoServer(t)
	ports := make([]string, len(haproxyServers))
	var cfg strings.Builder
	cfg.WriteString(haproxyHead)
	for i, c := range haproxyServers {
		ports[i] = unusedPort(t)
		fmt.Fprintf(&cfg, "listen out%d\n\tbind 127.0.0.1:%s ssl crt %s %s\n\tserver echo %s\n",
			i, ports[i], e.file("peer.both.pem"), strings.ReplaceAll(c.args[0], "$DIR", e.dir), behind)
	}
	startHAProxy(t, e, path, cfg.String(), ports)
	for i, c := range haproxyServers {
		t.Run(c.name, func(t *testing.T) { c.run(t, e, ports[i]) })
	}
	e.stop(t)
}

func startHAProxy(t *testing.T, e *edge, path, cfg string, ports []string) {
	t.Helper()
	file := e.file("haproxy.cfg")
	if err := os.WriteFile(file, []byte(cfg), 0o600); err != nil {
		t.Fatal(err)
	}
	process.Start(t, "haproxy", exec.Command(path, "-db", "-f", file))
	for _, port := range ports {
		process.WaitListening(t, port)
	}
}

// overPlain asks the engine through one who speaks TLS for us.
func overPlain(t *testing.T, addr string) answer {
	t.Helper()
	conn, err := net.DialTimeout("tcp", addr, patience)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, options("sip:127.0.0.1", "TLS")); err != nil {
		t.Fatal(err)
	}
	a, err := readAnswer(bufio.NewReader(conn))
	if err != nil || a.status != 200 {
		t.Fatalf("answered %d, %v", a.status, err)
	}
	return a
}

// echoServer sends back whatever comes.
func echoServer(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, _ = io.Copy(conn, conn) // until either side ends
			}()
		}
	}()
	return ln.Addr().String()
}
