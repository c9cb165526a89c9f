package flow

import (
	"net/netip"
	"testing"

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
