package transaction

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/proxy"
	"sipreactor/sipframe"
	"sipreactor/tlsstate"
)

// patience is how long a test waits for what must happen.
const patience = 30 * time.Second

// live is an engine with transactions, on loopback.
type live struct {
	*testing.T
	layer  *Layer
	engine *reactor.Engine
	pool   *x509.CertPool
	cert   tls.Certificate
}

// run starts an engine with sockets of all transports that r routes.
func run(t *testing.T, r *routes, cfg Config, change ...func(*reactor.Config)) *live {
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
	l := &live{T: t, pool: x509.NewCertPool()}
	l.pool.AppendCertsFromPEM(certPEM)
	if l.cert, err = tls.X509KeyPair(certPEM, keyPEM); err != nil {
		t.Fatal(err)
	}
	ec := reactor.DefaultConfig()
	for _, s := range []*reactor.StreamConfig{&ec.TLS, &ec.TCP} {
		s.LocalConnectTimeout, s.LocalHandshakeTimeout, s.HandshakeTimeout, s.SendTimeout = time.Second, time.Second, patience, patience
	}
	for _, p := range []reactor.Proto{reactor.TLS, reactor.TCP, reactor.UDP} {
		ec.Sockets = append(ec.Sockets, reactor.SocketConfig{Proto: p, Addr: netip.MustParseAddrPort("127.0.0.1:0")})
	}
	for _, f := range change {
		f(&ec)
	}
	ec.Domains = set
	ec.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	p, err := proxy.New(proxy.Config{Logger: ec.Logger, Resolver: r.names}, r)
	if err != nil {
		t.Fatal(err)
	}
	l.layer = NewLayer(cfg, p)
	r.l = l.layer
	l.layer.SetScript(scripted{r})
	if l.engine, err = reactor.New(ec, p); err != nil {
		t.Fatal(err)
	}
	l.layer.Start(l.engine)
	if err = l.engine.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := l.engine.Stop(ctx); err != nil {
			t.Errorf("Stop: %v", err)
		}
		l.layer.Stop()
	})
	return l
}

func (l *live) at(p reactor.Proto) string {
	for _, s := range l.engine.Sockets() {
		if s.Proto == p {
			return s.Addr.String()
		}
	}
	l.Fatal("no socket")
	return ""
}

// settled waits until no transaction waits for its answer.
func (l *live) settled() {
	l.Helper()
	for end := time.Now().Add(patience); l.layer.owed.Load() > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			l.Fatalf("%d answers are owed", l.layer.owed.Load())
		}
	}
}

// agent is a user agent: one socket, by which it sends to one place, or answers where it was asked.
type agent struct {
	*testing.T
	proto string
	name  string // host:port, as others reach it
	in    chan string
	write func(text string) // set when ready is closed
	ready chan struct{}
	loss  float64 // of what it sends and gets, each; as much comes twice
}

// dial makes an agent that speaks to a socket of the engine's.
func (l *live) dial(proto reactor.Proto, loss float64) *agent {
	l.Helper()
	a := &agent{T: l.T, proto: strings.ToUpper(proto.String()), in: make(chan string, 100), ready: make(chan struct{}), loss: loss}
	var c net.Conn
	var err error
	switch proto {
	case reactor.UDP:
		u, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:0")))
		if err != nil {
			l.Fatal(err)
		}
		l.Cleanup(func() { u.Close() })
		a.name = u.LocalAddr().String()
		to := net.UDPAddrFromAddrPort(netip.MustParseAddrPort(l.at(proto)))
		a.write = a.lossy(func(text string) { _, _ = u.WriteTo([]byte(text), to) })
		close(a.ready)
		go func() {
			b := make([]byte, 65536)
			for {
				n, _, err := u.ReadFrom(b)
				if err != nil {
					return
				}
				text := string(b[:n])
				a.lossy(func(text string) { a.in <- text })(text)
			}
		}()
		return a
	case reactor.TCP:
		c, err = net.Dial("tcp", l.at(proto))
	default:
		c, err = tls.Dial("tcp", l.at(proto), &tls.Config{RootCAs: l.pool, ServerName: "localhost", Certificates: []tls.Certificate{l.cert}})
	}
	if err != nil {
		l.Fatal(err)
	}
	a.name = c.LocalAddr().String()
	a.over(c)
	return a
}

// over has the agent speak by a stream.
func (a *agent) over(c net.Conn) {
	a.Cleanup(func() { c.Close() })
	var mu sync.Mutex
	a.write = func(text string) {
		mu.Lock()
		defer mu.Unlock()
		_, _ = c.Write([]byte(text))
	}
	close(a.ready)
	go func() {
		var f sipframe.Framer
		b, fill := make([]byte, 1<<17), 0
		for {
			n, err := c.Read(b[fill:])
			if err != nil {
				return
			}
			fill += n
			for {
				cut := f.Next(&sipframe.FramerConfig{}, b[:fill])
				if cut.Kind != sipframe.Frame {
					break
				}
				a.in <- string(b[cut.Start:cut.End])
				fill = copy(b, b[cut.End:fill])
			}
		}
	}()
}

// listen makes an agent that the engine reaches by a URI.
func (l *live) listen(proto reactor.Proto, loss float64) *agent {
	l.Helper()
	if proto == reactor.UDP {
		return l.dial(proto, loss)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		l.Fatal(err)
	}
	l.Cleanup(func() { ln.Close() })
	a := &agent{T: l.T, proto: strings.ToUpper(proto.String()), in: make(chan string, 100), ready: make(chan struct{}), name: ln.Addr().String()}
	go func() {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		if proto == reactor.TLS {
			c = tls.Server(c, &tls.Config{Certificates: []tls.Certificate{l.cert}})
		}
		a.over(c)
	}()
	return a
}

// send sends a message, once there is a connection.
func (a *agent) send(text string) {
	<-a.ready
	a.write(text)
}

// lossy loses some of what it is given and gives some twice.
func (a *agent) lossy(f func(string)) func(string) {
	return func(text string) {
		switch r := rand.Float64(); {
		case r < a.loss:
		case r < 2*a.loss:
			f(text)
			f(text)
		default:
			f(text)
		}
	}
}

func (a *agent) uri(user string) string {
	return fmt.Sprintf("sip:%s@%s;transport=%s", user, a.name, strings.ToLower(a.proto))
}

// expect waits for a message that begins so, and skips others.
func (a *agent) expect(start string) string {
	a.Helper()
	end := time.After(patience)
	var seen []string
	for {
		select {
		case text := <-a.in:
			if strings.HasPrefix(text, start) {
				return text
			}
			line, _, _ := strings.Cut(text, "\r\n")
			seen = append(seen, line)
		case <-end:
			a.Fatalf("no %q; there were %q", start, seen)
		}
	}
}

// ask sends a request; more are header lines, with "+" in front ones that come on top.
func (a *agent) ask(method, uri, callID, branch string, more ...string) {
	lines := []string{method + " " + uri + " SIP/2.0", "Via: SIP/2.0/" + a.proto + " " + a.name + ";branch=z9hG4bK" + branch, "Max-Forwards: 70",
		"From: <sip:alice@example.com>;tag=a1", "To: <" + uri + ">", "Call-ID: " + callID, "CSeq: 1 " + method,
		"Contact: <sip:alice@" + a.name + ";transport=" + strings.ToLower(a.proto) + ">"}
	for _, m := range more {
		name, _, _ := strings.Cut(m, ":")
		replaced := false
		for i := range lines {
			if strings.HasPrefix(lines[i], name+":") {
				lines[i], replaced = m, true
			}
		}
		if !replaced {
			lines = append(lines, m)
		}
	}
	a.send(strings.Join(lines, "\r\n") + "\r\nContent-Length: 0\r\n\r\n")
}

// answerTo answers a request.
func (a *agent) answerTo(req, status string, more ...string) {
	a.Helper()
	a.send(answer(a.T, sent{text: req, to: reactor.Target{Addr: netip.MustParseAddrPort("127.0.0.1:1")}}, status, more...))
}
