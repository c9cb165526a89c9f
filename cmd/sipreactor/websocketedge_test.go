package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"testing"

	"github.com/gobwas/ws"

	"sipreactor/sipframe"
)

// frames is a connection of WebSocket as one of messages: what is written at once is one.
type frames struct {
	net.Conn
	in   *bufio.Reader
	rest []byte
}

func (f *frames) Read(p []byte) (int, error) {
	for len(f.rest) == 0 {
		frame, err := ws.ReadFrame(f.in)
		switch {
		case err != nil:
			return 0, err
		case frame.Header.OpCode == ws.OpClose:
			return 0, io.EOF
		case frame.Header.OpCode == ws.OpText:
			f.rest = frame.Payload
		}
	}
	n := copy(p, f.rest)
	f.rest = f.rest[n:]
	return n, nil
}

func (f *frames) Write(p []byte) (int, error) {
	text := strings.Replace(string(p), "Content-Length: 0\r\n", "", 1) // RFC 7118 needs none
	return len(p), ws.WriteFrame(f.Conn, ws.MaskFrame(ws.NewTextFrame([]byte(text))))
}

// upgrade connects by wss from a page.
func (c *trial) upgrade(origin string) (net.Conn, error) {
	d := &net.Dialer{Timeout: patience}
	conn, err := tls.DialWithDialer(d, "tcp", c.tls, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		c.Fatal(err)
	}
	c.Cleanup(func() { conn.Close() })
	u := ws.Dialer{Protocols: []string{"sip"}, Header: ws.HandshakeHeaderString("Origin: " + origin + "\r\n")}
	in, _, err := u.Upgrade(conn, &url.URL{Scheme: "wss", Host: "sip.example.com", Path: "/"})
	if in == nil {
		in = bufio.NewReader(conn)
	}
	return &frames{Conn: conn, in: in}, err
}

// webPhone is a phone of a browser.
func (c *trial) webPhone(user, password string) *phone {
	c.Helper()
	p := &phone{user: user, domain: "example.com", password: password, agent: "browser", web: true}
	conn, err := c.upgrade("https://phone.example.com")
	if err != nil {
		c.Fatal(err)
	}
	p.speak(conn)
	c.Cleanup(p.close)
	return p
}

// Browsers' phones register, call one another and the PBX, and are called by it; others come to nobody.
func TestExampleWebSocketEdge(t *testing.T) {
	c := try(t, "websocket-edge")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	expect := func(what string, want int, r *sipframe.Message, err error) {
		t.Helper()
		if err != nil || r.StatusCode() != want {
			t.Fatalf("%s: %v %v, want %d", what, code(r), err, want)
		}
	}
	alice, dave := c.webPhone("alice", "alice"), c.webPhone("dave", "dave")
	for _, p := range []*phone{alice, dave} {
		r, err := p.register(ctx, 600)
		expect(p.user+" registers", 200, r, err)
	}
	if dump := c.mi("ul_dump"); strings.Count(dump, ";transport=wss") != 2 || !strings.Contains(dump, "alice.invalid;transport=ws") {
		t.Errorf("registrations: %s", dump)
	}

	within := &call{uri: "sip:dave@example.com"}
	r, err := alice.invite(ctx, within)
	expect("alice calls dave", 200, r, err)
	got := dave.requests("INVITE")
	if len(got) != 1 {
		t.Fatalf("%d calls came to dave", len(got))
	}
	if via, rr := string(got[0].Value(sipframe.HeaderVia)), string(got[0].Value(sipframe.HeaderRecordRoute)); !strings.HasPrefix(via, "SIP/2.0/WSS sip.example.com:443;") ||
		!strings.HasPrefix(rr, "<sip:sip.example.com:443;transport=wss;lr;") {
		t.Errorf("Via %q, Record-Route %q", via, rr)
	}
	within.method = "BYE"
	r, err = alice.request(ctx, within)
	expect("alice hangs up", 200, r, err)
	if acks, ends := len(dave.requests("ACK")), len(dave.requests("BYE")); acks != 1 || ends != 1 {
		t.Errorf("dave got %d ACKs and %d BYEs", acks, ends)
	}

	out := &call{uri: "sip:100@example.com"}
	r, err = alice.invite(ctx, out)
	expect("alice calls the PBX", 200, r, err)
	c.eventually("the PBX has the ACK", func() bool { return len(c.pbx.requests("ACK")) == 1 })
	invite := new(sipframe.Message)
	if err := invite.Parse([]byte(c.pbx.requests("INVITE")[0])); err != nil {
		t.Fatal(err)
	}
	contact, _ := invite.Contact()
	var routes []string
	it := invite.RecordRoutes()
	for v, ok := it.Next(); ok; v, ok = it.Next() {
		routes = append(routes, "Route: "+string(invite.Bytes(v))+"\r\n")
	}
	if len(routes) != 2 || !strings.Contains(routes[0], "sip:"+c.udp+";r2=on") || !strings.Contains(routes[1], "transport=wss;r2=on") {
		t.Fatalf("%q", routes)
	}
	c.pbx.send(fmt.Sprintf("%s BYE %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bKbye\r\nMax-Forwards: 70\r\n%sFrom: %s;tag=there\r\nTo: %s\r\nCall-ID: %s\r\n"+
		"CSeq: 1 BYE\r\nContent-Length: 0\r\n\r\n", c.udp, invite.Bytes(contact.URI), c.pbx.addr(), strings.Join(routes, ""),
		invite.Value(sipframe.HeaderTo), invite.Value(sipframe.HeaderFrom), invite.CallID()))
	c.eventually("the PBX hangs up", func() bool { return len(alice.requests("BYE")) == 1 && c.pbx.final(string(invite.CallID())) == "200" })

	if got := c.call(c.pbx, "UDP", c.udp, "sip:alice@example.com", "from-pbx"); got != "200" || len(alice.requests("INVITE")) != 1 {
		t.Errorf("the PBX calls alice: %s", got)
	}
	if got := c.call(c.pbx, "UDP", c.udp, "sip:nobody@example.com", "nobody"); got != "404" {
		t.Errorf("the PBX calls nobody: %s", got)
	}

	eve := c.webPhone("eve", "guess")
	r, err = eve.register(ctx, 600)
	expect("a stranger registers", 401, r, err)
	r, err = eve.request(ctx, &call{method: "INVITE", uri: "sip:dave@example.com"})
	expect("a stranger calls", 407, r, err)
	told := len(c.pbx.requests("INVITE"))
	for _, whom := range []string{"sip:x@" + c.pbx.addr(), string(got[0].RequestURI())} {
		within := call{method: "INVITE", uri: whom, to: "<sip:x@example.com>;tag=made-up", headers: "Route: <sip:sip.example.com:443;transport=wss;lr>\n"}
		r, err = eve.request(ctx, &within)
		expect("a stranger makes up a call", 481, r, err)
	}
	if n := len(c.pbx.requests("INVITE")); n != told || len(dave.requests("INVITE")) != 1 {
		t.Errorf("a stranger's call within a call comes to the PBX, or to dave: %d more", n-told)
	}
	r, err = alice.request(ctx, &call{method: "INVITE", uri: "sip:dave@example.com", from: "dave@example.com"})
	expect("by another name", 403, r, err)
	r, err = alice.request(ctx, &call{method: "INVITE", uri: "sip:x@example.net"})
	expect("elsewhere", 403, r, err)
	other := listenUDP(t, "127.0.0.1:0")
	if got := c.call(other, "UDP", c.udp, "sip:dave@example.com", "other"); got != "403" {
		t.Errorf("somebody else over UDP: %s", got)
	}
	if _, err := c.upgrade("https://evil.example.net"); err == nil {
		t.Error("another page's program is let in")
	}

	dave.close()
	c.eventually("dave is gone with his connection, and the PBX is asked", func() bool {
		_, err := alice.request(ctx, &call{method: "MESSAGE", uri: "sip:dave@example.com"})
		return err == nil && len(c.pbx.requests("MESSAGE")) > 0
	})
}
