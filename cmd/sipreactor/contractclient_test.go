package main

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// peer is a connection to the node.
type peer struct {
	net.Conn
	t         *testing.T
	r         *bufio.Reader
	transport string
	name      string // what its Call-IDs begin with
	sent      int
}

// knock opens a TCP connection to the node and says nothing.
func (c *contract) knock(transport string) *peer {
	c.Helper()
	conn, err := net.DialTimeout("tcp", c.addr(transport).String(), patience)
	if err != nil {
		c.Fatal(err)
	}
	c.Cleanup(func() { conn.Close() })
	return &peer{Conn: counted{conn, &c.written}, t: c.T, r: bufio.NewReader(conn), transport: transport, name: conn.LocalAddr().String()}
}

// dial opens a connection and, with tls, makes the handshake.
func (c *contract) dial(transport string) *peer {
	c.Helper()
	return c.dialThrough(transport, new(corked))
}

// dialThrough is dial by way of a corked socket.
func (c *contract) dialThrough(transport string, raw *corked) *peer {
	c.Helper()
	p := c.knock(transport)
	raw.Conn, p.Conn = p.Conn, raw
	if transport == "tls" {
		cfg := c.ca.ClientConfig()
		cfg.ServerName, cfg.DynamicRecordSizingDisabled = "127.0.0.1", true
		tc := tls.Client(raw, cfg)
		_ = tc.SetDeadline(time.Now().Add(patience))
		if err := tc.Handshake(); err != nil {
			c.Fatal(err)
		}
		p.Conn, p.r = tc, bufio.NewReader(tc)
	}
	return p
}

// greet is dial with a first request, so that the node is past the handshake,
// too: what comes while it computes is read together afterwards.
func (c *contract) greet(transport string) *peer {
	c.Helper()
	return c.greetThrough(transport, new(corked))
}

func (c *contract) greetThrough(transport string, raw *corked) *peer {
	c.Helper()
	p := c.dialThrough(transport, raw)
	p.ask(here)
	p.expect(200)
	return p
}

const here = "sip:here@127.0.0.1"

// request writes one with a Call-ID of its own. Headers end with CRLF each.
func (p *peer) request(uri, headers, body string) string {
	p.sent++
	id := p.name + "-" + strconv.Itoa(p.sent)
	return "MESSAGE " + uri + " SIP/2.0\r\nVia: SIP/2.0/" + strings.ToUpper(p.transport) + " " + p.LocalAddr().String() +
		";branch=z9hG4bK" + strings.NewReplacer(":", "", ".", "").Replace(id) + "\r\nMax-Forwards: 70\r\n" +
		"From: <sip:a@127.0.0.1>;tag=1\r\nTo: <sip:b@127.0.0.1>\r\nCall-ID: " + id + "\r\nCSeq: 1 MESSAGE\r\n" +
		headers + "Content-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + body
}

// send writes bytes as one record.
func (p *peer) send(text string) {
	p.t.Helper()
	_ = p.SetWriteDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(p.Conn, text); err != nil {
		p.t.Fatalf("write: %v", err)
	}
}

// ask sends a request.
func (p *peer) ask(uri string) {
	p.t.Helper()
	p.send(p.request(uri, "", ""))
}

// read gives the next message's first line, and how many CRLFs stood before it.
// At the end of the connection the line is "".
func (p *peer) read() (first string, pongs int) {
	p.t.Helper()
	_ = p.SetReadDeadline(time.Now().Add(patience))
	length := 0
	for {
		line, err := p.r.ReadString('\n')
		switch name, value, _ := strings.Cut(line, ":"); {
		case errors.Is(err, os.ErrDeadlineExceeded):
			p.t.Fatalf("nothing came but %q%q", first, line)
		case err != nil:
			return "", pongs
		case first == "" && line == "\r\n":
			pongs++
		case first == "":
			first = strings.TrimSpace(line)
		case strings.EqualFold(name, "Content-Length"):
			length, _ = strconv.Atoi(strings.TrimSpace(value))
		case line == "\r\n":
			_, _ = io.CopyN(io.Discard, p.r, int64(length))
			return first, pongs
		}
	}
}

// expect reads an answer with a status; 0 is the connection's end.
func (p *peer) expect(status int) {
	p.t.Helper()
	first, _ := p.read()
	code := 0
	if _, rest, ok := strings.Cut(first, " "); ok {
		code, _ = strconv.Atoi(rest[:min(3, len(rest))])
	}
	if code != status {
		p.t.Fatalf("got %q, want status %d", first, status)
	}
}

// silent sees to it that nothing comes and that the connection stays. It is the
// last that is done with a TLS connection: reads fail for good after a deadline.
func (p *peer) silent() {
	p.t.Helper()
	_ = p.SetReadDeadline(time.Now().Add(quietTime))
	b, err := p.r.ReadByte()
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		p.t.Fatalf("got %q, %v, want silence", b, err)
	}
}

// counted counts what is written to a socket.
type counted struct {
	net.Conn
	bytes *atomic.Uint64
}

func (c counted) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.bytes.Add(uint64(n))
	return n, err
}

// corked is a socket that can hold back what is written, to send it at once.
type corked struct {
	net.Conn
	held    []byte
	holding bool
}

func (c *corked) cork() { c.holding = true }

func (c *corked) Write(b []byte) (int, error) {
	if !c.holding {
		return c.Conn.Write(b)
	}
	c.held = append(c.held, b...)
	return len(b), nil
}

// release sends what was held back.
func (c *corked) release(t *testing.T) {
	t.Helper()
	c.holding = false
	if _, err := c.Conn.Write(c.held); err != nil {
		t.Fatal(err)
	}
	c.held = nil
}
