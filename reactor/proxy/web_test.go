package proxy

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"sipreactor/reactor"
)

var (
	wsSocket  = &reactor.Socket{Proto: reactor.WS, Addr: netip.MustParseAddrPort("192.0.2.1:8080")}
	wssSocket = &reactor.Socket{Proto: reactor.WSS, Addr: netip.MustParseAddrPort("192.0.2.1:443")}
	overWSS   = &reactor.Source{Conn: 0x10000000a, Proto: reactor.WSS, Socket: wssSocket,
		Remote: netip.MustParseAddrPort("198.51.100.7:40003"), Local: wssSocket.Addr}
)

// transport=ws is WebSocket with TLS or without (RFC 7118 5.5): what we speak, what
// the route says, and with TLS where the scheme is sips.
func TestWebNextHops(t *testing.T) {
	both, secure := []*reactor.Socket{udpSocket, wsSocket, wssSocket}, []*reactor.Socket{udpSocket, wssSocket}
	for _, tc := range []struct {
		uri     string
		sockets []*reactor.Socket
		proto   reactor.Proto
		port    uint16
	}{
		{"sip:bob@203.0.113.9;transport=ws", both, reactor.WS, 80},
		{"sip:bob@203.0.113.9;transport=wss", both, reactor.WSS, 443},
		{"sips:bob@203.0.113.9;transport=ws", both, reactor.WSS, 443},
		{"sip:bob@203.0.113.9;transport=ws", secure, reactor.WSS, 443},
		{"sip:bob@203.0.113.9:5000;transport=WS", secure, reactor.WSS, 5000},
		{"sip:bob@203.0.113.9", both, reactor.UDP, 5060},
	} {
		b := newBed(t, funcs{})
		b.proxy.SetSockets(tc.sockets)
		if s := b.one(request("INVITE", tc.uri), overWSS); s.to.Proto != tc.proto || s.to.Addr.Port() != tc.port || s.to.Socket.Proto != tc.proto {
			t.Errorf("%s: sent to %v:%v from %v, want %v and %d", tc.uri, s.to.Proto, s.to.Addr, s.to.Socket.Proto, tc.proto, tc.port)
		}
	}
	// Nobody is called by WebSocket just because that is what we hear.
	b := newBed(t, funcs{})
	b.proxy.SetSockets([]*reactor.Socket{tlsSocket, wssSocket})
	if s := b.one(request("INVITE", "sip:bob@203.0.113.9"), overWSS); s.to.Proto != reactor.TLS {
		t.Errorf("sent by %v", s.to.Proto)
	}
	b = newBed(t, funcs{}, func(c *Config) { c.WSPort, c.WSSPort = 8081, 8443 })
	b.proxy.SetSockets(both)
	for transport, port := range map[string]uint16{"ws": 8081, "wss": 8443} {
		if s := b.one(request("INVITE", "sip:bob@203.0.113.9;transport="+transport), overWSS); s.to.Addr.Port() != port {
			t.Errorf("%s: sent to %v", transport, s.to.Addr)
		}
	}
}

// How we name ourselves, and know our name again: by wss as OpenSIPS writes it, and by
// ws as the RFC does.
func TestWebRoutes(t *testing.T) {
	b := newBed(t, funcs{request: func(c *Context) { _ = c.RecordRoute(nil); _ = c.Forward(nil) }})
	b.proxy.SetSockets([]*reactor.Socket{udpSocket, wsSocket, wssSocket})
	s := b.one(request("INVITE", "sip:203.0.113.9"), overWSS)
	want := []string{"<sip:192.0.2.1;r2=on;lr>", "<sip:192.0.2.1:443;transport=wss;r2=on;lr>"}
	if got := headers(t, s.text, "Record-Route"); !slices.Equal(got, want) {
		t.Errorf("Record-Route %q", got)
	}
	s = b.one(request("INVITE", "sip:bob@203.0.113.9;transport=wss"), overUDP)
	if via := headers(t, s.text, "Via"); !strings.HasPrefix(via[0], "SIP/2.0/WSS 192.0.2.1:443;branch=") {
		t.Errorf("Via %q", via)
	}
	for _, scheme := range []string{"sip:192.0.2.1:443;transport=wss", "sip:192.0.2.1:443;transport=ws", "sips:192.0.2.1:443;transport=ws"} {
		b = newBed(t, funcs{request: func(c *Context) {
			if !c.LooseRoute() {
				t.Errorf("%s is not ours", scheme)
			}
			_ = c.Forward(nil)
		}})
		b.proxy.SetSockets([]*reactor.Socket{udpSocket, wsSocket, wssSocket})
		bye := request("BYE", "sip:bob@198.51.100.7:40003;transport=ws", "+Route: <sip:192.0.2.1;r2=on;lr>, <"+scheme+";r2=on;lr>")
		bye = strings.Replace(bye, "To: <sip:bob@example.com>", "To: <sip:bob@example.com>;tag=b1", 1)
		if s := b.one(bye, overUDP); s.to.Proto != reactor.WSS || s.to.Socket != wssSocket {
			t.Errorf("%s: sent by %v from %v", scheme, s.to.Proto, s.to.Socket.Proto)
		}
	}
}

// A message that came without a length gets one where it is needed, and none is needed
// of WebSocket.
func TestWebWithoutLength(t *testing.T) {
	text := strings.Replace(request("MESSAGE", "sip:203.0.113.9;transport=tcp"), "Content-Length: 0\r\n\r\n", "\r\nhello", 1)
	b := newBed(t, funcs{})
	b.proxy.SetSockets([]*reactor.Socket{tcpSocket, wssSocket})
	if s := b.one(text, overWSS); header(t, s.text, "Content-Length") != "5" {
		t.Errorf("%s", s.text)
	}
	b = newBed(t, funcs{request: func(c *Context) {
		if err := c.Send([]byte("wss:203.0.113.9"), nil); err != nil {
			t.Error(err)
		}
	}})
	b.proxy.SetSockets([]*reactor.Socket{tcpSocket, wssSocket})
	b.ctx.Receive([]byte(text), overWSS)
	if len(b.sent) != 1 || !strings.HasSuffix(b.sent[0].text, "\r\n\r\nhello") {
		t.Errorf("%+v", b.sent)
	}
}
