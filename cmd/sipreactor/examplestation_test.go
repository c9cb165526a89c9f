package main

import (
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
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
	patient := `loadmodule "proto_tls.so"` + "\n"
	if !strings.Contains(string(text), "tls_handshake_timeout") { // it is 100 ms, in which peers on a busy machine may not answer
		patient += set("tls", "handshake_timeout", ms(2*time.Second))
	}
	pairs := append(replaced, `loadmodule "proto_tls.so"`+"\n", patient, "/etc/sipreactor", c.dir, "/etc/ssl/certs/ca-certificates.crt", filepath.Join(c.dir, "ca.pem"), "socket=tls:0.0.0.0:5061", "socket=tls:"+c.tls, "socket=wss:0.0.0.0:443", "socket=wss:"+c.tls,
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

// repeated reports whether a request was heard before: over UDP it comes again where its answer is late, and an ACK with each
// answer that does. mu is held.
func (s *station) repeated(m *load.Message, raw string) bool {
	return slices.ContainsFunc(s.heard, func(before string) bool {
		return before == raw || string(m.Method) == "ACK" && strings.HasPrefix(before, "ACK ") && strings.Contains(before, "\r\nCall-ID: "+string(m.CallID)+"\r\n")
	})
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
		if !s.repeated(m, raw) {
			s.heard = append(s.heard, raw)
		}
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
