package hep

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/internal/waittest"
	"sipreactor/sipframe"
	"sipreactor/tlsstate"
	"sipreactor/tlsstate/tlstest"
)

// relay is a Handler that answers OPTIONS and ACK with its own bytes, and sends
// anything else to a target.
type relay struct {
	tracer *Tracer
	target atomic.Pointer[reactor.Target]
}

func (r *relay) Message(w *reactor.Worker, f *reactor.Frame) {
	traceMessage(r.tracer, f.Src, f.Data, false)
	to := &reactor.Target{Conn: f.Src.Conn}
	if m := string(f.Data); !strings.HasPrefix(m, "OPTIONS") && !strings.HasPrefix(m, "ACK") {
		to = r.target.Load()
	}
	if _, err := w.Send(to, reactor.Bytes(f.Data)); err == nil {
		traceMessage(r.tracer, f.Src, f.Data, true)
	}
}

func (r *relay) Malformed(*reactor.Worker, *reactor.Frame, sipframe.Defect) {}
func (r *relay) Undelivered(*reactor.Worker, *reactor.Undelivered)          {}

// site is an engine on loopback whose connections are traced.
type site struct {
	*reactor.Engine
	*collector
	t      *testing.T
	sender *Sender
	relay  *relay
	tracer *Tracer
	pair   tls.Certificate
	roots  *x509.CertPool
}

func build(t *testing.T, transport Transport, change func(*SenderConfig)) *site {
	t.Helper()
	s := &site{t: t, collector: collect(t, transport, nil), roots: x509.NewCertPool()}
	s.sender = send(t, s.dest, change)
	s.tracer = New(Config{TLS: Lane{To: s.sender, On: true}, SIP: SIP{IDs: only(s.sender)}, Secrets: true})
	s.relay = &relay{tracer: s.tracer}
	certPEM, keyPEM, err := tlsstate.Ephemeral([]string{"127.0.0.1", "localhost"}, false)
	if err != nil {
		t.Fatal(err)
	}
	if s.pair, err = tls.X509KeyPair(certPEM, keyPEM); err != nil {
		t.Fatal(err)
	}
	s.roots.AppendCertsFromPEM(certPEM)
	no := false
	pairs := []tlsstate.KeyPair{{CertificatePEM: certPEM, PrivateKeyPEM: keyPEM}}
	set, err := tlsstate.Build(tlsstate.Config{Domains: []tlsstate.DomainConfig{
		{Name: "in", Role: tlsstate.Server, VerifyCert: &no, Certificates: pairs},
		{Name: "out", Role: tlsstate.Client, VerifyDomain: &no, CAPEM: certPEM, Certificates: pairs},
	}, Secrets: s.tracer.WantSecrets})
	if err != nil {
		t.Fatal(err)
	}
	cfg := reactor.DefaultConfig()
	cfg.Sockets = []reactor.SocketConfig{{Proto: reactor.TLS, Addr: netip.MustParseAddrPort("127.0.0.1:0")}}
	cfg.Domains, cfg.Observer = set, s.tracer
	cfg.TLS.MaxChunks = 0
	for _, d := range []*time.Duration{&cfg.ConnectTimeout, &cfg.ParkedTimeout, &cfg.MaxMessageTime, &cfg.TLS.LocalConnectTimeout, &cfg.TLS.LocalHandshakeTimeout,
		&cfg.TLS.HandshakeTimeout, &cfg.TLS.SendTimeout} {
		*d = patience
	}
	if s.Engine, err = reactor.New(cfg, s.relay); err != nil {
		t.Fatal(err)
	}
	if err = s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.stop)
	return s
}

// stop ends the engine, if it runs.
func (s *site) stop() {
	if s.Engine == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := s.Stop(ctx); err != nil {
		s.t.Errorf("Stop: %v", err)
	}
	s.Engine = nil
	(&bench{Tracer: s.tracer, collector: s.collector}).empty()
}

func (s *site) addr() string { return s.Sockets()[0].Addr.String() }

func (s *site) dial() net.Conn {
	s.t.Helper()
	c, err := tls.Dial("tcp", s.addr(), &tls.Config{RootCAs: s.roots})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(patience))
	return c
}

// exchange sends a message and reads as many bytes back.
func exchange(t *testing.T, c net.Conn, message string) {
	t.Helper()
	if _, err := io.WriteString(c, message); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(c, make([]byte, len(message))); err != nil {
		t.Fatal(err)
	}
}

// event finds the n-th packet with a kind.
func (s *site) event(kind Kind) (Packet, map[string]string) {
	s.t.Helper()
	var p Packet
	var m map[string]string
	waittest.For(s.t, string(kind)+" is told", func() bool {
		for _, p = range s.got() {
			if p.Type == PayloadNet {
				if m = object(s.t, p); m["Event"] == string(kind) {
					return true
				}
			}
		}
		return false
	})
	return p, m
}

const (
	options = "OPTIONS sip:a SIP/2.0\r\nContent-Length: 0\r\n\r\n"
	invite  = "INVITE sip:a SIP/2.0\r\nContent-Length: 0\r\n\r\n"
	// ack has no answer, so its sender's end of the stream is the connection's.
	ack = "ACK sip:a SIP/2.0\r\nContent-Length: 0\r\n\r\n"
)

func TestEngineAcceptedAndClosed(t *testing.T) {
	for _, transport := range []Transport{UDP, TCP, TLS} {
		t.Run(string(transport), func(t *testing.T) {
			s := build(t, transport, nil)
			c := s.dial()
			exchange(t, c, ack)
			opened, m := s.event(Accepted)
			if opened.Source.String() != c.LocalAddr().String() || opened.Target.String() != c.RemoteAddr().String() {
				t.Errorf("from %v to %v, the connection is %v", opened.Source, opened.Target, c.LocalAddr())
			}
			const self = "/CN=sipreactor ephemeral"
			if m["server-subject"] != self || m["server-issuer"] != self || m["client-subject"] != "" || m["Status"] != "SUCCESS" {
				t.Errorf("opened with %v", m)
			}
			c.Close()
			closed, m := s.event(Closed)
			if !strings.HasPrefix(m["Message"], "peer closed") || m["Status"] != "SUCCESS" {
				t.Errorf("closed with %v", m)
			}
			if closed.Source != opened.Source || closed.Target != opened.Target || string(closed.Correlation) != string(opened.Correlation) {
				t.Errorf("closed is %+v\nopened %+v", closed, opened)
			}
			if n := len(s.got()); n != 2 {
				t.Errorf("%d packets:\n%s", n, outline(t, s.got()))
			}
		})
	}
}

func TestEngineHandshakeFails(t *testing.T) {
	s := build(t, TCP, nil)
	c, err := net.Dial("tcp", s.addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, _ = io.WriteString(c, options)
	p, m := s.event(Accepted)
	if m["Status"] != "FAILURE" || !strings.Contains(m["Message"], tlsstate.ReasonPlainText) || p.Source.String() != c.LocalAddr().String() {
		t.Errorf("%v from %v", m, p.Source)
	}
	s.stop()
	if n := len(s.got()); n != 1 {
		t.Errorf("told\n%s", outline(t, s.got()))
	}
}

// Our own connections: one that is up, one that is refused.
func TestEngineConnects(t *testing.T) {
	s := build(t, TCP, nil)
	ln, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{s.pair}})
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	got := make(chan struct{})
	go func() {
		defer close(got)
		c, err := ln.Accept()
		if err != nil {
			return
		}
		_, _ = io.ReadFull(c, make([]byte, len(invite)))
		c.Close()
	}()
	s.relay.target.Store(&reactor.Target{Proto: reactor.TLS, Addr: netip.MustParseAddrPort(ln.Addr().String()), Name: "127.0.0.1"})
	if _, err = io.WriteString(s.dial(), invite); err != nil {
		t.Fatal(err)
	}
	p, m := s.event(Connected)
	if m["Status"] != "SUCCESS" || m["client-subject"] == "" || p.Source.String() != ln.Addr().String() || p.Target.Port() == 0 {
		t.Errorf("%v from %v to %v", m, p.Source, p.Target)
	}
	<-got
	if _, m = s.event(Closed); !strings.HasPrefix(m["Message"], "peer closed") {
		t.Errorf("closed with %v", m)
	}
}

func TestEngineConnectRefused(t *testing.T) {
	s := build(t, TCP, nil)
	nobody := tlstest.Refusing(t)
	s.relay.target.Store(&reactor.Target{Proto: reactor.TLS, Addr: nobody, Name: "127.0.0.1"})
	if _, err := io.WriteString(s.dial(), invite); err != nil {
		t.Fatal(err)
	}
	p, m := s.event(Connected)
	if m["Status"] != "FAILURE" || !strings.HasPrefix(m["Message"], "connect failed: ") || p.Source != nobody {
		t.Errorf("%v from %v", m, p.Source)
	}
}

// A shutdown is told like any other end, before the collector is let go.
func TestEngineShutdown(t *testing.T) {
	s := build(t, TCP, nil)
	for range 5 {
		exchange(t, s.dial(), options)
	}
	s.stop()
	s.sender.Close()
	var opened, ended int
	for _, p := range s.await(10) {
		switch m := object(t, p); m["Event"] {
		case "ACCEPTED":
			opened++
		case "CLOSED":
			ended++
			if m["Message"] != "shutdown" {
				t.Errorf("closed with %v", m)
			}
		}
	}
	if opened != 5 || ended != 5 {
		t.Errorf("told\n%s", outline(t, s.got()))
	}
}

func TestEngineMessages(t *testing.T) {
	s := build(t, TCP, nil)
	s.tracer.SwitchMessages(true)
	c := s.dial()
	exchange(t, c, options)
	opened, _ := s.event(Accepted)
	n := 0
	for _, p := range s.await(3) {
		if p.Type != PayloadSIP {
			continue
		}
		n++
		if string(p.Payload) != options || string(p.Correlation) != string(opened.Correlation) {
			t.Errorf("%+v", p)
		}
	}
	if n != 2 {
		t.Errorf("%d messages", n)
	}
}

// Whatever the collector does, traffic flows, and what it has not got is
// counted.
func TestEngineTrafficWithBadCollectors(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0") // the system accepts, nobody reads
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	for name, dial := range map[string]func(context.Context, string, string) (net.Conn, error){
		"dead": dialNothing,
		"hangs": func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		},
		"never reads": func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", silent.Addr().String())
		},
		"flaps": func(ctx context.Context, _, _ string) (net.Conn, error) {
			a, b := net.Pipe()
			b.Close()
			return a, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := build(t, TCP, func(c *SenderConfig) {
				c.Dial, c.Queue, c.Drain = dial, 4, time.Millisecond
			})
			s.tracer.SwitchMessages(true)
			message := "OPTIONS sip:a SIP/2.0\r\nContent-Length: 60000\r\n\r\n" + strings.Repeat("x", 60000)
			c := s.dial()
			rounds := 0
			waittest.For(t, "the losses are counted", func() bool {
				for range 20 {
					exchange(t, c, message)
					rounds++
				}
				return s.sender.Stats().Dropped > 0
			})
			c.Close()
			s.stop()
			s.sender.Close()
			st := s.sender.Stats()
			if want := uint64(2*rounds + 2); st.Sent+st.Dropped < want {
				t.Errorf("%+v of %d", st, want)
			}
		})
	}
}
