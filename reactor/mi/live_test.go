package mi

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/internal/waittest"
	"sipreactor/reactor/proxy"
	"sipreactor/tlsstate"
)

// options answers every request with 200.
type options struct{}

func (options) Request(c *proxy.Context) { _ = c.Respond(200, []byte("OK")) }
func (options) Response(*proxy.Context)  {}

// liveNode is a Node on an engine that runs.
func liveNode(t *testing.T) *Node {
	t.Helper()
	certPEM, keyPEM, err := tlsstate.Ephemeral([]string{"127.0.0.1"}, false)
	if err != nil {
		t.Fatal(err)
	}
	no := false
	set, err := tlsstate.Build(tlsstate.Config{Domains: []tlsstate.DomainConfig{{Name: "edge", Role: tlsstate.Server, RequireCert: &no,
		Certificates: []tlsstate.KeyPair{{CertificatePEM: certPEM, PrivateKeyPEM: keyPEM}}, CAPEM: certPEM}}})
	if err != nil {
		t.Fatal(err)
	}
	p, err := proxy.New(proxy.Config{}, options{})
	if err != nil {
		t.Fatal(err)
	}
	cfg := reactor.DefaultConfig()
	cfg.Domains = set
	cfg.TLS.HandshakeTimeout, cfg.TLS.SendTimeout, cfg.MaxMessageTime = patience, patience, patience
	for _, proto := range []reactor.Proto{reactor.TLS, reactor.TCP} {
		cfg.Sockets = append(cfg.Sockets, reactor.SocketConfig{Proto: proto, Addr: netip.MustParseAddrPort("127.0.0.1:0")})
	}
	e, err := reactor.New(cfg, p)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := e.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	return &Node{Version: "test", Started: time.Now(), Engine: e, Proxy: p, Domains: set.Domains, Lifetime: cfg.Lifetime}
}

// TestLive looks at a running engine through HTTP: a connection is listed,
// counted and closed.
func TestLive(t *testing.T) {
	n := liveNode(t)
	h := serveHTTP(t, HTTPConfig{}, commandsOf(t, n))
	metrics, err := Metrics(n, nil)
	if err != nil {
		t.Fatal(err)
	}
	h.Handle("GET /metrics", metrics)
	client := Client{Target: "http://" + h.Addr().String() + "/mi"}
	call := func(method string, params, result any) {
		t.Helper()
		b, err := client.Call(t.Context(), method, params)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(b, result); err != nil {
			t.Fatalf("%s: %s: %v", method, b, err)
		}
	}

	var sockets struct {
		Sockets []struct{ Socket, Proto, Address string }
	}
	call("list_sockets", nil, &sockets)
	if len(sockets.Sockets) != 2 || sockets.Sockets[0].Proto != "tls" || strings.HasSuffix(sockets.Sockets[0].Socket, ":0") {
		t.Fatalf("%+v", sockets)
	}
	peer, err := tls.Dial("tcp", strings.TrimPrefix(sockets.Sockets[0].Socket, "tls:"), &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	_ = peer.SetDeadline(time.Now().Add(patience))
	fmt.Fprintf(peer, "OPTIONS sip:edge.example SIP/2.0\r\nVia: SIP/2.0/TLS 192.0.2.9;branch=z9hG4bKm\r\nMax-Forwards: 70\r\n"+
		"From: <sip:a@example.com>;tag=1\r\nTo: <sip:edge.example>\r\nCall-ID: m\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n")
	status := make([]byte, len("SIP/2.0 200"))
	if _, err := io.ReadFull(peer, status); err != nil || string(status) != "SIP/2.0 200" {
		t.Fatalf("%q, %v", status, err)
	}

	var list struct{ Connections []map[string]any }
	call("list_tcp_conns", nil, &list)
	if len(list.Connections) != 1 {
		t.Fatalf("%v", list)
	}
	c := list.Connections[0]
	if c["Remote"] != peer.LocalAddr().String() || c["Type"] != "tls" || c["TLS Version"] != "TLSv1.3" || c["TLS Domain"] != "edge" || c["Phase"] != "established" {
		t.Errorf("%v", c)
	}
	var figures map[string]uint64
	waittest.For(t, "all is counted, which may be after the answer was seen", func() bool {
		call("get_statistics", []string{"core:rcv_requests", "sl:2xx_replies", "net:accepted", "net:connections", "tls:handshakes"}, &figures)
		for _, value := range figures {
			if value != 1 {
				return false
			}
		}
		return len(figures) == 5
	})
	_, body := send(t, h, "GET", "/metrics", "")
	for _, line := range []string{`sipreactor_connections{direction="in",phase="established",proto="tls"} 1`, `sipreactor_messages_received_total{proto="tls"} 1`,
		`sipreactor_tls_handshakes_total{direction="in",version="TLSv1.3"} 1`, `sipreactor_tls_handshake_duration_seconds_count{direction="in"} 1`,
		`sipreactor_tls_handshake_duration_seconds_bucket{direction="in",le="+Inf"} 1`,
		`sipreactor_proxy_replies_total{code="200"} 1`, `sipreactor_tls_certificate_expiry_timestamp_seconds{domain="edge",role="server"}`} {
		if !strings.Contains(body, "\n"+line) {
			t.Errorf("%q is missing", line)
		}
	}

	var ok string
	call("tcp_close_conn", []any{c["Remote"]}, &ok)
	if ok != "OK" {
		t.Error(ok)
	}
	for err = nil; err == nil; {
		_, err = peer.Read(make([]byte, 1000))
	}
	if timeout, is := err.(net.Error); is && timeout.Timeout() {
		t.Error("it was not closed")
	}
	waittest.For(t, "the end is counted", func() bool {
		call("get_statistics", []string{"close:closed_by_management"}, &figures)
		return figures["close:closed_by_management"] == 1
	})
	if _, err := client.Call(t.Context(), "tcp_close_conn", []any{c["Remote"]}); err == nil {
		t.Error("closed twice")
	}
}
