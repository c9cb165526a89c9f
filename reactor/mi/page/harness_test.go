package page

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"sipreactor/reactor"
	"sipreactor/reactor/internal/waittest"
	"sipreactor/reactor/mi"
	"sipreactor/reactor/mi/peers"
	"sipreactor/reactor/proxy"
	"sipreactor/reactor/rpc"
	"sipreactor/tlsstate"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// The pool of the engine's network library lives as long as the process.
		goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*poolCommon).purgeStaleWorkers"),
		goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*poolCommon).ticktock"),
		goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*goWorker).run.func1"),
	)
}

// patience bounds what a test waits for; nothing is asserted about time.
const patience = 20 * time.Second

// options answers every OPTIONS with 200, and forwards the rest by its URI.
type options struct{}

func (options) Request(c *proxy.Context) {
	if string(c.Msg.MethodName()) == "OPTIONS" {
		_ = c.Respond(200, []byte("OK"))
		return
	}
	_ = c.Forward(nil)
}
func (options) Response(*proxy.Context) {}

// both are two observers.
type both [2]reactor.Observer

func (b both) Observe(e *reactor.Event) {
	for _, one := range b {
		one.Observe(e)
	}
}

// bench is an engine that runs, with a recorder, and its commands.
type bench struct {
	t     *testing.T
	node  *mi.Node
	rec   *Recorder
	d     *rpc.Dispatcher
	pair  tls.Certificate // certificate of the engine's, with which peers may come too
	socks map[reactor.Proto]string
}

func newBench(t *testing.T) *bench {
	t.Helper()
	certPEM, keyPEM, err := tlsstate.Ephemeral([]string{"127.0.0.1", "edge.example"}, false)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, rec: NewRecorder(), socks: make(map[reactor.Proto]string)}
	t.Cleanup(b.rec.Close)
	if b.pair, err = tls.X509KeyPair(certPEM, keyPEM); err != nil {
		t.Fatal(err)
	}
	no, yes := false, true
	own := []tlsstate.KeyPair{{CertificatePEM: certPEM, PrivateKeyPEM: keyPEM}}
	set, err := tlsstate.Build(tlsstate.Config{Domains: []tlsstate.DomainConfig{
		{Name: "edge", Role: tlsstate.Server, VerifyCert: &yes, RequireCert: &no, Certificates: own, CAPEM: certPEM},
		{Name: "out", Role: tlsstate.Client, VerifyCert: &no},
	}})
	if err != nil {
		t.Fatal(err)
	}
	table := peers.New([]string{"trunk.example"})
	p, err := proxy.New(proxy.Config{Observer: table}, options{})
	if err != nil {
		t.Fatal(err)
	}
	cfg := reactor.DefaultConfig()
	cfg.Domains, cfg.Observer = set, both{b.rec, table}
	cfg.ConnectTimeout, cfg.ParkedTimeout, cfg.MaxMessageTime, cfg.TLS.LocalConnectTimeout = patience, patience, patience, patience
	cfg.TLS.HandshakeTimeout, cfg.TLS.SendTimeout, cfg.TLS.MaxPostponed = patience, patience, 10000
	for _, proto := range []reactor.Proto{reactor.TLS, reactor.TCP} {
		cfg.Sockets = append(cfg.Sockets, reactor.SocketConfig{Proto: proto, Addr: netip.MustParseAddrPort("127.0.0.1:0")})
	}
	e, err := reactor.New(cfg, p)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		_ = e.Stop(ctx) // a connect under way may be cut off
	})
	for _, s := range e.Sockets() {
		b.socks[s.Proto] = s.Addr.String()
	}
	b.rec.Start(e)
	b.node = &mi.Node{Version: "sipreactor (test)", Started: time.Now(), Engine: e, Proxy: p, Peers: table.Peers, Domains: set.Domains}
	b.d = rpc.NewDispatcher(nil)
	if err := b.d.Register(append(b.node.Commands(), Commands(b.node, b.rec)...)...); err != nil {
		t.Fatal(err)
	}
	return b
}

// call carries out a command; the refusal, if it is one.
func (b *bench) call(method string, params, result any) *rpc.Error {
	b.t.Helper()
	p, err := json.Marshal(params)
	if err != nil {
		b.t.Fatal(err)
	}
	got := b.d.Handle(b.t.Context(), fmt.Appendf(nil, `{"jsonrpc":"2.0","id":1,"method":%q,"params":%s}`, method, p))
	var r struct {
		Result json.RawMessage
		Error  *rpc.Error
	}
	if err := json.Unmarshal(got, &r); err != nil {
		b.t.Fatalf("%s: %v", got, err)
	}
	if r.Error == nil && result != nil {
		if err := json.Unmarshal(r.Result, result); err != nil {
			b.t.Fatalf("%s: %v", r.Result, err)
		}
	}
	return r.Error
}

// overview gives the next overview that satisfies a condition.
func (b *bench) overview(what string, holds func(o *sampled) bool) *sampled {
	b.t.Helper()
	var o *sampled
	waittest.For(b.t, what, func() bool {
		o = &sampled{overview: new(overview)}
		if bad := b.call("overview", []int{0}, o); bad != nil {
			b.t.Fatal(bad)
		}
		return holds(o)
	})
	return o
}

// details gives what is known of a connection.
func (b *bench) details(id string) *details {
	b.t.Helper()
	d := new(details)
	if bad := b.call("conn_details", []string{id}, d); bad != nil {
		b.t.Fatal(bad)
	}
	return d
}

// dial connects by TLS, with a certificate or without.
func (b *bench) dial(known bool) *tls.Conn {
	b.t.Helper()
	cfg := &tls.Config{InsecureSkipVerify: true}
	if known {
		cfg.Certificates = []tls.Certificate{b.pair}
	}
	c, err := tls.DialWithDialer(&net.Dialer{Timeout: patience}, "tcp", b.socks[reactor.TLS], cfg)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(patience))
	return c
}

// speak sends a request, and waits for an answer if it is OPTIONS.
func (b *bench) speak(c net.Conn, method, uri string) {
	b.t.Helper()
	fmt.Fprintf(c, "%s %s SIP/2.0\r\nVia: SIP/2.0/TLS 192.0.2.9;branch=z9hG4bKp\r\nMax-Forwards: 70\r\n"+
		"From: <sip:a@example.com>;tag=1\r\nTo: <sip:edge.example>\r\nCall-ID: p\r\nCSeq: 1 %s\r\nContent-Length: 0\r\n\r\n", method, uri, method)
	if method != "OPTIONS" {
		return
	}
	if answer := b.hear(c); !strings.HasPrefix(answer, "SIP/2.0 200") {
		b.t.Fatal(answer)
	}
}

// hear gives the next answer, which has no body.
func (b *bench) hear(c net.Conn) string {
	b.t.Helper()
	var answer []byte
	for !bytes.HasSuffix(answer, []byte("\r\n\r\n")) {
		part := make([]byte, 4096)
		n, err := c.Read(part)
		if err != nil {
			b.t.Fatalf("%q, %v", answer, err)
		}
		answer = append(answer, part[:n]...)
	}
	return string(answer)
}
