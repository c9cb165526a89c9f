package main

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"sipreactor/cmd/sipreactor/load"
	"sipreactor/reactor"
	"sipreactor/reactor/ports"
	"sipreactor/reactor/script"
)

// running is the program at work within the test.
type running struct {
	addr   string
	dir    string
	ca     *load.Authority
	stderr *output
	stdout *output
	code   chan int
}

// output is a writer that a test waits on.
type output struct {
	mu   sync.Mutex
	b    strings.Builder
	more chan struct{}
}

func newOutput() *output { return &output{more: make(chan struct{}, 1)} }

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	select {
	case o.more <- struct{}{}:
	default:
	}
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

func (o *output) wait(t *testing.T, text string) {
	t.Helper()
	late := time.After(20 * time.Second)
	for !strings.Contains(o.String(), text) {
		select {
		case <-o.more:
		case <-late:
			t.Fatalf("no %q in:\n%s", text, o)
		}
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	port, err := ports.Unused()
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// serving starts the program with a server domain and log_level=-1.
func serving(t *testing.T) *running {
	t.Helper()
	r := &running{
		addr: "127.0.0.1:" + freePort(t), dir: t.TempDir(),
		stderr: newOutput(), stdout: newOutput(), code: make(chan int, 1),
	}
	var err error
	if r.ca, err = load.NewAuthority(); err != nil {
		t.Fatal(err)
	}
	if err := r.ca.Write(r.dir, "edge", "ecdsa", "127.0.0.1"); err != nil {
		t.Fatal(err)
	}
	path := config(t, `log_level=-1
socket=tls:`+r.addr+`
loadmodule "proto_tls.so"
loadmodule "tls_mgm.so"
loadmodule "sl.so"
modparam("proto_tls", "tls_handshake_timeout", 20000)
modparam("tls_mgm", "server_domain", "edge")
modparam("tls_mgm", "certificate", "[edge]`+r.dir+`/edge.pem")
modparam("tls_mgm", "private_key", "[edge]`+r.dir+`/edge.key")
modparam("tls_mgm", "verify_cert", "[edge]0")
modparam("tls_mgm", "require_cert", "[edge]0")
route { sl_send_reply(200, "OK"); }
`)
	go func() { r.code <- run(t.Context(), []string{"-f", path}, r.stdout, r.stderr) }()
	r.stderr.wait(t, "msg=ready")
	return r
}

func (r *running) signal(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(os.Getpid(), s); err != nil {
		t.Fatal(err)
	}
}

func (r *running) exit(t *testing.T) {
	t.Helper()
	select {
	case code := <-r.code:
		if code != exitOK {
			t.Errorf("exit code %d\n%s", code, r.stderr)
		}
	case <-time.After(20 * time.Second):
		t.Fatalf("still running\n%s", r.stderr)
	}
}

// leaf is the certificate that the program shows.
func (r *running) leaf(t *testing.T) *x509.Certificate {
	t.Helper()
	c, err := tls.Dial("tcp", r.addr, r.ca.ClientConfig())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.ConnectionState().PeerCertificates[0]
}

func TestServeAnswersAndDrains(t *testing.T) {
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		r := serving(t)
		if out := r.stderr.String(); !strings.Contains(out, "tls:"+r.addr) {
			t.Errorf("ready does not name the socket: %s", out)
		}
		if r.stdout.String() != "" {
			t.Errorf("with -f standard output is silent: %q", r.stdout)
		}
		res, err := load.Options{
			Peer: load.Peer{Addr: r.addr, TLS: r.ca.ClientConfig()}, URI: "sip:" + r.addr, Count: 20, Duration: time.Minute, Timeout: patience,
		}.Run(t.Context())
		if err != nil || !res.Clean() {
			t.Errorf("%v\n%v", err, res)
		}
		r.signal(t, s)
		r.exit(t)
		if out := r.stderr.String(); !strings.Contains(out, "msg=draining") || !strings.Contains(out, "msg=stopped") {
			t.Errorf("the end is not told: %s", out)
		}
	}
}

func TestReloadOnHangup(t *testing.T) {
	r := serving(t)
	first := r.leaf(t)
	if err := r.ca.Write(r.dir, "edge", "ecdsa", "127.0.0.1"); err != nil {
		t.Fatal(err)
	}
	r.signal(t, syscall.SIGHUP)
	for end := time.Now().Add(patience); r.leaf(t).Equal(first); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the old certificate is shown after SIGHUP")
		}
	}

	second := r.leaf(t)
	if err := os.WriteFile(filepath.Join(r.dir, "edge.pem"), []byte("rubbish"), 0o600); err != nil {
		t.Fatal(err)
	}
	r.signal(t, syscall.SIGHUP)
	r.stderr.wait(t, "not reloaded")
	if !r.leaf(t).Equal(second) {
		t.Error("a reload that failed changed the certificate")
	}
	r.signal(t, syscall.SIGTERM)
	r.exit(t)
}

func TestStartFails(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	const route = "\nloadmodule \"proto_tls.so\"\nloadmodule \"proto_tcp.so\"\nroute { exit; }\n"
	for name, c := range map[string]struct{ socket, want string }{
		"no identity beyond loopback": {"tls:0.0.0.0:5061", "server_domain"},
		"port in use":                 {"tcp:" + taken.Addr().String(), "in use"},
		"unknown host":                {"tls:no-such-host.invalid:5061", "no-such-host.invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			code, _, errs := command(t, "-f", config(t, "socket="+c.socket+route))
			if code != exitFailed || !strings.Contains(errs, c.want) {
				t.Errorf("exit code %d: %s", code, errs)
			}
		})
	}
}

func TestWelcomeNamesThreeCommands(t *testing.T) {
	var b strings.Builder
	addr := netip.MustParseAddrPort("127.0.0.1:5061")
	welcome(&b, []*reactor.Socket{{Proto: reactor.TLS, Addr: addr}}, "/tmp/x/fifo",
		&management{page: netip.MustParseAddrPort("127.0.0.1:8889"), token: "secret"})
	for _, what := range []string{"http://127.0.0.1:8889/", "token secret\n", "--to /tmp/x/fifo --reply-dir /tmp/x which"} {
		if !strings.Contains(b.String(), what) {
			t.Errorf("it does not say %q: %s", what, b.String())
		}
	}
	for _, want := range []string{"tls:127.0.0.1:5061", "openssl s_client -connect 127.0.0.1:5061", "sipp 127.0.0.1", "demo"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, &b)
		}
	}
}

// clean is Result.Clean, but for the 200s that the callee said again: no ACK had come in 500 ms, because the machine
// stood still.
func clean(r load.Result, callee *load.Server) bool {
	r.Duplicated = max(0, r.Duplicated-callee.Stats().Resent)
	return r.Clean()
}

func TestBuiltInConfigurationGetsAnIdentity(t *testing.T) {
	cfg, err := loadConfig(options{})
	if err != nil {
		t.Fatal(err)
	}
	cfg.Engine.TLS.HandshakeTimeout = long
	b := newOutput()
	sockets := []reactor.SocketConfig{{Proto: reactor.TLS, Addr: netip.MustParseAddrPort("127.0.0.1:0")}}
	n, err := assemble(cfg, sockets, newLogger(b, script.LevelDebug, ""), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer n.close()
	if err := n.engine.Start(); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "self-signed") {
		t.Errorf("the certificate is not told of: %s", b)
	}
	addr := n.engine.Sockets()[0].Addr.String()
	uas, err := load.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	server, err := uas.ServerConfig("ecdsa", "somebody.example.com")
	if err != nil {
		t.Fatal(err)
	}
	callee, err := load.Listen("127.0.0.1:0", server)
	if err != nil {
		t.Fatal(err)
	}
	defer callee.Close()
	peer := load.Peer{Addr: addr, TLS: &tls.Config{InsecureSkipVerify: true}}
	for uri, status := range map[string]string{
		callee.URI():                      "", // loopback, though nobody knows its certificate
		"sip:x@192.0.2.1;transport=tls":   "INVITE answered 403",
		"sip:x@example.com;transport=tls": "INVITE answered 403",
	} {
		r, err := load.Calls{Peer: peer, URI: uri, Count: 3, Duration: time.Minute, Timeout: patience}.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if status == "" && !clean(r, callee) || status != "" && r.Reasons[status] != 3 {
			t.Errorf("%s: %v", uri, r)
		}
	}
	if err := n.engine.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}
