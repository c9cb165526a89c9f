package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"

	"sipreactor/reactor/digest"
	"sipreactor/sipframe"
)

// phone is a user agent with one connection over TLS, or secure WebSocket, to its server, which it registers over, calls by and is called by.
// It answers what is asked: INVITE with 180 and 200, everything else with 200.
type phone struct {
	user, domain, password string
	agent                  string // User-Agent
	trace                  func(sent bool, text string)
	rings                  bool          // it rings until it is canceled
	rang                   chan struct{} // is told of each 180; nil: nobody is
	web                    bool          // it speaks as a browser's program, which knows no address of its own (RFC 7118)

	conn    net.Conn
	writing sync.Mutex
	answers chan *sipframe.Message // final ones
	counted map[string]uint32      // nc of nonces
	ended   chan struct{}

	mu    sync.Mutex
	heard []*sipframe.Message // requests
}

// connect opens the connection.
func (p *phone) connect(ctx context.Context, addr string, cfg *tls.Config) error {
	d := tls.Dialer{Config: cfg}
	c, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	p.speak(c)
	return nil
}

// speak has the phone use a connection, on which whole messages are written.
func (p *phone) speak(c net.Conn) {
	p.conn = c
	p.answers, p.ended, p.counted = make(chan *sipframe.Message, 16), make(chan struct{}), make(map[string]uint32)
	go p.read()
}

func (p *phone) close() {
	if p.conn != nil {
		_ = p.conn.Close()
		<-p.ended
	}
}

// read takes messages off the connection until it ends.
func (p *phone) read() {
	defer close(p.ended)
	in := bufio.NewReader(p.conn)
	for {
		m, err := readMessage(in)
		if err != nil {
			return
		}
		switch {
		case m.IsRequest():
			p.saw(false, string(m.MethodName()))
			p.mu.Lock()
			p.heard = append(p.heard, m)
			p.mu.Unlock()
			p.answer(m)
		default:
			p.saw(false, fmt.Sprint(m.StatusCode()))
			if m.StatusCode() == 180 && p.rang != nil {
				select {
				case p.rang <- struct{}{}:
				default: // nobody waits for that many
				}
			}
			if m.StatusCode() < 200 {
				continue
			}
			select {
			case p.answers <- m:
			default: // nobody waits for that many
			}
		}
	}
}

// readMessage reads one message of a stream.
func readMessage(in *bufio.Reader) (*sipframe.Message, error) {
	var b []byte
	for !bytes.HasSuffix(b, []byte("\r\n\r\n")) {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return nil, err
		}
		if b = append(b, line...); string(b) == "\r\n" {
			b = b[:0] // keep-alive
		}
		if len(b) > 1<<16 {
			return nil, errors.New("the header section is too long")
		}
	}
	m := new(sipframe.Message)
	if err := m.Parse(b); err != nil {
		return nil, err
	}
	n, _, err := m.ContentLength()
	if err != nil || n == 0 {
		return m, err
	}
	whole := append(b, make([]byte, n)...)
	if _, err := io.ReadFull(in, whole[len(b):]); err != nil {
		return nil, err
	}
	return m, m.Parse(whole)
}

func (p *phone) saw(sent bool, text string) {
	if p.trace != nil {
		p.trace(sent, text)
	}
}

// write sends a message whose lines end in LF alone.
func (p *phone) write(what, text string) error {
	p.writing.Lock()
	defer p.writing.Unlock()
	p.saw(true, what)
	_, err := p.conn.Write([]byte(strings.ReplaceAll(text, "\n", "\r\n")))
	return err
}

// answer answers a request.
func (p *phone) answer(m *sipframe.Message) {
	switch m.Method() {
	case sipframe.ACK:
	case sipframe.INVITE:
		if p.respond(m, "180 Ringing"); !p.rings {
			p.respond(m, "200 OK")
		}
	case sipframe.CANCEL:
		p.respond(m, "200 OK")
		for _, invite := range p.requests("INVITE") {
			p.respond(invite, "487 Request Terminated")
		}
	default:
		p.respond(m, "200 OK")
	}
}

// respond answers a request with a code and its reason.
func (p *phone) respond(m *sipframe.Message, code string) {
	var b strings.Builder
	fmt.Fprintf(&b, "SIP/2.0 %s\n", code)
	for i := range m.NumHeaders() {
		switch h := m.Header(i); h.Kind {
		case sipframe.HeaderVia, sipframe.HeaderFrom, sipframe.HeaderCallID, sipframe.HeaderCSeq, sipframe.HeaderRecordRoute:
			fmt.Fprintf(&b, "%s: %s\n", m.Bytes(h.Name), m.Bytes(h.Value))
		case sipframe.HeaderTo:
			fmt.Fprintf(&b, "To: %s", m.Bytes(h.Value))
			if to, err := m.To(); err == nil && to.Tag.Len == 0 {
				fmt.Fprintf(&b, ";tag=%s", p.user)
			}
			b.WriteByte('\n')
		default:
		}
	}
	fmt.Fprintf(&b, "Contact: <%s>\nContent-Length: 0\n\n", p.contact())
	_ = p.write(code[:3], b.String()) // the reader sees that the connection has ended
}

// at returns where the phone believes to be, and its transport in Via and in a URI.
func (p *phone) at() (host, via, transport string) {
	if p.web {
		return p.user + ".invalid", "WSS", "ws"
	}
	return p.conn.LocalAddr().String(), "TLS", "tls"
}

// contact is the phone's URI.
func (p *phone) contact() string {
	host, _, transport := p.at()
	return fmt.Sprintf("sip:%s@%s;transport=%s", p.user, host, transport)
}

// call is a request of a phone, and later ones of its dialog.
type call struct {
	method, uri, to string
	from            string // user@domain, the phone's if empty
	headers         string // more lines
	id, tag         string
	cseq            int
	route           []string
}

func randomToken() string {
	var b [8]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// begin fills in what a call has not said.
func (p *phone) begin(c *call) {
	if c.id == "" {
		c.id, c.tag = randomToken(), randomToken()
	}
	if c.from == "" {
		c.from = p.user + "@" + p.domain
	}
	if c.to == "" {
		c.to = "<" + c.uri + ">"
	}
}

// request sends a request, with credentials when they are asked for, and returns the final response.
func (p *phone) request(ctx context.Context, c *call) (*sipframe.Message, error) {
	p.begin(c)
	credentials := ""
	for {
		c.cseq++
		if err := p.send(c, c.method, credentials); err != nil {
			return nil, err
		}
		r, err := p.final(ctx)
		if err != nil {
			return nil, err
		}
		if c.method == "INVITE" && r.StatusCode() >= 300 {
			if err := p.send(c, "ACK", ""); err != nil {
				return nil, err
			}
		}
		if asked := r.StatusCode() == 401 || r.StatusCode() == 407; !asked || credentials != "" {
			return r, nil
		}
		if credentials, err = p.credentials(r, c); err != nil {
			return r, nil // it has none that would do
		}
	}
}

func (p *phone) final(ctx context.Context) (*sipframe.Message, error) {
	select {
	case r := <-p.answers:
		return r, nil
	case <-p.ended:
		return nil, errors.New("the connection has ended")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// send writes a request.
func (p *phone) send(c *call, method, more string) error {
	var b strings.Builder
	branch := c.tag + strconv.Itoa(c.cseq)
	if method == "ACK" && len(c.route) > 0 {
		branch += "a" // of a 200 it is a transaction of its own
	}
	host, via, _ := p.at()
	fmt.Fprintf(&b, "%s %s SIP/2.0\nVia: SIP/2.0/%s %s;branch=z9hG4bK%s;rport\nMax-Forwards: 70\nFrom: <sip:%s>;tag=%s\nTo: %s\n"+
		"Call-ID: %s\nCSeq: %d %s\nContact: <%s>\nUser-Agent: %s\nAllow: INVITE, ACK, BYE, CANCEL, OPTIONS\n", method, c.uri, via, host, branch,
		c.from, c.tag, c.to, c.id, c.cseq, method, p.contact(), p.agent)
	for _, r := range c.route {
		fmt.Fprintf(&b, "Route: %s\n", r)
	}
	fmt.Fprintf(&b, "%s%sContent-Length: 0\n\n", c.headers, more)
	return p.write(method, b.String())
}

// credentials answers a challenge.
func (p *phone) credentials(r *sipframe.Message, c *call) (string, error) {
	kind, header := sipframe.HeaderWWWAuthenticate, "Authorization"
	if r.StatusCode() == 407 {
		kind, header = sipframe.HeaderProxyAuthenticate, "Proxy-Authorization"
	}
	var asked digest.Challenge
	if err := digest.ParseChallenge(r.Value(kind), &asked); err != nil {
		return "", err
	}
	ha1 := digest.AppendHA1(nil, asked.Algorithm, []byte(p.user), asked.Realm, []byte(p.password))
	p.counted[string(asked.Nonce)]++
	answer := asked.Answer([]byte(header+": "), []byte(p.user), ha1,
		&digest.Request{Method: []byte(c.method), URI: []byte(c.uri), Count: p.counted[string(asked.Nonce)]})
	return string(answer) + "\n", nil
}

// register registers, or with expires 0 no longer.
func (p *phone) register(ctx context.Context, expires int) (*sipframe.Message, error) {
	return p.request(ctx, &call{method: "REGISTER", uri: "sip:" + p.domain, to: "<sip:" + p.user + "@" + p.domain + ">",
		headers: fmt.Sprintf("Expires: %d\n", expires)})
}

// invite calls, and acknowledges the answer. The dialog's later requests are of c.
func (p *phone) invite(ctx context.Context, c *call) (*sipframe.Message, error) {
	c.method = "INVITE"
	r, err := p.request(ctx, c)
	if err != nil || r.StatusCode() != 200 {
		return r, err
	}
	routes := r.RecordRoutes()
	for v, ok := routes.Next(); ok; v, ok = routes.Next() {
		c.route = append(c.route, string(r.Bytes(v)))
	}
	slices.Reverse(c.route)
	if to := r.Value(sipframe.HeaderTo); len(to) > 0 {
		c.to = string(to)
	}
	if contact, err := r.Contact(); err == nil {
		c.uri = string(r.Bytes(contact.URI))
	}
	return r, p.send(c, "ACK", "")
}

// requests returns the requests of a method that it has got.
func (p *phone) requests(method string) (list []*sipframe.Message) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range p.heard {
		if string(m.MethodName()) == method {
			list = append(list, m)
		}
	}
	return list
}
