package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"sipreactor/cmd/sipreactor/load"
	"sipreactor/reactor"
	"sipreactor/reactor/script"
	"sipreactor/sipframe"
	"sipreactor/tlsstate"
)

// statefulRoutes is what routes the calls that the demo makes by transactions. The ports are those of two trunks.
const statefulRoutes = `
socket=tls:127.0.0.1:5061
loadmodule "proto_tls.so"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "sipmsgops.so"
route {
	if (is_method("CANCEL") || is_method("ACK") && t_check_trans()) { t_relay(); exit; }
	if (has_totag()) { loose_route(); t_relay(); exit; }
	record_route();
	if ($rU != "trunks") { t_relay(); exit; }
	$du = "sip:127.0.0.1:%d;transport=tls";
	t_on_failure("next");
	if (!t_relay("no-auto-477")) route(second);
}
failure_route[next] {
	if (!t_was_cancelled() && t_check_status("408|503")) route(second);
}
route[second] {
	$du = "sip:127.0.0.1:%d;transport=tls";
	t_relay();
}
`

// stateful is an engine with transactions, a caller and whom it calls.
type stateful struct {
	d      *demo
	node   *node
	caller *phone
	dead   net.Listener // a trunk that takes connections and hangs up
	trunk  *callee
	callee *callee
	ended  sync.WaitGroup // of the dead trunk
	dir    string         // the engine's state_dir

	mu     sync.Mutex
	ladder *ladder // of the call under way
}

// callee is a phone that waits for one connection.
type callee struct {
	*phone
	ln       net.Listener
	accepted sync.WaitGroup
}

func newCallee(user string, rings bool, cfg *tls.Config, trace func(sent bool, text string)) (*callee, error) {
	ln, err := tls.Listen("tcp", "127.0.0.1:0", cfg)
	if err != nil {
		return nil, err
	}
	c := &callee{phone: &phone{user: user, agent: "demo", rings: rings, trace: trace}, ln: ln}
	c.accepted.Go(func() {
		if conn, err := ln.Accept(); err == nil {
			c.speak(conn)
		}
	})
	return c, nil
}

func (c *callee) port() uint16 { return portOf(c.ln) }

func (c *callee) close() {
	c.ln.Close()
	c.accepted.Wait()
	c.phone.close()
}

func portOf(ln net.Listener) uint16 { return uint16(ln.Addr().(*net.TCPAddr).Port) }

// calls by transactions: one that is answered, one that goes over a second trunk, and one that is canceled.
func (d *demo) stateful(ctx context.Context, log io.Writer) (clean bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, 3*demoPatience)
	defer cancel()
	s := &stateful{d: d}
	defer s.close()
	if err := s.start(ctx, log); err != nil {
		return false, err
	}
	own := s.node.engine.Sockets()[0].Addr.String()
	for _, one := range []struct {
		title, end string
		uri        string
		names      []string
		canceled   bool
	}{
		{"The same by a transaction (t_relay): the INVITE is answered 100 at once, and what is lost or comes twice ends here:",
			"", fmt.Sprintf("sip:trunk@127.0.0.1:%d;transport=tls", s.trunk.port()), []string{"caller", "sipreactor", "callee"}, false},
		{"A serial fork: the first trunk takes the connection and hangs up, the failure_route has the second one:",
			"", "sip:trunks@" + own + ";transport=tls", []string{"caller", "sipreactor", "trunks"}, false},
		{"The caller cancels while it rings:",
			"", fmt.Sprintf("sip:bob@127.0.0.1:%d;transport=tls", s.callee.port()), []string{"caller", "sipreactor", "callee"}, true},
	} {
		l := &ladder{names: one.names}
		s.watch(l)
		do := s.call
		if one.canceled {
			do = s.canceledCall
		}
		ok, err := do(ctx, one.uri)
		l.finish()
		if err != nil {
			return false, err
		}
		fmt.Fprintf(d.out, "%s\n\n", one.title)
		l.draw(d.out)
		fmt.Fprintln(d.out)
		if !ok {
			return false, nil
		}
	}
	return true, nil
}

// start opens all of them.
func (s *stateful) start(ctx context.Context, log io.Writer) error {
	ca, err := load.NewAuthority()
	if err != nil {
		return err
	}
	server, err := ca.ServerConfig(s.d.cert, "127.0.0.1")
	if err != nil {
		return err
	}
	if s.trunk, err = newCallee("trunk", false, server, s.trace(colUAS)); err != nil {
		return err
	}
	if s.callee, err = newCallee("bob", true, server, s.trace(colUAS)); err != nil {
		return err
	}
	if s.dead, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return err
	}
	s.ended.Go(func() {
		for {
			c, err := s.dead.Accept()
			if err != nil {
				return
			}
			time.Sleep(2 * slowHandshake) // the call is parked by then
			c.Close()
		}
	})
	cert, key, err := ca.Issue(s.d.cert, "127.0.0.1")
	if err != nil {
		return err
	}
	cfg, err := loader().Compile("demo", fmt.Appendf(nil, statefulRoutes, portOf(s.dead), s.trunk.port()))
	if err != nil {
		return err
	}
	if s.dir, err = os.MkdirTemp("", "sipreactor-demo"); err != nil {
		return err
	}
	cfg.StateDir, cfg.Engine.TLS.HandshakeTimeout = s.dir, demoPatience
	never := false
	cfg.TLS.Domains = []tlsstate.DomainConfig{
		{Name: "demo", Role: tlsstate.Server, VerifyCert: &never, RequireCert: &never, Certificates: []tlsstate.KeyPair{{CertificatePEM: cert, PrivateKeyPEM: key}}},
		{Name: "demo", Role: tlsstate.Client, CAPEM: ca.PEM},
	}
	sockets := []reactor.SocketConfig{{Proto: reactor.TLS, Addr: netip.MustParseAddrPort("127.0.0.1:0")}}
	if s.node, err = assemble(cfg, sockets, newLogger(log, script.LevelError, ""), s); err != nil {
		return err
	}
	if err := s.node.start(cfg, levelsOf(cfg), func() {}); err != nil {
		s.node = nil // closed already
		return err
	}
	s.caller = &phone{user: "alice", domain: "127.0.0.1", agent: "demo", rang: make(chan struct{}, 8), trace: s.trace(colUAC)}
	return s.caller.connect(ctx, s.node.engine.Sockets()[0].Addr.String(), ca.ClientConfig())
}

func (s *stateful) close() {
	if s.caller != nil {
		s.caller.close()
	}
	if s.node != nil {
		ctx, cancel := context.WithTimeout(context.Background(), closeLimit)
		defer cancel()
		defer s.node.close()
		if err := s.node.engine.Stop(ctx); err != nil {
			s.node.log.Warn("not everything was finished", "error", err)
		}
	}
	for _, c := range []*callee{s.trunk, s.callee} {
		if c != nil {
			c.close()
		}
	}
	if s.dead != nil {
		s.dead.Close()
		s.ended.Wait()
	}
	if s.dir != "" {
		_ = os.RemoveAll(s.dir) // which is the system's for things that may stay
	}
}

// watch has what happens drawn by l from now on.
func (s *stateful) watch(l *ladder) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ladder = l
}

func (s *stateful) drawing() *ladder {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ladder
}

// trace draws the messages of an end.
func (s *stateful) trace(who column) func(sent bool, text string) {
	return func(sent bool, text string) {
		switch l := s.drawing(); {
		case l == nil:
		case sent:
			l.message(who, colEngine, text)
		default:
			l.message(colEngine, who, text)
		}
	}
}

// Observe draws the states of connections that the engine opens: reactor.Observer.
func (s *stateful) Observe(e *reactor.Event) {
	l := s.drawing()
	if l == nil || !e.Src.Outbound {
		return
	}
	text := e.Kind.String()
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	switch e.Src.Remote.Port() {
	case portOf(s.dead):
		text = "1: " + text
	case s.trunk.port():
		if l.names[colUAS] == "trunks" {
			text = "2: " + text
		}
	}
	l.step(e.Time, colEngine, colUAS, text)
}

// call makes one that is answered and ended, and reports whether it went well.
func (s *stateful) call(ctx context.Context, uri string) (bool, error) {
	k := &call{uri: uri}
	r, err := s.caller.invite(ctx, k)
	if err != nil || r.StatusCode() != 200 {
		return false, err
	}
	k.method = "BYE"
	r, err = s.caller.request(ctx, k)
	return err == nil && r.StatusCode() == 200, err
}

// canceledCall makes one that is canceled while it rings, and reports whether it was.
func (s *stateful) canceledCall(ctx context.Context, uri string) (bool, error) {
	p := s.caller
	for len(p.rang) > 0 { // of the calls before
		<-p.rang
	}
	k := &call{method: "INVITE", uri: uri, cseq: 1}
	p.begin(k)
	if err := p.send(k, "INVITE", ""); err != nil {
		return false, err
	}
	select {
	case <-p.rang:
	case <-ctx.Done():
		return false, ctx.Err()
	}
	if err := p.send(k, "CANCEL", ""); err != nil {
		return false, err
	}
	canceled := false
	for range 2 { // of the CANCEL and of the INVITE
		r, err := p.final(ctx)
		if err != nil {
			return false, err
		}
		if _, method, _ := r.CSeq(); sipframe.MethodOf(method) == sipframe.INVITE {
			canceled = r.StatusCode() == 487
			k.to = string(r.Value(sipframe.HeaderTo))
		}
	}
	if err := p.send(k, "ACK", ""); err != nil {
		return false, err
	}
	for len(s.callee.requests("ACK")) == 0 { // it belongs into the picture
		select {
		case <-time.After(time.Millisecond):
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
	return canceled, nil
}
