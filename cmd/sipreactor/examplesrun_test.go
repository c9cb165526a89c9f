package main

import (
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"sipreactor/cmd/sipreactor/load"
)

// trial is an example configuration that runs: its files are those that its comments show, its addresses are of
// this machine.
type trial struct {
	*testing.T
	dir           string
	ca            *load.Authority
	tls, udp, web string // where it listens
	pbx           *station
	log           *output
}

// try runs an example. What its text and its files name is replaced first, in pairs.
func try(t *testing.T, name string, replaced ...string) *trial {
	t.Helper()
	c := &trial{T: t, dir: t.TempDir(), log: newOutput(), tls: "127.0.0.1:" + freePort(t), udp: "127.0.0.1:" + freePort(t), web: freePort(t)}
	var err error
	if c.ca, err = authority(); err != nil {
		t.Fatal(err)
	}
	if err := c.ca.Write(c.dir, "edge", "ecdsa", "127.0.0.1", "sbc.example.com"); err != nil {
		t.Fatal(err)
	}
	c.pbx = listenUDP(t, "127.0.0.1:0")
	text, ok := example(name)
	if !ok {
		t.Fatalf("there is no example %s", name)
	}
	pairs := append(replaced, "/etc/sipreactor", c.dir, "/etc/ssl/certs/ca-certificates.crt", filepath.Join(c.dir, "ca.pem"), "socket=tls:0.0.0.0:5061", "socket=tls:"+c.tls, "socket=wss:0.0.0.0:443", "socket=wss:"+c.tls,
		"socket=udp:127.0.0.1:5060", "socket=udp:"+c.udp, "127.0.0.1:5080", c.pbx.addr(), "$rp == 5080", "$rp == "+portIn(c.pbx.addr()), "8888", c.web, `"ds_ping_interval", 10`, `"ds_ping_interval", 1`, `"probing_interval", 10`, `"probing_interval", 1`)
	with := strings.NewReplacer(pairs...)
	for name, rows := range filesOf(string(text)) {
		if err := os.WriteFile(filepath.Join(c.dir, filepath.Base(name)), []byte(with.Replace(rows)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	path := config(t, with.Replace(string(text)))
	code := make(chan int, 1)
	go func() { code <- run(t.Context(), []string{"-f", path}, newOutput(), c.log) }()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("log:\n%s", c.log)
		}
	})
	c.log.wait(t, "msg=ready")
	return c
}

// portIn is what stands behind the colon.
func portIn(addr string) string { return addr[strings.LastIndexByte(addr, ':')+1:] }

// mi gives the answer of a management command.
func (c *trial) mi(words ...string) string {
	c.Helper()
	code, out, errs := command(c.T, append([]string{"mi", "--to", "http://127.0.0.1:" + c.web + "/mi"}, words...)...)
	if code != exitOK {
		c.Fatalf("mi %v: %s%s", words, out, errs)
	}
	return out
}

// eventually waits until a condition holds.
func (c *trial) eventually(what string, ok func() bool) {
	c.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			c.Fatalf("never: %s", what)
		}
	}
}

// station answers requests with 200 and keeps what it has seen.
type station struct {
	mu    sync.Mutex
	heard []string // requests, whole
	codes []string // of responses
	at    string
	send  func(text string) // to whom it has heard last, or to an edge
	close func()
}

func (s *station) addr() string { return s.at }

// requests gives those of a method.
func (s *station) requests(method string) (list []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.heard {
		if strings.HasPrefix(r, method+" ") {
			list = append(list, r)
		}
	}
	return list
}

// final gives the last final response that came, "" if none did.
func (s *station) final(callID string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.codes {
		if strings.Contains(r, "Call-ID: "+callID+"\r\n") && r[8] >= '2' {
			return r[8:11]
		}
	}
	return ""
}

// hear takes a message and answers it.
func (s *station) hear(raw string, answer func(string)) {
	if !strings.Contains(raw, "\r\nContent-Length:") { // a datagram needs none
		raw = strings.Replace(raw, "\r\n\r\n", "\r\nContent-Length: 0\r\n\r\n", 1)
	}
	m := new(load.Message)
	if m.Parse([]byte(raw)) != nil {
		return
	}
	s.mu.Lock()
	if m.Request {
		s.heard = append(s.heard, raw)
	} else {
		s.codes = append(s.codes, raw)
	}
	s.mu.Unlock()
	if m.Request && string(m.Method) != "ACK" {
		text := answerTo(m)
		if !strings.Contains(string(m.To), "tag=") {
			text = strings.Replace(text, "\r\nCall-ID:", ";tag=there\r\nCall-ID:", 1)
		}
		for line := range strings.SplitSeq(raw, "\r\n") {
			if strings.HasPrefix(line, "Record-Route:") {
				text = strings.Replace(text, "\r\nFrom:", "\r\n"+line+"\r\nFrom:", 1)
			}
		}
		answer(strings.Replace(text, "\r\nContent-Length:", "\r\nContact: <sip:"+s.at+">\r\nContent-Length:", 1))
	}
}

// listenUDP makes a station that speaks UDP.
func listenUDP(t *testing.T, addr string) *station {
	t.Helper()
	l, err := net.ListenPacket("udp", addr)
	if err != nil {
		t.Fatal(err)
	}
	s := &station{at: l.LocalAddr().String(), close: func() { l.Close() }}
	t.Cleanup(s.close)
	go func() {
		b := make([]byte, 65536)
		for {
			n, from, err := l.ReadFrom(b)
			if err != nil {
				return
			}
			s.hear(string(b[:n]), func(text string) { _, _ = l.WriteTo([]byte(text), from) })
		}
	}()
	s.send = func(text string) {
		to, rest, _ := strings.Cut(text, " ")
		at, err := net.ResolveUDPAddr("udp", to)
		if err == nil {
			_, _ = l.WriteTo([]byte(rest), at)
		}
	}
	return s
}

// listenTLS makes a station that speaks TLS and wants a certificate of who calls.
func listenTLS(t *testing.T, addr string) *station {
	t.Helper()
	ca, err := authority()
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := ca.ServerConfig("ecdsa", "127.0.0.1", "127.0.0.2")
	if err != nil {
		t.Fatal(err)
	}
	cfg.ClientAuth = tls.RequireAnyClientCert
	l, err := tls.Listen("tcp", addr, cfg)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var conns []net.Conn
	s := &station{at: l.Addr().String()}
	s.close = func() {
		l.Close()
		mu.Lock()
		defer mu.Unlock()
		for _, c := range conns {
			c.Close()
		}
	}
	t.Cleanup(s.close)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns = append(conns, c)
			mu.Unlock()
			go s.serve(c)
		}
	}()
	return s
}

// serve reads a connection until its end.
func (s *station) serve(c net.Conn) {
	b, have := make([]byte, 65536), ""
	for {
		n, err := c.Read(b)
		if err != nil {
			return
		}
		have += string(b[:n])
		for {
			end := strings.Index(have, "\r\n\r\n")
			if end < 0 {
				break
			}
			s.hear(have[:end+4], func(text string) { _, _ = c.Write([]byte(text)) })
			have = have[end+4:]
		}
	}
}

// dial makes a station that has a TLS connection to an edge.
func (c *trial) dial(from string) *station {
	c.Helper()
	own, err := tls.LoadX509KeyPair(filepath.Join(c.dir, "edge.pem"), filepath.Join(c.dir, "edge.key"))
	if err != nil {
		c.Fatal(err)
	}
	d := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: patience}
	conn, err := tls.DialWithDialer(d, "tcp", c.tls, &tls.Config{InsecureSkipVerify: true, Certificates: []tls.Certificate{own}})
	if err != nil {
		c.Fatal(err)
	}
	c.Cleanup(func() { conn.Close() })
	s := &station{at: conn.LocalAddr().String()}
	s.send = func(text string) {
		_, rest, _ := strings.Cut(text, " ")
		_, _ = conn.Write([]byte(rest))
	}
	go s.serve(conn)
	return s
}

// call sends an INVITE and gives the code of its final response.
func (c *trial) call(from *station, transport, to, uri, callID string) string {
	c.Helper()
	from.send(fmt.Sprintf("%s INVITE %s SIP/2.0\r\nVia: SIP/2.0/%s %s;branch=z9hG4bK%s\r\nMax-Forwards: 70\r\nFrom: <sip:a@example.com>;tag=1\r\nTo: <%s>\r\n"+
		"Call-ID: %s\r\nCSeq: 1 INVITE\r\nContact: <sip:a@%s>\r\nContent-Length: 0\r\n\r\n", to, uri, transport, from.at, callID, uri, callID, from.at))
	code := ""
	c.eventually("the call "+callID+" is answered", func() bool { code = from.final(callID); return code != "" })
	return code
}

func TestExampleCommand(t *testing.T) {
	code, out, _ := command(t, "example")
	for _, name := range exampleNames {
		if !strings.Contains(out, "  "+name+" ") {
			t.Errorf("the list lacks %s", name)
		}
		if c, text, _ := command(t, "example", name); c != exitOK || !strings.Contains(text, "route") {
			t.Errorf("%s: exit code %d", name, c)
		}
	}
	if code != exitOK {
		t.Errorf("exit code %d", code)
	}
	if code, _, errs := command(t, "example", "nothing"); code != exitUsage || !strings.Contains(errs, "load-balancer") {
		t.Errorf("exit code %d: %s", code, errs)
	}
}

// TestExampleLoadBalancer: two boxes share the calls; when one dies no call fails, and it is seen and taken out.
func TestExampleLoadBalancer(t *testing.T) {
	one, two := listenTLS(t, "127.0.0.2:0"), listenTLS(t, "127.0.0.2:0")
	c := try(t, "load-balancer", "192.0.2.11:5061", one.at, "192.0.2.12:5061", two.at)
	caller := c.dial("127.0.0.1")
	for i := range 4 {
		if code := c.call(caller, "TLS", "", "sip:bob@example.com", fmt.Sprintf("before%d", i)); code != "200" {
			t.Fatalf("call %d: %s", i, code)
		}
	}
	if a, b := len(one.requests("INVITE")), len(two.requests("INVITE")); a != 2 || b != 2 {
		t.Errorf("calls %d and %d", a, b)
	}
	c.eventually("both are pinged", func() bool { return len(one.requests("OPTIONS")) > 0 && len(two.requests("OPTIONS")) > 0 })
	one.close()
	for i := range 6 {
		if code := c.call(caller, "TLS", "", "sip:bob@example.com", fmt.Sprintf("after%d", i)); code != "200" {
			t.Fatalf("call %d with a dead box: %s", i, code)
		}
	}
	c.eventually("the dead box is out", func() bool { return strings.Contains(c.mi("ds_list"), "Probing") })
	if list := c.mi("destinations"); !strings.Contains(list, "Probing") || !strings.Contains(list, "a ping ") && !strings.Contains(list, "script") {
		t.Errorf("destinations: %s", list)
	}
	if code := c.call(caller, "TLS", "", "sip:bob@elsewhere.example", "stranger"); code != "403" {
		t.Errorf("a call to elsewhere: %s", code)
	}
}

// TestExampleTrunkEdge: the PBX calls out though a gateway is dead, and is called by a carrier.
func TestExampleTrunkEdge(t *testing.T) {
	alive, other := listenTLS(t, "127.0.0.2:0"), listenTLS(t, "127.0.0.2:0")
	c := try(t, "trunk-edge", "192.0.2.11:5061", "127.0.0.2:"+freePort(t), "192.0.2.12:5061", alive.at, "192.0.2.21:5061", other.at)
	for i := range 5 {
		if code := c.call(c.pbx, "UDP", c.udp, "sip:+331@"+c.udp, fmt.Sprintf("out%d", i)); code != "200" {
			t.Fatalf("call %d: %s", i, code)
		}
	}
	if n := len(alive.requests("INVITE")); n != 5 {
		t.Errorf("the other gateway of the first carrier has %d calls", n)
	}
	if code := c.call(c.pbx, "UDP", c.udp, "sip:49301@"+c.udp, "berlin"); code != "200" {
		t.Errorf("a call by the second carrier: %s", code)
	}
	if calls := other.requests("INVITE"); len(calls) != 1 || !strings.HasPrefix(calls[0], "INVITE sip:009301@127.0.0.2:") {
		t.Errorf("the second carrier has %q", calls)
	}
	c.eventually("the dead gateway is out", func() bool { return strings.Contains(c.mi("dr_gw_status", "gw_id=a1"), "Probing") })
	carrier := c.dial("127.0.0.2")
	if code := c.call(carrier, "TLS", "", "sip:100@example.com", "in"); code != "200" || len(c.pbx.requests("INVITE")) != 1 {
		t.Errorf("a call that comes in: %s", code)
	}
	if code := c.call(c.dial("127.0.0.3"), "TLS", "", "sip:100@example.com", "stranger"); code != "403" {
		t.Errorf("a call of a stranger: %s", code)
	}
	// A number that has a way, but none that is alive now, is not one that does not exist.
	alive.close()
	other.close()
	dead := 0
	c.eventually("all gateways are out", func() bool {
		dead++
		c.call(c.pbx, "UDP", c.udp, "sip:+331@"+c.udp, fmt.Sprintf("dead%d", dead))
		return strings.Count(c.mi("dr_gw_status"), "Probing") == 3
	})
	if code := c.call(c.pbx, "UDP", c.udp, "sip:+331@"+c.udp, "nobody"); code != "503" {
		t.Errorf("a call while all gateways are dead: %s", code)
	}
}

// TestExampleDirectRouting: we are known by our name, in pings and calls.
func TestExampleDirectRouting(t *testing.T) {
	first, second := listenTLS(t, "127.0.0.2:0"), listenTLS(t, "127.0.0.2:0")
	c := try(t, "direct-routing", "sip.pstnhub.microsoft.com:5061", "127.0.0.2:"+freePort(t), "sip2.pstnhub.microsoft.com:5061", first.at,
		"sip3.pstnhub.microsoft.com:5061", second.at, `"ds_ping_interval", 30`, `"ds_ping_interval", 1`)
	c.eventually("pings", func() bool { return len(first.requests("OPTIONS")) > 0 })
	if ping := first.requests("OPTIONS")[0]; !strings.Contains(ping, "\r\nContact: <sip:sbc.example.com:5061;transport=tls>\r\n") || !strings.Contains(ping, "From: <sip:sbc.example.com>;tag=") {
		t.Errorf("ping %s", ping)
	}
	if code := c.call(c.pbx, "UDP", c.udp, "sip:+4930@"+c.udp, "out"); code != "200" {
		t.Fatalf("call: %s", code)
	}
	calls := first.requests("INVITE")
	if len(calls) != 1 || !strings.Contains(calls[0], "Record-Route: <sip:sbc.example.com:5061;transport=tls") || !strings.HasPrefix(calls[0], "INVITE sip:+4930@"+first.at) {
		t.Errorf("the call at the second name: %q", calls)
	}
	if code := c.call(c.dial("127.0.0.2"), "TLS", "", "sip:100@sbc.example.com", "in"); code != "200" || len(c.pbx.requests("INVITE")) != 1 {
		t.Errorf("a call that comes in: %s", code)
	}
	if code := c.call(c.dial("127.0.0.3"), "TLS", "", "sip:100@sbc.example.com", "stranger"); code != "403" {
		t.Errorf("a call of a stranger: %s", code)
	}
}

// TestExampleBridge: a call comes by TLS and reaches the server by UDP, with a Record-Route for each side.
func TestExampleBridge(t *testing.T) {
	c := try(t, "tls-to-udp")
	if code := c.call(c.dial("127.0.0.1"), "TLS", "", "sip:100@example.com", "in"); code != "200" {
		t.Fatalf("call: %s", code)
	}
	call := c.pbx.requests("INVITE")[0]
	if strings.Count(call, "Record-Route: ") != 2 || !strings.Contains(call, "transport=tls") {
		t.Errorf("%s", call)
	}
}

// TestExamplesAreClosed: a stranger reaches nobody of his choice by them, whatever Route and Request-URI say.
func TestExamplesAreClosed(t *testing.T) {
	for _, name := range []string{"edge", "load-balancer", "trunk-edge", "direct-routing", "tls-to-udp"} {
		t.Run(name, func(t *testing.T) {
			dead := "127.0.0.2:" + freePort(t)
			c := try(t, name, "192.0.2.11:5061", dead, "192.0.2.12:5061", dead, "192.0.2.21:5061", dead,
				"sip.pstnhub.microsoft.com:5061", dead, "sip2.pstnhub.microsoft.com:5061", dead, "sip3.pstnhub.microsoft.com:5061", dead)
			trap, stranger := listenUDP(t, "127.0.0.4:0"), c.dial("127.0.0.3")
			route := "Route: <sip:" + c.tls + ";transport=tls;lr>"
			for i, a := range []struct{ method, uri, extra string }{
				{"MESSAGE", "sip:x@" + trap.at, "To: <sip:x@y>"},
				{"MESSAGE", "sip:x@example.com;maddr=127.0.0.4", "To: <sip:x@y>"},
				{"INVITE", "sip:x@" + c.tls, "To: <sip:x@y>\r\nRoute: <sip:" + trap.at + ";lr>"},
				{"INVITE", "sip:x@example.com", "To: <sip:x@y>\r\n" + route + ", <sip:" + trap.at + ";lr>"},
				{"BYE", "sip:x@" + trap.at, "To: <sip:x@y>;tag=made-up\r\n" + route},
				{"BYE", "sip:x@example.com", "To: <sip:x@y>;tag=made-up\r\n" + route + ", <sip:" + trap.at + ";lr>"},
				{"ACK", "sip:x@" + trap.at, "To: <sip:x@y>;tag=made-up\r\n" + route},
				{"ACK", "sip:x@" + trap.at, "To: <sip:x@y>"},
				{"CANCEL", "sip:x@" + trap.at, "To: <sip:x@y>"},
				{"OPTIONS", "sip:" + c.tls, "To: <sip:x@y>"},
			} {
				id := fmt.Sprintf("attack%d", i)
				stranger.send(fmt.Sprintf(" %[1]s %[2]s SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.3:5061;branch=z9hG4bK%[3]s\r\nMax-Forwards: 70\r\nFrom: <sip:m@y>;tag=1\r\n%[4]s\r\n"+
					"Call-ID: %[3]s\r\nCSeq: 1 %[1]s\r\nContent-Length: 0\r\n\r\n", a.method, a.uri, id, a.extra))
				if a.method != "ACK" && a.method != "CANCEL" {
					c.eventually(a.method+" "+a.uri+" is answered", func() bool { return stranger.final(id) != "" })
				}
			}
			trap.mu.Lock()
			defer trap.mu.Unlock()
			if len(trap.heard) > 0 {
				t.Errorf("the stranger reached whom he liked: %q", trap.heard)
			}
			c.pbx.mu.Lock()
			defer c.pbx.mu.Unlock()
			for _, m := range c.pbx.heard {
				if strings.Contains(m, "\r\nRoute: <sip:"+trap.at) {
					t.Errorf("the stranger's Route reaches who trusts us: %q", m)
				}
			}
		})
	}
}
