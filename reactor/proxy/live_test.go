package proxy

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor"
	"sipreactor/sipframe"
	"sipreactor/tlsstate"
)

// patience is how long a test waits for what must happen.
const patience = 20 * time.Second

// live is an engine with a proxy on loopback.
type live struct {
	*testing.T
	proxy  *Proxy
	engine *reactor.Engine
	ca     *x509.CertPool
	cert   tls.Certificate
}

// run starts an engine with TLS, TCP and UDP sockets that r routes. At the end it
// stops, and nothing may be left of it.
func run(t *testing.T, r Router, change ...func(*reactor.Config)) *live {
	t.Helper()
	return runWith(t, r, Config{}, change...)
}

// runWith is run with a configuration of the proxy.
func runWith(t *testing.T, r Router, pc Config, change ...func(*reactor.Config)) *live {
	t.Helper()
	certPEM, keyPEM, err := tlsstate.Ephemeral([]string{"localhost", "127.0.0.1"}, false)
	if err != nil {
		t.Fatal(err)
	}
	no := false
	pair := []tlsstate.KeyPair{{CertificatePEM: certPEM, PrivateKeyPEM: keyPEM}}
	set, err := tlsstate.Build(tlsstate.Config{Domains: []tlsstate.DomainConfig{
		{Name: "in", Role: tlsstate.Server, Certificates: pair, CAPEM: certPEM, RequireCert: &no},
		{Name: "out", Role: tlsstate.Client, Certificates: pair, CAPEM: certPEM},
	}})
	if err != nil {
		t.Fatal(err)
	}
	l := &live{T: t, ca: x509.NewCertPool()}
	l.ca.AppendCertsFromPEM(certPEM)
	if l.cert, err = tls.X509KeyPair(certPEM, keyPEM); err != nil {
		t.Fatal(err)
	}
	cfg := reactor.DefaultConfig()
	cfg.ConnectTimeout, cfg.ParkedTimeout, cfg.MaxMessageTime = patience, patience, patience
	for _, s := range []*reactor.StreamConfig{&cfg.TLS, &cfg.TCP} {
		s.LocalConnectTimeout, s.LocalHandshakeTimeout = patience, patience
		s.HandshakeTimeout, s.SendTimeout = patience, patience
	}
	for _, p := range []reactor.Proto{reactor.TLS, reactor.TCP, reactor.UDP} {
		cfg.Sockets = append(cfg.Sockets, reactor.SocketConfig{Proto: p, Addr: netip.MustParseAddrPort("127.0.0.1:0")})
	}
	cfg.Domains = set
	cfg.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	for _, f := range change {
		f(&cfg)
	}
	pc.Logger = cfg.Logger
	if l.proxy, err = New(pc, r); err != nil {
		t.Fatal(err)
	}
	if l.engine, err = reactor.New(cfg, l.proxy); err != nil {
		t.Fatal(err)
	}
	if err = l.engine.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := l.engine.Stop(ctx); err != nil {
			t.Errorf("Stop: %v", err)
		}
	})
	return l
}

// at gives the address of the engine's socket of a protocol.
func (l *live) at(p reactor.Proto) string {
	for _, s := range l.engine.Sockets() {
		if s.Proto == p {
			return s.Addr.String()
		}
	}
	l.Fatal("no socket")
	return ""
}

// counted waits for a counter, which may move behind what the peers see.
func (l *live) counted(c Counter, want uint64) {
	l.Helper()
	for end := time.Now().Add(patience); l.proxy.Count(c) < want && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	if n := l.proxy.Count(c); n != want {
		l.Errorf("%v = %d, want %d", c, n, want)
	}
}

// peer is one end of a stream to the engine.
type peer struct {
	testing.TB
	net.Conn
	buf  []byte
	fill int
	cut  sipframe.Framer
}

func newPeer(t testing.TB, c net.Conn) *peer {
	t.Cleanup(func() { c.Close() })
	return &peer{TB: t, Conn: c, buf: make([]byte, 1<<17)}
}

// dial makes a TLS connection to the engine, with a certificate that names
// 127.0.0.1: requests for that address may be sent over it.
func (l *live) dial() *peer {
	l.Helper()
	c, err := tls.Dial("tcp", l.at(reactor.TLS), &tls.Config{RootCAs: l.ca, ServerName: "localhost", Certificates: []tls.Certificate{l.cert}})
	if err != nil {
		l.Fatal(err)
	}
	return newPeer(l.T, c)
}

func (p *peer) say(text string) {
	p.Helper()
	if _, err := io.WriteString(p, text); err != nil {
		p.Fatal(err)
	}
}

// hear gives the next message.
func (p *peer) hear() string {
	p.Helper()
	_ = p.SetReadDeadline(time.Now().Add(patience))
	for {
		cut := p.cut.Next(&sipframe.FramerConfig{MaxMessage: len(p.buf)}, p.buf[:p.fill])
		switch cut.Kind {
		case sipframe.Frame:
			text := string(p.buf[cut.Start:cut.End])
			p.fill = copy(p.buf, p.buf[cut.End:p.fill])
			return text
		case sipframe.Bad:
			p.Fatalf("the engine sends what is no message: %q", p.buf[:p.fill])
		}
		p.fill = copy(p.buf, p.buf[cut.Start:p.fill])
		n, err := p.Read(p.buf[p.fill:])
		if err != nil {
			p.Fatalf("no message: %v", err)
		}
		p.fill += n
	}
}

// expect is hear for a message whose first line begins so.
func (p *peer) expect(start string) string {
	p.Helper()
	text := p.hear()
	if !strings.HasPrefix(text, start) {
		p.Fatalf("got %q, want %q", text, start)
	}
	return text
}

// server is a TLS server to which the engine connects.
type server struct {
	*live
	net.Listener
}

func (l *live) serve() *server {
	l.Helper()
	ln, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{l.cert}})
	if err != nil {
		l.Fatal(err)
	}
	l.Cleanup(func() { ln.Close() })
	return &server{l, ln}
}

func (s *server) accept() *peer {
	s.Helper()
	c, err := s.Accept()
	if err != nil {
		s.Fatal(err)
	}
	return newPeer(s.T, c)
}

// uri is the server as a Request-URI.
func (s *server) uri() string { return "sip:bob@" + s.Addr().String() + ";transport=tls" }

// serverSide is the TLS server of a peer that has the engine's certificate.
func (l *live) serverSide(c net.Conn) net.Conn {
	return tls.Server(c, &tls.Config{Certificates: []tls.Certificate{l.cert}})
}
