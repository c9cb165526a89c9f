package mi

import (
	"context"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/mi/peers"
	"sipreactor/reactor/proxy"
	"sipreactor/reactor/rpc"
	"sipreactor/tlsstate"
)

// fakeEngine answers with what a test puts into it.
type fakeEngine struct {
	stats   reactor.Stats
	sockets []*reactor.Socket
	conns   []reactor.ConnInfo
	closed  []reactor.Handle
	unread  uint64
}

func (e *fakeEngine) Stats() reactor.Stats       { return e.stats }
func (e *fakeEngine) Sockets() []*reactor.Socket { return e.sockets }

func (e *fakeEngine) Conns(f func(*reactor.ConnInfo) bool) {
	for i := range e.conns {
		if c := e.conns[i]; !f(&c) {
			return
		}
	}
}

func (e *fakeEngine) Conn(h reactor.Handle) (reactor.ConnInfo, bool) {
	for _, c := range e.conns {
		if c.Conn == h {
			return c, true
		}
	}
	return reactor.ConnInfo{}, false
}

func (e *fakeEngine) Unread(reactor.Proto) uint64 { return e.unread }

func (e *fakeEngine) Close(h reactor.Handle) bool {
	_, ok := e.Conn(h)
	if ok {
		e.closed = append(e.closed, h)
	}
	return ok
}

// fakeProxy counts the number of a counter plus one, and one reply of 503.
type fakeProxy struct{}

func (fakeProxy) Count(c proxy.Counter) uint64 { return uint64(c) + 1 }

func (p fakeProxy) Counters(f func(proxy.Counter, uint64)) {
	for c := proxy.RequestsIn; c <= proxy.ResponsesUndelivered; c++ {
		f(c, p.Count(c))
	}
}

func (fakeProxy) OwnResponses(code int) uint64 {
	if code == 503 {
		return 4
	}
	return 0
}

func (fakeProxy) Refused(code int) uint64 {
	if code == 400 {
		return 2
	}
	return 0
}

func (fakeProxy) Defects() map[string]uint64 {
	return map[string]uint64{"Missing Via": 8, "Bad URI": 1, "Bad URI Host": 2}
}

type fakeSwitch struct{ atomic.Bool }

func (s *fakeSwitch) On() bool    { return s.Load() }
func (s *fakeSwitch) Set(on bool) { s.Store(on) }

type fakeLevel struct{ atomic.Int64 }

func (l *fakeLevel) Level() int     { return int(l.Load()) }
func (l *fakeLevel) SetLevel(n int) { l.Store(int64(n)) }

func addr(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

// fakeNode is a Node with every part.
func fakeNode() (*Node, *fakeEngine) {
	tlsSocket := &reactor.Socket{Proto: reactor.TLS, Addr: addr("192.0.2.1:5061"), Advertised: "edge.example", AdvertisedPort: 5061, Tag: "outside"}
	tcpSocket := &reactor.Socket{Proto: reactor.TCP, Addr: addr("[2001:db8::1]:5060")}
	e := &fakeEngine{
		stats: reactor.Stats{Accepted: 7, Handshakes: 5, HandshakesFailed: 3, Connections: 2, Dials: 9, Dialed: 4,
			Closed:      map[reactor.Reason]uint64{reactor.IdleTimeout: 3},
			DialsFailed: map[reactor.Reason]uint64{reactor.ConnectTimeout: 2, reactor.Shutdown: 1},
			RefusedFor:  map[reactor.Refusal]uint64{reactor.RefusedLimit: 6},
			Defects:     map[string]uint64{"HTTP on a SIP Stream": 2},
			HandshakesIn: reactor.Handshakes{Done: map[string]uint64{"TLSv1.2": 1, "TLSv1.3": 4}, Resumed: 2,
				Failed: map[reactor.Reason]uint64{reactor.HandshakeTimeout: 3},
				Took: reactor.Histogram{Bounds: []time.Duration{time.Millisecond, time.Second}, Counts: []uint64{1, 3, 1},
					Sum: 2500 * time.Millisecond}},
			HandshakeDefects: map[string]uint64{"alert received: unknown_ca": 1, "no certificate": 2},
		},
		sockets: []*reactor.Socket{tlsSocket, tcpSocket},
		conns: []reactor.ConnInfo{
			{Source: reactor.Source{Conn: 1<<32 | 1, Proto: reactor.TLS, Remote: addr("198.51.100.7:40000"), Local: addr("192.0.2.1:5061"), Verified: true},
				Phase: reactor.PhaseEstablished, Queue: 2, Age: 90 * time.Second, Idle: 5 * time.Second,
				Domain: "edge", TLSVersion: "TLSv1.3", Cipher: "TLS_AES_128_GCM_SHA256", CipherBits: 128,
				Peer:    &x509.Certificate{Subject: pkix.Name{CommonName: "pbx.example", Organization: []string{"Example"}}},
				Resumed: true, Handshake: 1500 * time.Microsecond,
				Carried: reactor.Traffic{MessagesIn: 1, MessagesOut: 2, BytesIn: 3, BytesOut: 4}},
			{Source: reactor.Source{Conn: 2, Proto: reactor.TCP, Remote: addr("[2001:db8::9]:5060"), Local: addr("[2001:db8::1]:33333"), Outbound: true},
				Phase: reactor.PhaseConnecting, Stuck: true},
			{Source: reactor.Source{Conn: 3, Proto: reactor.TCP, Remote: addr("[::ffff:198.51.100.8]:5060")}, Phase: reactor.PhaseClosing},
		},
	}
	e.stats.Carried[reactor.TLS] = reactor.Traffic{MessagesIn: 10, MessagesOut: 11, BytesIn: 12, BytesOut: 13}
	n := &Node{
		Version: "sipreactor (1.0 (amd64/linux))", Started: time.Now().Add(-90 * time.Second),
		Engine: e, Proxy: fakeProxy{}, Traces: []ConnTrace{{Switch: new(fakeSwitch), Proto: reactor.TLS}}, Log: new(fakeLevel), XLog: new(fakeLevel),
		Domains: func() []tlsstate.DomainInfo {
			return []tlsstate.DomainInfo{
				{Config: tlsstate.DomainConfig{Name: "out", Role: tlsstate.Client, Method: "TLSv1_2", Ciphers: "AES128-SHA"}, Verify: true, Library: "go"},
				{Config: tlsstate.DomainConfig{Name: "in", Role: tlsstate.Server, MatchAddresses: []string{"192.0.2.1:5061"}, MatchSIPDomains: []string{"*.example"},
					Certificates: []tlsstate.KeyPair{{CertificateFile: "/a.pem", PrivateKeyFile: "/a.key"}, {CertificateFile: "/b.pem", PrivateKeyFile: "/b.key"}},
					CAFile:       "/ca.pem", CADir: "/ca", CRLDir: "/crl", CRLCheckAll: true, Curves: "X25519", DHParams: "/dh.pem"},
					Require: true, Library: "openssl", NotBefore: time.Unix(0, 0), NotAfter: time.Unix(86400, 0)},
			}
		},
		Collectors: func() []TraceCollector {
			return []TraceCollector{{Name: "homer", Sent: 5, Dropped: 1, Queued: 2}, {Name: "spare", Dropped: 2, Redials: 7}}
		},
		Script: func(add func(Value)) {
			add(Value{Group: "dynamic", Name: "calls", N: 3, Reset: func() {}})
			add(Value{Group: "dynamic", Name: "active", N: 1, Gauge: true})
		},
		Peers: func() []peers.Info {
			return []peers.Info{
				{Name: "trunk.example", Ends: []netip.AddrPort{addr("198.51.100.7:5061")}, Configured: true, RequestsIn: 1, RequestsOut: 9, Answers: [6]uint64{1, 5, 0, 0, 2},
					RoundTrip: peers.Times{P50: 20 * time.Millisecond, P99: 250 * time.Millisecond, Count: 7, Sum: time.Second}},
				{Name: "192.0.2.99:5061", Ends: []netip.AddrPort{addr("192.0.2.99:5061")}, Configured: true, Failed: 4, Refused: 3,
					LastError: "connect timeout", LastErrorAt: time.Unix(60, 0), Down: time.Unix(60, 0)},
				{Name: "203.0.113.5", Source: netip.MustParseAddr("203.0.113.5"), RequestsIn: 2},
			}
		},
		Reload:    func() error { return nil },
		Processes: func() []string { return []string{"loop 0", "worker 0"} },
		Kill:      func() {},
		Lifetime:  time.Minute,
	}
	return n, e
}

// commandsOf is a Dispatcher with the node's commands.
func commandsOf(t testing.TB, n *Node) *rpc.Dispatcher {
	t.Helper()
	d := rpc.NewDispatcher(nil)
	if err := d.Register(n.Commands()...); err != nil {
		t.Fatal(err)
	}
	return d
}

// ask gives the result of a command, or its error, as JSON.
func ask(t testing.TB, d *rpc.Dispatcher, method, params string) string {
	t.Helper()
	reply := string(d.Handle(t.Context(), fmt.Appendf(nil, `{"jsonrpc":"2.0","method":%q,"params":%s,"id":1}`, method, params)))
	reply, ok := strings.CutSuffix(reply, `,"id":1}`)
	if !ok {
		t.Fatalf("%s: %s", method, reply)
	}
	_, reply, _ = strings.Cut(strings.TrimPrefix(reply, `{"jsonrpc":"2.0",`), ":")
	return reply
}

func TestCore(t *testing.T) {
	n, _ := fakeNode()
	killed := 0
	n.Kill = func() { killed++ }
	d := commandsOf(t, n)
	wd, _ := os.Getwd()
	for _, c := range []struct{ method, params, want string }{
		{"version", "[]", `{"Server":"sipreactor (1.0 (amd64/linux))"}`},
		{"pwd", "[]", fmt.Sprintf(`{"WD":%q}`, wd)},
		{"ps", "[]", fmt.Sprintf(`{"Processes":[{"ID":0,"PID":%d,"Type":"loop 0"},{"ID":1,"PID":%[1]d,"Type":"worker 0"}]}`, os.Getpid())},
		{"kill", "{}", `"OK"`},
		{"log_level", "[]", fmt.Sprintf(`{"Processes":[{"PID":%d,"Log level":0,"Type":"sipreactor"}]}`, os.Getpid())},
		{"log_level", "[3]", `{"New global log level":3}`},
		{"log_level", fmt.Sprintf("[4,%d]", os.Getpid()), `{"Log level":4}`},
		{"log_level", "[4,1]", `{"code":-32602,"message":"Invalid params","data":"Bad PID"}`},
		{"log_level", "[5]", `{"code":-32602,"message":"Invalid params","data":"level must lie between -3 and 4"}`},
		{"log_level", `{"pid":1}`, `{"code":-32602,"message":"Invalid params","data":"pid goes with level"}`},
		{"xlog_level", "[]", `{"xLog Level":0}`},
		{"xlog_level", `{"level":"-2"}`, `{"New xLog level":-2}`},
		{"xlog_level", "[]", `{"xLog Level":-2}`},
		{"xlog_level", "[-4]", `{"code":-32602,"message":"Invalid params","data":"level must lie between -3 and 4"}`},
	} {
		if got := ask(t, d, c.method, c.params); got != c.want {
			t.Errorf("%s %s\ngot  %s\nwant %s", c.method, c.params, got, c.want)
		}
	}
	if killed != 1 || n.Log.Level() != 4 {
		t.Errorf("killed %d times, log level %d", killed, n.Log.Level())
	}
	var up map[string]string
	if err := json.Unmarshal([]byte(ask(t, d, "uptime", "[]")), &up); err != nil {
		t.Fatal(err)
	}
	if _, err := time.Parse(time.ANSIC, up["Now"]); err != nil || up["Up since"] != n.Started.Format(time.ANSIC) || !strings.HasSuffix(up["Up time"], " [sec]") {
		t.Errorf("uptime: %v", up)
	}
}

// TestParts: a command is there when its part is, and every name is told of.
func TestParts(t *testing.T) {
	bare := commandsOf(t, &Node{})
	for _, name := range []string{"ps", "kill", "tls_trace", "tls_list", "tls_reload", "list_tcp_conns", "log_level", "xlog_level"} {
		if _, ok := bare.Command(name); ok {
			t.Errorf("%s without its part", name)
		}
	}
	n, _ := fakeNode()
	full := commandsOf(t, n)
	for _, name := range []string{"tls_trace", "tls_list", "tls_reload", "list_tcp_conns", "tcp_close_conn", "get_statistics",
		"reset_statistics", "list_statistics", "log_level", "xlog_level", "uptime", "version", "pwd", "which", "help", "ps", "kill", "list_sockets",
		"tls:trace", "tls_mgm:list", "tls_mgm:reload", "tcp:list", "tcp:close", "statistics:get", "statistics:list", "statistics:reset"} {
		c, ok := full.Command(name)
		if !ok || c.Help == "" || c.Module == "" {
			t.Errorf("%s: %v, help %q of %q", name, ok, c.Help, c.Module)
		}
	}
}

func TestCommandsAtOnce(t *testing.T) {
	n, _ := fakeNode()
	d := commandsOf(t, n)
	done := make(chan struct{})
	for range 4 {
		go func() {
			defer func() { done <- struct{}{} }()
			for range 50 {
				for _, m := range []string{"tls_trace", "list_tcp_conns", "uptime", "which", "log_level"} {
					d.Handle(context.Background(), []byte(`{"jsonrpc":"2.0","method":"`+m+`","id":1}`))
				}
				d.Handle(context.Background(), []byte(`{"jsonrpc":"2.0","method":"reset_statistics","params":["all"]}`))
			}
		}()
	}
	for range 4 {
		<-done
	}
}
