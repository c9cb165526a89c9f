package script

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor"
	"sipreactor/tlsstate"
)

// TestEdge loads a file as carriers have it and looks at every part of the
// outcome.
func TestEdge(t *testing.T) {
	cfg, err := load("testdata/edge.cfg")
	if err != nil {
		t.Fatal(err)
	}
	var sockets []string
	for _, s := range cfg.Sockets {
		sockets = append(sockets, fmt.Sprintf("%v %s %d as %s:%d tag %s line %d", s.Proto, s.Host, s.Port, s.AdvertisedHost, s.AdvertisedPort, s.Tag, s.Pos.Line()))
	}
	want := []string{
		"tls 127.0.0.1 5061 as edge.carrier.example:5061 tag public line 34",
		"tls ::1 5062 as :0 tag private line 35",
		"tcp 127.0.0.1 5060 as :0 tag  line 36",
	}
	if !reflect.DeepEqual(sockets, want) {
		t.Errorf("sockets\n%s", strings.Join(sockets, "\n"))
	}

	engine := reactor.DefaultConfig()
	engine.Workers = 8
	engine.MaxConnections = 20000
	engine.Lifetime = 600 * time.Second
	engine.MaxMessageTime = 5 * time.Second
	engine.ConnectTimeout = 500 * time.Millisecond
	engine.Keepalive = reactor.Keepalive{Enabled: true, Idle: time.Minute, Interval: 15 * time.Second, Count: 4}
	engine.TLS.HandshakeTimeout = 300 * time.Millisecond
	engine.TLS.SendTimeout = 200 * time.Millisecond
	engine.TLS.MaxChunks = 8
	engine.TLS.LocalConnectTimeout = 50 * time.Millisecond
	if !reflect.DeepEqual(cfg.Engine, engine) {
		t.Errorf("engine\n got %+v\nwant %+v", cfg.Engine, engine)
	}

	if p := cfg.Proxy; p.ServerHeader != "Carrier Edge" || p.TLSPort != 5061 || p.FromTag || p.SingleRecordRoute ||
		!reflect.DeepEqual(p.MyDomains, []string{"tls:edge.carrier.example:5061", "sip.carrier.example"}) {
		t.Errorf("proxy %+v", p)
	}
	if l := cfg.Log; l.Level != LevelInfo || l.Script != LevelInfo || !l.Stderr || l.Syslog || l.Prefix != "edge: " {
		t.Errorf("log %+v", l)
	}
	if cfg.OpenFiles != 65536 || cfg.AutoAliases || cfg.TLSLibrary != tlsstate.GoLibrary || !cfg.DNS.TryIPv6 {
		t.Errorf("%+v", cfg)
	}
	if fifo := fmt.Sprintf("%+v", cfg.Instance("mi_fifo")); !strings.Contains(fifo, fmt.Sprintf("Name:/run/opensips/opensips_fifo Mode:%d ", 0o660)) {
		t.Error(fifo)
	}

	yes, no := true, false
	domains := []tlsstate.DomainConfig{{
		Name: "public", Role: tlsstate.Server, MatchAddresses: []string{"127.0.0.1:5061"},
		MatchSIPDomains: []string{"*.carrier.example", "edge.example", "none"}, Method: "TLSv1_2-TLSv1_3",
		VerifyCert: &yes, RequireCert: &no, CAFile: "/etc/opensips/tls/ca.pem",
		Certificates: []tlsstate.KeyPair{
			{CertificateFile: "/etc/opensips/tls/ecdsa.pem", PrivateKeyFile: "/etc/opensips/tls/ecdsa.key"},
			{CertificateFile: "/etc/opensips/tls/rsa.pem", PrivateKeyFile: "/etc/opensips/tls/rsa.key"},
		},
	}, {
		Name: "switches", Role: tlsstate.Client, MatchSIPDomains: []string{"*"}, VerifyCert: &yes, CAFile: "/etc/opensips/tls/ca.pem",
	}}
	if !reflect.DeepEqual(cfg.TLS.Domains, domains) {
		t.Errorf("domains\n got %+v\nwant %+v", cfg.TLS.Domains, domains)
	}
	if got := strings.Join(cfg.Modules, " "); got != "signaling sl maxfwd rr sipmsgops textops mi_fifo proto_tcp proto_tls tls_mgm tls_openssl" {
		t.Errorf("modules %s", got)
	}
	var notes []string
	for _, n := range cfg.Notes {
		notes = append(notes, fmt.Sprint(n.Pos.Line()))
	}
	if got := strings.Join(notes, " "); got != "34 35 41 183 58" {
		t.Errorf("notes on lines %s: %v", got, cfg.Notes)
	}
}

func TestEdgeRoutes(t *testing.T) {
	b := newBenchOf(t, "testdata/edge.cfg")
	request := func(edit ...string) string {
		b.receive([]byte(strings.NewReplacer(edit...).Replace(string(invite))))
		if len(b.peer.sent) == 0 {
			return "nothing"
		}
		s := b.peer.sent[0]
		if strings.HasPrefix(s.text, "SIP/2.0") {
			return firstLine(s)
		}
		return firstLine(s) + " to " + s.target.Addr.String()
	}
	const old = "sip:+4930123@example.net:5070;transport=tls;user=phone"
	for _, tt := range []struct {
		name string
		edit []string
		want string
	}{
		{"german number", nil, "INVITE " + old + " SIP/2.0 to 127.0.0.1:5081"},
		{"00", []string{old, "sip:00331@h"}, "INVITE sip:+331@h SIP/2.0 to 127.0.0.1:5082"},
		{"0", []string{old, "sip:030123@h"}, "INVITE sip:+4930123@h SIP/2.0 to 127.0.0.1:5081"},
		{"options for us", []string{old, "sip:ping@127.0.0.1", "INVITE", "OPTIONS"}, "SIP/2.0 200 OK"},
		{"options for others", []string{"INVITE", "OPTIONS"}, "OPTIONS " + old + " SIP/2.0 to 127.0.0.1:5081"},
		{"register", []string{"INVITE", "REGISTER"}, "SIP/2.0 503 Service Unavailable"},
		{"no hops left", []string{"Max-Forwards: 69", "Max-Forwards: 0"}, "SIP/2.0 483 Too Many Hops"},
		{"scanner", []string{"tester 1.0", "Friendly-Scanner"}, "nothing"},
		{"dialog without route", []string{"INVITE", "BYE", "net>\r\nCall", "net>;tag=9\r\nCall"}, "SIP/2.0 404 Not here"},
		{"dialog with route", []string{"INVITE", "BYE", "net>\r\nCall", "net>;tag=9\r\nRoute: <sip:edge.carrier.example:5061;transport=tls;lr>\r\nCall", old, "sip:bob@127.0.0.9:5070;transport=tls"},
			"BYE sip:bob@127.0.0.9:5070;transport=tls SIP/2.0 to 127.0.0.9:5070"},
		{"preloaded route", []string{"Call-ID", "Route: <sip:10.1.1.1;lr>\r\nCall-ID"}, "SIP/2.0 403 Preload Route denied"},
	} {
		if got := request(tt.edit...); got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s\nlog %v", tt.name, got, tt.want, b.log)
		}
	}
}

func TestDefault(t *testing.T) {
	cfg, err := compile("default.cfg", Default())
	if err != nil {
		t.Fatal(err)
	}
	if len(cfg.Sockets) != 1 || cfg.Sockets[0].Host != "127.0.0.1" || cfg.Sockets[0].Port != 5061 || len(cfg.Notes) != 0 {
		t.Errorf("sockets %+v, notes %v", cfg.Sockets, cfg.Notes)
	}
	b := newBench(t, string(Default()))
	b.src.Remote = mustAddrPort("127.0.0.9:40000")
	const old = "sip:+4930123@example.net:5070;transport=tls;user=phone"
	for _, tt := range []struct {
		name string
		edit []string
		want string
	}{
		{"options", []string{"INVITE", "OPTIONS", old, "sip:127.0.0.1:5061"}, "200"},
		{"options with a user", []string{"INVITE", "OPTIONS", old, "sip:ping@127.0.0.1:5061;transport=tls"}, "200"},
		{"options to a neighbour", []string{"INVITE", "OPTIONS", old, "sip:ping@127.0.0.1:5081;transport=tls"}, "OPTIONS"},
		{"elsewhere", nil, "403"},
		{"another address", []string{old, "sip:a@10.0.0.1;transport=tls"}, "403"},
		{"name that looks like loopback", []string{old, "sip:a@127.0.0.1.example.net;transport=tls"}, "403"},
		{"maddr", []string{old, "sip:a@127.0.0.1:5081;maddr=10.0.0.1;transport=tls"}, "403"},
		{"route elsewhere", []string{old, "sip:a@127.0.0.1:5081;transport=tls", "Call-ID", "Route: <sip:10.1.1.1;lr;transport=tls>\r\nCall-ID"}, "403"},
		{"strict route elsewhere", []string{old, "sip:a@127.0.0.1:5081;transport=tls", "Call-ID", "Route: <sip:10.1.1.1;transport=tls>\r\nCall-ID"}, "403"},
		{"route to loopback", []string{"Call-ID", "Route: <sip:127.0.0.1:5081;lr;transport=tls>\r\nCall-ID"}, "INVITE"},
		{"loopback", []string{old, "sip:a@127.0.0.1:5081;transport=tls"}, "INVITE"},
		{"loopback in capitals", []string{old, "sip:a@127.3.2.1:5081;transport=TLS"}, "INVITE"},
		{"ourselves", []string{old, "sip:a@127.0.0.1:5061;transport=tls"}, "404"},
		{"ack of a failed invite", []string{"INVITE", "ACK", old, "sip:a@127.0.0.1:5081;transport=tls", "net>\r\nCall", "net>;tag=9\r\nCall"}, "ACK"},
		{"dialog without route", []string{"INVITE", "BYE", old, "sip:a@127.0.0.1:5081;transport=tls", "net>\r\nCall", "net>;tag=9\r\nCall"}, "404"},
		{"dialog", []string{"INVITE", "BYE", old, "sip:a@127.0.0.1:5081;transport=tls", "net>\r\nCall", "net>;tag=9\r\nRoute: <sip:127.0.0.1:5061;transport=tls;lr>\r\nCall"}, "BYE"},
		{"no hops", []string{"Max-Forwards: 69", "Max-Forwards: 0"}, "483"},
	} {
		b.receive([]byte(strings.NewReplacer(tt.edit...).Replace(string(invite))))
		if got := b.status(); got != tt.want {
			t.Errorf("%s: got %q, want %s; log %v", tt.name, got, tt.want, b.log)
		}
	}
	b.receive([]byte(strings.Replace(string(invite), old, "sip:a@127.0.0.1:5081;transport=tls", 1)))
	if got := b.peer.sent[0].header("Record-Route"); !strings.Contains(got, "lr") {
		t.Errorf("no Record-Route: %s", b.peer.sent[0].text)
	}
}

func TestDefaults(t *testing.T) {
	cfg, err := compile("cfg", []byte("socket=tls:127.0.0.1\nloadmodule \"proto_tls.so\"\nroute { exit; }"))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(cfg.Engine, reactor.DefaultConfig()) {
		t.Errorf("engine %+v", cfg.Engine)
	}
	if cfg.Sockets[0].Port != 5061 || cfg.Proxy.TLSPort != 5061 || cfg.Proxy.ServerHeader == "" || cfg.Log.Level != LevelNotice || len(cfg.TLS.Domains) != 0 {
		t.Errorf("%+v", cfg)
	}
	cfg, err = compile("cfg", []byte(`
socket=tls:10.0.0.1
socket=tcp:10.0.0.1
socket=udp:10.0.0.1
loadmodule "/usr/lib/opensips/modules/proto_tls.so"
loadmodule "proto_tcp.so"
loadmodule "proto_udp.so"
modparam("proto_tls", "tls_port", 5071)
modparam("proto_tcp", "tcp_port", 5070)
modparam("proto_udp", "udp_port", 5072)
server_signature=no
advertised_address=edge.example
advertised_port=5099
debug_mode=yes
tcp_keepalive=0
route { exit; }`))
	if err != nil {
		t.Fatal(err)
	}
	s := cfg.Sockets[0]
	if cfg.Sockets[1].Port != 5070 || cfg.Sockets[2].Port != 5072 || cfg.Proxy.TCPPort != 5070 || cfg.Proxy.UDPPort != 5072 {
		t.Errorf("%+v", cfg.Sockets)
	}
	if s.Port != 5071 || cfg.Proxy.TLSPort != 5071 || s.AdvertisedHost != "edge.example" || s.AdvertisedPort != 5099 ||
		cfg.Proxy.ServerHeader != "" || cfg.Log.Level != LevelDebug || cfg.Engine.Keepalive.Enabled {
		t.Errorf("%+v", cfg)
	}
}

// TestDocumentationExamples loads the examples of the documentation of proto_tls
// as they stand there.
func TestDocumentationExamples(t *testing.T) {
	cfg, err := compile("cfg", []byte(`
loadmodule "proto_hep.so"
modparam("proto_hep", "hep_id", "[hep_dest]10.0.0.2;transport=tcp;version=3")
modparam("proto_hep", "trace_destination", "[other]collector.example:9061;transport=TLS")

loadmodule "proto_tls.so"
param("proto_tls", "tls_port", 5062)
modparam("proto_tls", "tls_crlf_pingpong", 0)
param("proto_tls", "tls_crlf_drop", 1)
modparam("proto_tls", "tls_max_msg_chunks", 8)
modparam("proto_tls", "tls_send_timeout", 200)
param("proto_tls", "tls_handshake_timeout", 200)
modparam("proto_tls", "tls_async", 0)
modparam("proto_tls", "tls_async_max_postponed_chunks", 16)
modparam("proto_tls", "tls_async_local_connect_timeout", 200)
modparam("proto_tls", "tls_async_handshake_timeout", 200)
modparam("proto_tls", "cert_check_on_conn_reusage", 1)
modparam("proto_tls", "trace_destination", "hep_dest")
modparam("proto_tls", "trace_on", 1)
modparam("proto_tls", "trace_filter_route", "tls_filter")
socket=tls:127.0.0.1 			# change the listening IP

/* all tls connections will go through that route if tracing is activated
 * and a trace destination is defined */
route[tls_filter] {
	if ( $si == "1.1.1.1" || $socket_in(port) == 5061 )
		drop;
}
route { forward(); }
`))
	if err != nil {
		t.Fatal(err)
	}
	want := reactor.StreamConfig{
		CRLFDrop: true, MaxChunks: 8, MaxPostponed: 16, LocalConnectTimeout: 200 * time.Millisecond,
		LocalHandshakeTimeout: 200 * time.Millisecond, HandshakeTimeout: 200 * time.Millisecond, SendTimeout: 200 * time.Millisecond, CertCheckOnReuse: true,
	}
	if !reflect.DeepEqual(cfg.Engine.TLS, want) {
		t.Errorf("got %+v", cfg.Engine.TLS)
	}
	if trace := fmt.Sprintf("%+v", cfg.Instance("proto_tls")); !strings.Contains(trace, "{Destination:hep_dest On:true FilterRoute:tls_filter}") {
		t.Error(trace)
	}
	collectors := fmt.Sprintf("%+v", cfg.Instance("proto_hep"))
	for _, want := range []string{"Name:hep_dest Host:10.0.0.2 Port:9060 Transport:tcp", "Name:other Host:collector.example Port:9061 Transport:tls"} {
		if !strings.Contains(collectors, want) {
			t.Error(collectors)
		}
	}
	if cfg.Sockets[0].Port != 5062 {
		t.Errorf("port %d", cfg.Sockets[0].Port)
	}
}

func TestLoadFails(t *testing.T) {
	for path, want := range map[string]string{
		"testdata/none.cfg": "testdata/none.cfg: no such file or directory",
		"testdata":          "testdata: is a folder, not a file",
	} {
		var all Errors
		if _, err := load(path); !errors.As(err, &all) || err.Error() != want {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// TestByteOrderMark: what an editor puts before the text of a file, or of one that it includes, is passed over, and counts
// as no column.
func TestByteOrderMark(t *testing.T) {
	const mark = "\ufeff"
	dir := t.TempDir()
	for name, text := range map[string]string{
		"main.cfg": mark + "socket=udp:127.0.0.1:5060\ninclude_file \"more.cfg\"\nroute { exit; }\n",
		"more.cfg": mark + "loadmodule \"proto_udp.so\"\n",
		"bad.cfg":  mark + "socket=nothing\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := load(filepath.Join(dir, "main.cfg")); err != nil {
		t.Error(err)
	}
	bad := filepath.Join(dir, "bad.cfg")
	if _, err := load(bad); err == nil || !strings.HasPrefix(err.Error(), bad+":1:8: ") {
		t.Error(err)
	}
}

// TestBounds: who sets a number beyond the highest is told it.
func TestBounds(t *testing.T) {
	for text, want := range map[string]string{
		"tcp_max_connections=2147483648": "tcp_max_connections = 2147483648 is not possible: it takes a number from 1 to 2147483647 (accepted connections)",
		"tcp_max_connections=0":          "tcp_max_connections = 0 is not possible: it takes a number from 1 on (accepted connections)",
		"loadmodule \"mi_datagram.so\"\nmodparam(\"mi_datagram\", \"socket_timeout\", 3000000000)": "socket_timeout = 3000000000 is not possible: it takes a number from 1 to 2147483647 (milliseconds)",
	} {
		if _, err := compile("cfg", []byte(text+"\n")); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
