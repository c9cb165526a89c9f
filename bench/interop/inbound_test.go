package interop

import (
	"bufio"
	"crypto/tls"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sipreactor/bench/process"
)

// inbound is a client of another make that sends one OPTIONS.
type inbound struct {
	name string
	args []string
	want expected
}

// The client's own arguments have $DIR for the directory of certificates.
func (c inbound) expand(e *edge) []string {
	args := make([]string, len(c.args))
	for i, a := range c.args {
		args[i] = strings.ReplaceAll(a, "$DIR", e.dir)
	}
	return args
}

const (
	tls12, tls13 = tls.VersionTLS12, tls.VersionTLS13
	x25519, p256 = tls.X25519, tls.CurveP256
)

// What package tlsstate tries with openssl is not tried again here.
var opensslClients = []inbound{
	{"X25519 only, 1.2", []string{"-tls1_2", "-groups", "X25519"}, expected{version: tls12, group: x25519}},
	{"X25519 only, 1.3", []string{"-tls1_3", "-groups", "X25519"}, expected{version: tls13, group: x25519}},
	{"P-256 only, 1.3", []string{"-tls1_3", "-groups", "P-256"}, expected{version: tls13, group: p256}},
	{"P-256 wanted", []string{"-tls1_3", "-groups", "X25519:P-256", "-servername", "p256.test"},
		expected{version: tls13, group: p256, retried: true, sni: "p256.test", own: "ecdsa"}},
	{"P-256 wanted, 1.2", []string{"-tls1_2", "-servername", "p256.test"}, expected{version: tls12, group: p256, own: "ecdsa"}},
	{"no SNI", []string{"-noservername"}, expected{sni: "-", own: "ecdsa"}},
	{"mutual RSA, 1.2", []string{"-tls1_2", "-servername", "mutual.test", "-cert", "$DIR/peerrsa.pem", "-key", "$DIR/peerrsa.key"},
		expected{version: tls12, peer: "peerrsa"}},
}

var gnutlsClients = []inbound{
	{"1.2", []string{"--priority=NORMAL:-VERS-ALL:+VERS-TLS1.2"}, expected{version: tls12, own: "ecdsa"}},
	{"1.3", []string{"--priority=NORMAL:-VERS-ALL:+VERS-TLS1.3"}, expected{version: tls13, own: "ecdsa"}},
	{"X25519 only, 1.2", []string{"--priority=NORMAL:-VERS-ALL:+VERS-TLS1.2:-GROUP-ALL:+GROUP-X25519"}, expected{version: tls12, group: x25519}},
	{"X25519 only, 1.3", []string{"--priority=NORMAL:-VERS-ALL:+VERS-TLS1.3:-GROUP-ALL:+GROUP-X25519"}, expected{version: tls13, group: x25519}},
	{"P-256 only, 1.3", []string{"--priority=NORMAL:-VERS-ALL:+VERS-TLS1.3:-GROUP-ALL:+GROUP-SECP256R1"}, expected{version: tls13, group: p256}},
	{"P-256 wanted", []string{"--single-key-share", "--sni-hostname=p256.test",
		"--priority=NORMAL:-VERS-ALL:+VERS-TLS1.3:-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1"},
		expected{version: tls13, group: p256, retried: true, sni: "p256.test"}},
	{"no SNI", []string{"--disable-sni"}, expected{sni: "-", own: "ecdsa"}},
	{"RSA certificate, 1.2", []string{"--sni-hostname=rsa.test", "--priority=NORMAL:-VERS-ALL:+VERS-TLS1.2"},
		expected{version: tls12, sni: "rsa.test", own: "rsa", peer: "-"}},
	{"RSA certificate, 1.3", []string{"--sni-hostname=rsa.test", "--priority=NORMAL:-VERS-ALL:+VERS-TLS1.3"},
		expected{version: tls13, sni: "rsa.test", own: "rsa", peer: "-"}},
	{"mutual ECDSA, 1.2", []string{"--sni-hostname=mutual.test", "--x509certfile=$DIR/peer.pem", "--x509keyfile=$DIR/peer.key",
		"--priority=NORMAL:-VERS-ALL:+VERS-TLS1.2"}, expected{version: tls12, peer: "peer"}},
	{"mutual ECDSA, 1.3", []string{"--sni-hostname=mutual.test", "--x509certfile=$DIR/peer.pem", "--x509keyfile=$DIR/peer.key"},
		expected{version: tls13, peer: "peer"}},
	{"mutual RSA, 1.2", []string{"--sni-hostname=mutual.test", "--x509certfile=$DIR/peerrsa.pem", "--x509keyfile=$DIR/peerrsa.key",
		"--priority=NORMAL:-VERS-ALL:+VERS-TLS1.2"}, expected{version: tls12, peer: "peerrsa"}},
	{"mutual RSA, 1.3", []string{"--sni-hostname=mutual.test", "--x509certfile=$DIR/peerrsa.pem", "--x509keyfile=$DIR/peerrsa.key"},
		expected{version: tls13, peer: "peerrsa"}},
	{"no tickets, 1.3", []string{"--priority=NORMAL:-VERS-ALL:+VERS-TLS1.3:%NO_TICKETS"}, expected{version: tls13}},
}

// gnutls-cli --resume makes a second connection with what it got in the first; the request goes over the second.
var gnutlsResumptions = []inbound{
	{"resumed, 1.2", []string{"--resume", "--priority=NORMAL:-VERS-ALL:+VERS-TLS1.2"}, expected{version: tls12, resumed: true}},
	{"resumed, 1.3", []string{"--resume", "--waitresumption", "--priority=NORMAL:-VERS-ALL:+VERS-TLS1.3"}, expected{version: tls13, resumed: true}},
	{"resumed, mutual", []string{"--resume", "--waitresumption", "--sni-hostname=mutual.test", "--x509certfile=$DIR/peer.pem", "--x509keyfile=$DIR/peer.key"},
		expected{version: tls13, peer: "peer", resumed: true}},
	{"no tickets here, 1.2", []string{"--resume", "--sni-hostname=plain.test", "--priority=NORMAL:-VERS-ALL:+VERS-TLS1.2"}, expected{version: tls12}},
	{"no tickets here, 1.3", []string{"--resume", "--sni-hostname=plain.test"}, expected{version: tls13}},
}

var curlClients = []inbound{
	{"1.2", []string{"--tls-max", "1.2"}, expected{version: tls12, own: "ecdsa"}},
	{"1.3", []string{"--tlsv1.3"}, expected{version: tls13, own: "ecdsa"}},
	{"X25519 only", []string{"--curves", "X25519"}, expected{version: tls13, group: x25519}},
	{"P-256 only", []string{"--curves", "prime256v1"}, expected{version: tls13, group: p256}},
	{"P-256 wanted", []string{"--curves", "X25519:prime256v1", "--connect-to", "p256.test::127.0.0.1:$PORT", "$gophers://p256.test"},
		expected{version: tls13, group: p256, retried: true, sni: "p256.test"}},
	{"mutual ECDSA", []string{"--cert", "$DIR/peer.pem", "--key", "$DIR/peer.key", "--connect-to", "mutual.test::127.0.0.1:$PORT", "$gophers://mutual.test"},
		expected{version: tls13, sni: "mutual.test", peer: "peer"}},
	{"mutual RSA, 1.2", []string{"--tls-max", "1.2", "--cert", "$DIR/peerrsa.pem", "--key", "$DIR/peerrsa.key",
		"--connect-to", "mutual.test::127.0.0.1:$PORT", "$gophers://mutual.test"}, expected{version: tls12, peer: "peerrsa"}},
}

func TestOpenSSLClient(t *testing.T) {
	path := tool(t, "openssl", "openssl")
	e := startEdge(t)
	for _, c := range opensslClients {
		t.Run(c.name, func(t *testing.T) {
			w := newWire(t, e.tls)
			args := append([]string{"s_client", "-connect", w.addr(), "-CAfile", e.file("ca.pem"), "-verify_return_error", "-quiet"}, c.expand(e)...)
			a := converse(t, "openssl s_client", exec.Command(path, args...), true)
			c.want.check(t, last(t, w, 1), a.header("X-Seen"))
		})
	}
	e.stop(t)
}

// TestTicketOfAnotherNode resumes on one node what began on another that has the same ticket_keys_file.
func TestTicketOfAnotherNode(t *testing.T) {
	path := tool(t, "openssl", "openssl")
	dir := newFolder(t)
	first, second, stranger := startEdgeIn(t, dir), startEdgeIn(t, dir), startEdge(t)
	for _, version := range []string{"-tls1_2", "-tls1_3"} {
		for _, c := range []struct {
			name string
			edge *edge
			want expected
		}{
			{"node", second, expected{peer: "peer", resumed: true}},
			{"stranger", stranger, expected{peer: "peer"}},
		} {
			t.Run(version+" "+c.name, func(t *testing.T) {
				session := filepath.Join(t.TempDir(), "session")
				client := func(e *edge, args ...string) (handshake, string) {
					w := newWire(t, e.tls)
					a := converse(t, "openssl s_client", exec.Command(path, append([]string{"s_client", version, "-quiet", "-connect", w.addr(),
						"-servername", "mutual.test", "-cert", e.file("peer.pem"), "-key", e.file("peer.key")}, args...)...), true)
					return last(t, w, 1), a.header("X-Seen")
				}
				client(first, "-sess_out", session)
				h, said := client(c.edge, "-sess_in", session)
				c.want.check(t, h, said)
			})
		}
	}
	for _, e := range []*edge{first, second, stranger} {
		e.stop(t)
	}
}

func TestGnuTLSClient(t *testing.T) {
	path := tool(t, "gnutls-cli", "gnutls-bin")
	e := startEdge(t)
	for _, c := range append(gnutlsClients, gnutlsResumptions...) {
		t.Run(c.name, func(t *testing.T) {
			w := newWire(t, e.tls)
			args := append([]string{"--port=" + w.port(), "--x509cafile=" + e.file("ca.pem")}, c.expand(e)...)
			connections := 1
			for _, a := range args {
				if a == "--resume" {
					connections = 2
				}
			}
			a := converse(t, "gnutls-cli", exec.Command(path, append(args, "127.0.0.1")...), true)
			c.want.check(t, last(t, w, connections), a.header("X-Seen"))
		})
	}
	e.stop(t)
}

// curl sends what a gopher URL names, word for word.
func TestCurl(t *testing.T) {
	path := tool(t, "curl", "curl")
	e := startEdge(t)
	for _, c := range curlClients {
		t.Run(c.name, func(t *testing.T) {
			w := newWire(t, e.tls)
			target := "gophers://" + w.addr()
			args := []string{"--silent", "--show-error", "--no-buffer", "--cacert", e.file("ca.pem")}
			for _, a := range c.expand(e) {
				if host, ok := strings.CutPrefix(a, "$"); ok {
					target = host + ":" + w.port()
					continue
				}
				args = append(args, strings.ReplaceAll(a, "$PORT", w.port()))
			}
			// The last line end is gopher's.
			request := strings.TrimSuffix(options("sip:127.0.0.1", "TLS"), "\r\n")
			a := converse(t, "curl", exec.Command(path, append(args, target+"/1"+url.PathEscape(request))...), false)
			c.want.check(t, last(t, w, 1), a.header("X-Seen"))
		})
	}
	e.stop(t)
}

// converse runs a client, has it send an OPTIONS if it reads its standard input, and returns the answer it prints.
func converse(t *testing.T, name string, cmd *exec.Cmd, asks bool) answer {
	t.Helper()
	out, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	cmd.Stdout = w
	var in io.WriteCloser
	if asks {
		if in, err = cmd.StdinPipe(); err != nil {
			t.Fatal(err)
		}
	}
	p := process.Start(t, name, cmd)
	w.Close()
	if asks {
		if _, err := io.WriteString(in, options("sip:127.0.0.1", "TLS")); err != nil {
			t.Fatal(err)
		}
	}
	if err := out.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	a, err := readAnswer(bufio.NewReader(out))
	if err != nil {
		t.Fatalf("%s printed no answer: %v", p.Name, err)
	}
	if a.status != 200 {
		t.Fatalf("%s: answered %d", p.Name, a.status)
	}
	return a
}

// last is the last of so many handshakes.
func last(t *testing.T, w *wire, count int) handshake {
	t.Helper()
	list := w.handshakes(t)
	if len(list) != count {
		t.Fatalf("%d connections, want %d: %v", len(list), count, list)
	}
	return list[count-1]
}
