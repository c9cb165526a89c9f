package main

import (
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"sipreactor/cmd/sipreactor/load"
)

// parties are both sides of many calls, over TCP: what they hear comes to one listener, or back on the connection.
type parties struct {
	t    *testing.T
	at   string // of the listener
	mu   sync.Mutex
	conn net.Conn         // to the program
	held map[string]*held // by Call-ID
	up   int              // calls that were acknowledged to the callee
	byes int              // that the other side has got
	done int              // that were answered by it
	code map[int]int      // of answers to BYE, and of INVITEs that failed
	busy []string         // requests that were answered 503, by Call-ID: the machine has no time now
	sent int              // requests
}

// held is a call.
type held struct {
	routes, back string // as the caller and the callee have them
}

func newParties(t *testing.T) *parties {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &parties{t: t, at: l.Addr().String(), held: make(map[string]*held), code: make(map[int]int)}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() { p.read(c) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		p.hangUp()
		running.Wait()
	})
	return p
}

// dial has the caller connect to the program.
func (p *parties) dial(addr string) {
	p.t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		p.t.Fatal(err)
	}
	p.conn = c
	go p.read(c)
}

// hangUp closes the caller's connection; the program closes the others.
func (p *parties) hangUp() {
	if p.conn != nil {
		p.conn.Close()
	}
}

func (p *parties) read(c net.Conn) {
	defer c.Close()
	in := load.NewReader(c)
	var m load.Message
	for in.Next(&m) == nil {
		if answer := p.hear(&m); answer != "" {
			if _, err := c.Write([]byte(answer)); err != nil {
				return
			}
		}
	}
}

func joined(header string, values [][]byte) string {
	var b strings.Builder
	for _, v := range values {
		fmt.Fprintf(&b, "%s: %s\r\n", header, v)
	}
	return b.String()
}

// hear does what a message asks for and returns what is said to it.
func (p *parties) hear(m *load.Message) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	id := string(m.CallID)
	h := p.held[id]
	switch {
	case h == nil:
		return ""
	case !m.Request && m.Status < 200:
		return ""
	case !m.Request && m.Status == 503:
		p.busy = append(p.busy, id)
		return ""
	case !m.Request && string(m.CSeqMethod()) == "BYE":
		p.done++
		p.code[m.Status]++
		return ""
	case !m.Request && m.Status == 200:
		for _, r := range m.RecordRoutes {
			h.routes += "Route: " + string(r) + "\r\n"
		}
		return p.request("ACK", id, 1, h.routes, false)
	case !m.Request:
		p.code[m.Status]++
		return ""
	case string(m.Method) == "ACK":
		p.up++
		return ""
	}
	to := string(m.To)
	if string(m.Method) == "INVITE" {
		to += ";tag=b"
		h.back = joined("Route", m.RecordRoutes)
	} else {
		p.byes++
	}
	return "SIP/2.0 200 OK\r\n" + joined("Via", m.Vias) + joined("Record-Route", m.RecordRoutes) +
		fmt.Sprintf("From: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %s\r\nContact: <sip:b@%s;transport=tcp>\r\nContent-Length: 0\r\n\r\n", m.From, to, m.CallID, m.CSeq, p.at)
}

// request is a request of the caller, or with back of the callee. The parties are locked.
func (p *parties) request(method, id string, seq int, routes string, back bool) string {
	from, to, uri := "<sip:a@example.com>;tag=a", "<sip:b@example.com>", "sip:b@"+p.at+";transport=tcp"
	if method != "INVITE" {
		to += ";tag=b"
	}
	p.sent++
	if back {
		from, to, uri = to, from, "sip:a@"+p.at+";transport=tcp"
	}
	return fmt.Sprintf("%s %s SIP/2.0\r\nVia: SIP/2.0/TCP %s;branch=z9hG4bK%d\r\nMax-Forwards: 70\r\nFrom: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %d %s\r\n%sContact: <sip:a@%s;transport=tcp>\r\nContent-Length: 0\r\n\r\n",
		method, uri, p.at, p.sent, from, to, id, seq, method, routes, p.at)
}

// say sends the requests of calls, with a bounded number of them unanswered as count tells, and again what was answered 503.
func (p *parties) say(calls []string, text func(id string) string, count func() int) {
	p.t.Helper()
	const window = 100
	begun := count()
	for i, end := 0, time.Now().Add(6*patience); ; {
		p.mu.Lock()
		next, got := "", count()-begun
		switch {
		case i < len(calls) && i-got-len(p.busy) < window:
			next = text(calls[i])
			i++
		case len(p.busy) > 0 && i == len(calls):
			next, p.busy = text(p.busy[0]), p.busy[1:]
		}
		p.mu.Unlock()
		if next != "" {
			if _, err := p.conn.Write([]byte(next)); err != nil {
				p.t.Fatal(err)
			}
			continue
		}
		switch {
		case got == len(calls):
			return
		case time.Now().After(end):
			p.t.Fatalf("%d of %d are answered; others by code: %v", got, len(calls), p.code)
		}
		time.Sleep(time.Millisecond)
	}
}
