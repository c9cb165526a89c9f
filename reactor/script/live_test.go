package script

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"sipreactor/reactor"
	"sipreactor/reactor/proxy"
	"sipreactor/tlsstate"
	"sipreactor/tlsstate/tlstest"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// gnet's package pool of goroutines lives as long as the program
		goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*poolCommon).purgeStaleWorkers"),
		goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*poolCommon).ticktock"),
		goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*goWorker).run.func1"),
	)
}

// patience is how long a test waits for what must happen.
const patience = 20 * time.Second

// journal collects what is logged from any goroutine.
type journal struct {
	mu   sync.Mutex
	list []string
}

func (j *journal) Enabled(context.Context, slog.Level) bool { return true }
func (j *journal) WithAttrs([]slog.Attr) slog.Handler       { return j }
func (j *journal) WithGroup(string) slog.Handler            { return j }

func (j *journal) Handle(ctx context.Context, r slog.Record) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return lines{&j.list, slog.LevelDebug}.Handle(ctx, r)
}

// take gives the lines and forgets them.
func (j *journal) take() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	all := j.list
	j.list = nil
	return all
}

// live is a configuration on an engine, with TLS and TCP sockets on loopback.
type live struct {
	*testing.T
	cfg    *Config
	engine *reactor.Engine
	log    journal
}

// pki are the certificates of a live test: an authority, our own pair, and the
// configuration's lines of a server domain with them.
type pki struct {
	ca     *tlstest.CA
	own    *tlstest.Pair
	domain string
}

func newPKI(t *testing.T, demands string) *pki {
	ca := tlstest.NewCA(t, "script CA")
	own := ca.Leaf(t, tlstest.Leaf{CN: "edge", DNS: []string{"edge.example"}, IPs: []string{"127.0.0.1"}})
	cert, key := own.Files(t)
	return &pki{ca, own, `
loadmodule "proto_tls.so"
loadmodule "proto_tcp.so"
loadmodule "tls_mgm.so"
loadmodule "sl.so"
socket=tls:127.0.0.1:5061
socket=tcp:127.0.0.1:5060
xlog_level=4
xlog_print_level=3
modparam("tls_mgm", "server_domain", "edge")
modparam("tls_mgm", "certificate", "[edge]` + cert + `")
modparam("tls_mgm", "private_key", "[edge]` + key + `")
modparam("tls_mgm", "ca_list", "[edge]` + ca.File(t) + `")
` + demands}
}

// start runs a configuration until the test ends.
func start(t *testing.T, text string) *live {
	t.Helper()
	cfg, err := compile("live.cfg", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	l := &live{T: t, cfg: cfg}
	cfg.Program.SetLogger(slog.New(&l.log))
	set, err := tlsstate.Build(cfg.TLS)
	if err != nil {
		t.Fatal(err)
	}
	p, err := proxy.New(cfg.Proxy, cfg.Program)
	if err != nil {
		t.Fatal(err)
	}
	ec := cfg.Engine
	background := NewBackground(cfg.Program)
	ec.Observer = background
	ec.Domains, ec.Logger = set, slog.New(slog.NewTextHandler(t.Output(), nil))
	ec.ConnectTimeout, ec.ParkedTimeout, ec.MaxMessageTime = patience, patience, patience
	for _, s := range []*reactor.StreamConfig{&ec.TLS, &ec.TCP} {
		s.LocalConnectTimeout, s.LocalHandshakeTimeout = patience, patience
		s.HandshakeTimeout, s.SendTimeout = patience, patience
	}
	for _, s := range cfg.Sockets {
		ec.Sockets = append(ec.Sockets, reactor.SocketConfig{Proto: s.Proto, Addr: netip.MustParseAddrPort("127.0.0.1:0")})
	}
	if l.engine, err = reactor.New(ec, p); err != nil {
		t.Fatal(err)
	}
	if err := l.engine.Start(); err != nil {
		t.Fatal(err)
	}
	background.Start()
	t.Cleanup(func() {
		defer background.Close()
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := l.engine.Stop(ctx); err != nil {
			t.Errorf("Stop: %v", err)
		}
	})
	return l
}

// socket gives the listener of a protocol.
func (l *live) socket(p reactor.Proto) *reactor.Socket {
	all := l.engine.Sockets()
	return all[slices.IndexFunc(all, func(s *reactor.Socket) bool { return s.Proto == p })]
}

// dial connects to the socket of a protocol, by TLS with a client's certificate
// if there is one.
func (l *live) dial(p reactor.Proto, client *tlstest.Pair) net.Conn {
	l.Helper()
	addr := l.socket(p).Addr.String()
	var c net.Conn
	var err error
	if p == reactor.TLS {
		cfg := &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12} // whom the engine is taken for is not at stake
		if client != nil {
			cfg.Certificates = []tls.Certificate{client.TLS(l)}
		}
		c, err = tls.Dial("tcp", addr, cfg)
	} else {
		c, err = net.Dial("tcp", addr)
	}
	if err != nil {
		l.Fatal(err)
	}
	l.Cleanup(func() { c.Close() })
	return c
}

// ask sends a request and waits for the response; it gives what the script logged
// meanwhile.
func (l *live) ask(c net.Conn) []string {
	l.Helper()
	l.log.take()
	_ = c.SetDeadline(time.Now().Add(patience))
	if _, err := c.Write(invite); err != nil {
		l.Fatal(err)
	}
	line, err := bufio.NewReader(io.LimitReader(c, 4096)).ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "SIP/2.0 200") {
		l.Fatalf("got %q, %v", line, err)
	}
	return l.log.take()
}

// crlFolder writes the list of an authority that revokes some certificates.
func crlFolder(t *testing.T, ca *tlstest.CA, revoked ...*tlstest.Pair) string {
	t.Helper()
	dir := t.TempDir()
	list := ca.CRL(t, time.Now().Add(time.Hour), revoked...)
	if err := os.WriteFile(filepath.Join(dir, "ca.crl"), list, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}
