package e2e

import (
	"crypto/tls"
	"syscall"
	"testing"
	"time"

	"sipreactor/cmd/sipreactor/load"
)

// patience is how long one answer may take on a busy machine.
const patience = 30 * time.Second

// callee starts a server behind the edge that wants the edge's certificate.
func callee(t *testing.T, e *edge) *load.Server {
	t.Helper()
	cfg, err := e.ca.ServerConfig("ecdsa", "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	cfg.ClientAuth, cfg.ClientCAs = tls.RequireAndVerifyClientCert, e.ca.ClientConfig().RootCAs
	s, err := load.Listen("127.0.0.1:0", cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// TestLoaderCalls looks closer than sipp can: at duplicates, routes, Via values and remote targets.
func TestLoaderCalls(t *testing.T) {
	e := startEdge(t)
	peer := load.Peer{Addr: e.addr, TLS: e.ca.ClientConfig()}
	for name, calls := range map[string]load.Calls{
		"100 calls a second": {Rate: 100, Connections: 10, Duration: 2 * time.Second},
		"closed loop":        {Window: 3, Connections: 10, Duration: 2 * time.Second}, // no more at once than may wait for a connect
		"held":               {Rate: 100, Connections: 3, Duration: time.Second, Hold: 200 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			s := callee(t, e)
			calls.Peer, calls.URI, calls.Timeout = peer, s.URI(), patience
			r, err := calls.Run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			r.Seen(s.Stats())
			t.Logf("%v", r)
			if !r.Clean() {
				t.Error("not every call ended as it should, once")
			}
		})
	}
	e.stop(t, syscall.SIGTERM)
}

// TestLoaderRequests has the edge answer by itself, over persistent and new connections.
func TestLoaderRequests(t *testing.T) {
	e := startEdge(t)
	peer := load.Peer{Addr: e.addr, TLS: e.ca.ClientConfig()}
	uri := "sip:" + e.addr + ";transport=tls"
	r, err := load.Options{Peer: peer, URI: uri, Connections: 50, Window: 2, Duration: time.Second, Timeout: patience}.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%v", r)
	if !r.Clean() {
		t.Error("not every request was answered once")
	}
	for _, resumed := range []bool{false, true} {
		r, err := load.Handshakes{Peer: peer, URI: uri, Resumed: resumed, Workers: 4, Duration: time.Second, Timeout: patience}.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%v", r)
		if !r.Clean() {
			t.Error("not every handshake ended as it should")
		}
	}
	e.stop(t, syscall.SIGINT)
}

// TestUnreachableCallee wants an answer for a call that can't be delivered, and nobody else disturbed.
func TestUnreachableCallee(t *testing.T) {
	e := startEdge(t)
	peer := load.Peer{Addr: e.addr, TLS: e.ca.ClientConfig()}
	r, err := load.Calls{Peer: peer, URI: "sip:nobody@127.0.0.1:" + freePort(t) + ";transport=tls", Rate: 50, Duration: time.Second, Timeout: patience}.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if r.Failed != r.Started || r.Reasons["INVITE answered 503"] != r.Started {
		t.Errorf("each call should be answered 503: %v", r)
	}
	e.stop(t, syscall.SIGTERM)
}
