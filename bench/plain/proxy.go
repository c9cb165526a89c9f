package main

import (
	"crypto/tls"
	"errors"
	"net"
	"strconv"
	"strings"
	"sync"
)

// proxy forwards messages between connections, which it knows by their remote address.
type proxy struct {
	own    string // host:port
	client *tls.Config

	mu    sync.Mutex
	conns map[string]*conn
	dials sync.Mutex // one dial at a time
}

// conn is a connection; any goroutine may write a message to it.
type conn struct {
	net.Conn
	mu sync.Mutex
}

func (c *conn) send(m *message) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, err := c.Write(m.bytes())
	return err
}

func newProxy(own string, client *tls.Config) *proxy {
	return &proxy{own: own, client: client, conns: map[string]*conn{}}
}

// serve reads a connection's messages until it ends.
func (p *proxy) serve(c net.Conn) {
	defer c.Close()
	p.read(p.add(c))
}

func (p *proxy) add(c net.Conn) *conn {
	conn := &conn{Conn: c}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conns[c.RemoteAddr().String()] = conn
	return conn
}

func (p *proxy) read(c *conn) {
	defer func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if addr := c.RemoteAddr().String(); p.conns[addr] == c {
			delete(p.conns, addr)
		}
	}()
	r := newReader(c)
	for {
		m, err := r.next()
		if err != nil {
			return
		}
		if m.request() {
			p.request(c, m)
		} else {
			p.response(m)
		}
	}
}

func (p *proxy) request(c *conn, m *message) {
	if m.method() == "OPTIONS" && hostPort(m.uri()) == p.own {
		_ = c.send(m.reply("200 OK"))
		return
	}
	hops, err := strconv.Atoi(m.get("Max-Forwards"))
	if err != nil || hops <= 0 {
		p.refuse(c, m, "483 Too Many Hops")
		return
	}
	m.set("Max-Forwards", strconv.Itoa(hops-1))
	if hostPort(address(m.get("Route"))) == p.own {
		m.drop("Route")
	}
	next := m.uri()
	if route := m.get("Route"); route != "" {
		next = address(route)
	}
	if m.method() == "INVITE" && param(m.get("To"), "tag") == "" {
		m.prepend("Record-Route", "<sip:"+p.own+";transport=tls;lr>")
	}
	m.set("Via", withSource(m.get("Via"), c.RemoteAddr().String()))
	m.prepend("Via", "SIP/2.0/TLS "+p.own+";branch=z9hG4bKp"+strings.TrimPrefix(param(m.get("Via"), "branch"), "z9hG4bK"))
	to, err := p.connection(hostPort(next))
	if err == nil {
		err = to.send(m)
	}
	if err != nil {
		m.drop("Via")
		p.refuse(c, m, "503 Service Unavailable")
	}
}

func (p *proxy) refuse(c *conn, m *message, status string) {
	if m.method() != "ACK" {
		_ = c.send(m.reply(status))
	}
}

// response goes to who sent the request, by the Via below ours.
func (p *proxy) response(m *message) {
	m.drop("Via")
	p.mu.Lock()
	c := p.conns[source(m.get("Via"))]
	p.mu.Unlock()
	if c != nil {
		_ = c.send(m) // who is gone gets none
	}
}

// connection finds the connection to an address, or makes one.
func (p *proxy) connection(addr string) (*conn, error) {
	known := func() *conn {
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.conns[addr]
	}
	if c := known(); c != nil {
		return c, nil
	}
	p.dials.Lock()
	defer p.dials.Unlock()
	if c := known(); c != nil {
		return c, nil
	}
	if addr == "" {
		return nil, errors.New("no address")
	}
	raw, err := tls.Dial("tcp", addr, p.client)
	if err != nil {
		return nil, err
	}
	c := p.add(raw)
	go func() {
		defer raw.Close()
		p.read(c)
	}()
	return c, nil
}
