package flow

import (
	"net/netip"
	"strings"
	"testing"

	"sipreactor/reactor/internal/codec"
	"sipreactor/reactor/internal/connection"
	"sipreactor/reactor/internal/message"
	"sipreactor/reactor/internal/reason"
	"sipreactor/reactor/internal/transport"
	"sipreactor/reactor/internal/websocket"
	"sipreactor/tlsstate"
)

// Only a server of TLS 1.3 that asked for a certificate may refuse a client behind the
// handshake.
func TestWhoMayStillBeRefused(t *testing.T) {
	const tls12, tls13 = 0x0303, 0x0304
	for _, tt := range []struct {
		state *tlsstate.State
		want  bool
	}{
		{nil, false},
		{&tlsstate.State{Client: true, Asked: true, Version: tls13}, true},
		{&tlsstate.State{Client: true, Asked: true, Version: tls12}, false},
		{&tlsstate.State{Client: true, Version: tls13}, false},
		{&tlsstate.State{Asked: true, Version: tls13}, false},
	} {
		if got := mayBeRefused(tt.state); got != tt.want {
			t.Errorf("%+v: %v", tt.state, got)
		}
	}
}

// The host of an HTTP request has a port unless it is the transport's own.
func TestHostOf(t *testing.T) {
	for _, tt := range []struct {
		proto transport.Proto
		addr  string
		name  string
		want  string
	}{
		{transport.WS, "192.0.2.1:80", "", "192.0.2.1"},
		{transport.WS, "192.0.2.1:8080", "", "192.0.2.1:8080"},
		{transport.WSS, "192.0.2.1:443", "edge.example", "edge.example"},
		{transport.WSS, "[2001:db8::1]:5063", "", "[2001:db8::1]:5063"},
		{transport.WSS, "[2001:db8::1]:443", "", "[2001:db8::1]"},
	} {
		target := message.Target{Proto: tt.proto, Addr: netip.MustParseAddrPort(tt.addr), Name: tt.name}
		if got := hostOf(&target); got != tt.want {
			t.Errorf("%v %s %q: %s, want %s", tt.proto, tt.addr, tt.name, got, tt.want)
		}
	}
}

// A request for WebSocket names the resource, "/" where none is configured, and an origin of its scheme.
func TestUpgradeAsks(t *testing.T) {
	for _, tt := range []struct {
		proto         transport.Proto
		resource      string
		first, origin string
	}{
		{transport.WS, "", "GET / HTTP/1.1\r\n", "http://edge.example:5062\r\n"},
		{transport.WSS, "/sip", "GET /sip HTTP/1.1\r\n", "https://edge.example:5062\r\n"},
	} {
		c := &connection.Conn{Config: new(transport.StreamConfig)}
		c.Config.Web.Resource = tt.resource
		c.Src.Proto, c.Src.Outbound = tt.proto, true
		c.Target = message.Target{Proto: tt.proto, Addr: netip.MustParseAddrPort("192.0.2.1:5062"), Name: "edge.example"}
		u := upgraded(c, new(codec.Plain))
		_ = u.Handshake()
		if asks := string(u.Output()); !strings.HasPrefix(asks, tt.first) || !strings.Contains(asks, "Origin: "+tt.origin) {
			t.Errorf("%v asks %q", tt.proto, asks)
		}
	}
}

// Each reason has its word in WebSocket.
func TestCloseCodes(t *testing.T) {
	for r, want := range map[reason.Reason]websocket.Code{
		reason.Shutdown: websocket.GoingAway, reason.IdleTimeout: websocket.GoingAway, reason.MessageTooLarge: websocket.TooBig,
		reason.MalformedMessage: websocket.BadData, reason.TooManyChunks: websocket.Violation, reason.MessageTimeout: websocket.Violation,
		reason.ConnectionLimit: websocket.Violation, reason.HandlerFailed: websocket.OurFault, reason.EngineFailed: websocket.OurFault,
		reason.ClosedByManagement: websocket.Normal, reason.PeerClosed: websocket.Normal,
	} {
		if got := closeCode(r); got != want {
			t.Errorf("%v: %v, want %v", r, got, want)
		}
	}
}
