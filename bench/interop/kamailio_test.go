package interop

import (
	"bufio"
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sipreactor/bench/process"
)

// kamailio is Debian's, with one trunk. It is built on processes that share OpenSSL 3, and several handshakes at once
// end it: one connection at a time is what it can have.
type kamailio struct {
	tls, udp string // its listeners
}

// startKamailio runs one that sends what comes by UDP to edge, and shows a certificate of the edge's folder.
func startKamailio(t *testing.T, e *edge, edge, certificate string) *kamailio {
	t.Helper()
	path := tool(t, "kamailio", "kamailio kamailio-tls-modules")
	k := &kamailio{tls: "127.0.0.1:" + unusedPort(t), udp: "127.0.0.1:" + unusedPort(t)}
	fill := strings.NewReplacer("$TLS", k.tls, "$UDP", k.udp, "$EDGE", edge, "$DIR", e.dir, "$CERT", certificate,
		"$MODULES", modulesOf(t))
	for _, name := range []string{"kamailio.cfg", "kamailio-tls.cfg"} {
		text, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(e.file(name), []byte(fill.Replace(string(text))), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// 64 MB of memory to share and 8 of each process's own.
	process.Start(t, "kamailio", exec.Command(path, "-DD", "-E", "-m", "64", "-M", "8", "-f", e.file("kamailio.cfg"),
		"-Y", e.dir, "-w", e.dir))
	_, port, _ := net.SplitHostPort(k.tls)
	process.WaitListening(t, port)
	return k
}

// modulesOf is where Debian keeps Kamailio's modules.
func modulesOf(t *testing.T) string {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/*/kamailio/modules/tls.so")
	if err != nil || len(found) != 1 {
		tool(t, "kamailio's tls.so", "kamailio-tls-modules") // says that it is missing
	}
	return filepath.Dir(found[0])
}

// ask sends an OPTIONS by UDP, again and again until it is answered.
func (k *kamailio) ask(t *testing.T, uri string) answer {
	t.Helper()
	conn, err := net.Dial("udp", k.udp)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	request := []byte(options(uri, "UDP"))
	buf := make([]byte, 64<<10)
	for end := time.Now().Add(patience); time.Now().Before(end); {
		if _, err := conn.Write(request); err != nil {
			time.Sleep(10 * time.Millisecond) // nobody there yet
			continue
		}
		if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
			t.Fatal(err)
		}
		n, err := conn.Read(buf)
		if err != nil {
			time.Sleep(10 * time.Millisecond)
			continue
		}
		a, err := readAnswer(bufio.NewReader(bytes.NewReader(buf[:n])))
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	t.Fatal("Kamailio does not answer")
	return answer{}
}

// TestKamailioTrunk has the engine open a trunk, and both sides send over it.
func TestKamailioTrunk(t *testing.T) {
	for _, kind := range []struct{ own, peer string }{{"ecdsa", "peerrsa"}, {"rsa", "peer"}} {
		t.Run(kind.own+" and "+kind.peer, func(t *testing.T) {
			e := startEdge(t)
			k := startKamailio(t, e, e.tls, kind.peer)
			w := newWire(t, k.tls)
			caller := e.caller(t)
			for range 20 {
				a := caller.ask(t, "sip:kamailio@"+w.addr()+";transport=tls", kind.own)
				if a.status != 200 || !strings.HasPrefix(a.header("X-Kamailio"), kind.own+" TLSv1.3") {
					t.Fatalf("answered %d: %q", a.status, a.head)
				}
				expected{version: tls13, sni: "-", own: kind.own, peer: kind.peer}.check(t, last(t, w, 1), a.header("X-Via"))
				// Back over the same connection.
				b := k.ask(t, "sip:edge@"+e.tls+";transport=tls")
				if b.status != 200 {
					t.Fatalf("Kamailio was answered %d", b.status)
				}
				expected{own: kind.own, peer: kind.peer}.check(t, last(t, w, 1), b.header("X-Seen"))
			}
			e.stop(t)
		})
	}
}

// TestKamailioDials has Kamailio open the trunk.
func TestKamailioDials(t *testing.T) {
	for _, peer := range []string{"peer", "peerrsa"} {
		t.Run(peer, func(t *testing.T) {
			e := startEdge(t)
			w := newWire(t, e.trunk)
			k := startKamailio(t, e, w.addr(), peer)
			for range 20 {
				a := k.ask(t, "sip:edge@"+w.addr()+";transport=tls")
				if a.status != 200 {
					t.Fatalf("answered %d", a.status)
				}
				expected{version: tls13, sni: "-", own: "rsa", peer: peer}.check(t, last(t, w, 1), a.header("X-Seen"))
			}
			e.stop(t)
		})
	}
}
