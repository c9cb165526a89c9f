package stream_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/proto_tcp"
	"sipreactor/reactor/modules/proto_tls"
	"sipreactor/reactor/modules/proto_ws"
	"sipreactor/reactor/modules/proto_wss"
	"sipreactor/reactor/script"
)

var modules = []script.Constructor{proto_tcp.New, proto_tls.New, proto_ws.New, proto_wss.New}

// streams are the configurations of an engine by their modules, with the prefix of their parameters.
var streams = []struct {
	module, prefix string
	of             func(*reactor.Config) *reactor.StreamConfig
	web            bool
}{
	{"proto_tcp", "tcp_", func(c *reactor.Config) *reactor.StreamConfig { return &c.TCP }, false},
	{"proto_tls", "tls_", func(c *reactor.Config) *reactor.StreamConfig { return &c.TLS }, false},
	{"proto_ws", "ws_", func(c *reactor.Config) *reactor.StreamConfig { return &c.WS }, true},
	{"proto_wss", "wss_", func(c *reactor.Config) *reactor.StreamConfig { return &c.WSS }, true},
}

func load(t *testing.T, text string) *script.Config {
	t.Helper()
	l := script.Loader{Modules: modules}
	cfg, err := l.Compile("test.cfg", []byte(text))
	if err != nil {
		t.Fatalf("%s\n%v", text, err)
	}
	return cfg
}

// TestParameters: each parameter sets one field of its protocol's configuration, and nothing of the others'.
func TestParameters(t *testing.T) {
	for _, s := range streams {
		head := "socket=tcp:127.0.0.1:5060\nloadmodule \"proto_tcp.so\"\n"
		if s.module != "proto_tcp" {
			head += fmt.Sprintf("loadmodule %q\n", s.module+".so")
		}
		usual := load(t, head+"route { exit; }\n").Engine
		for _, p := range []struct {
			name, value string // without a prefix; a name with - is used as it stands
			web         bool
			set         func(*reactor.StreamConfig)
		}{
			{"crlf_pingpong", "0", false, func(c *reactor.StreamConfig) { c.CRLFPingPong = false }},
			{"crlf_drop", "1", false, func(c *reactor.StreamConfig) { c.CRLFDrop = true }},
			{"max_msg_chunks", "17", false, func(c *reactor.StreamConfig) { c.MaxChunks = 17 }},
			{"send_timeout", "123", false, func(c *reactor.StreamConfig) { c.SendTimeout = 123 * time.Millisecond }},
			{"async", "0", false, func(c *reactor.StreamConfig) { c.Async = false }},
			{"async_max_postponed_chunks", "9", false, func(c *reactor.StreamConfig) { c.MaxPostponed = 9 }},
			{"async_local_connect_timeout", "7", false, func(c *reactor.StreamConfig) { c.LocalConnectTimeout = 7 * time.Millisecond }},
			{"resource", `"/sip"`, true, func(c *reactor.StreamConfig) { c.Web.Resource = "/sip" }},
			{"handshake_timeout", "321", true, func(c *reactor.StreamConfig) { c.HandshakeTimeout = 321 * time.Millisecond }},
			{"async_handshake_timeout", "11", true, func(c *reactor.StreamConfig) { c.LocalHandshakeTimeout = 11 * time.Millisecond }},
			{"accept_timeout", "777", true, func(c *reactor.StreamConfig) { c.Web.AcceptTimeout = 777 * time.Millisecond }},
			{"-require_origin", "0", true, func(c *reactor.StreamConfig) { c.Web.RequireOrigin = false }},
			{"-allowed_origins", `"https://a.example.com, https://*.B.example.com:8443"`, true, func(c *reactor.StreamConfig) {
				c.Web.Origins = []string{"https://a.example.com", "https://*.b.example.com:8443"}
			}},
		} {
			if p.web && !s.web {
				continue
			}
			name, own := strings.CutPrefix(p.name, "-")
			if !own {
				name = s.prefix + name
			}
			got := load(t, head+fmt.Sprintf("modparam(%q, %q, %s)\nroute { exit; }\n", s.module, name, p.value)).Engine
			want := usual
			p.set(s.of(&want))
			for _, other := range streams {
				if a, b := *other.of(&got), *other.of(&want); !reflect.DeepEqual(a, b) {
					t.Errorf("%s of %s makes of %s\n%+v\nwant\n%+v", name, s.module, other.module, a, b)
				}
			}
			if reflect.DeepEqual(*s.of(&got), *s.of(&usual)) {
				t.Errorf("%s of %s does nothing: its value is the usual one", name, s.module)
			}
		}
	}
}

func TestWrong(t *testing.T) {
	for text, want := range map[string]string{
		`"ws_port", 0`:                                          "from 1 to 65535",
		`"ws_resource", "sip"`:                                  "a path that begins with /",
		`"ws_resource", "/a b"`:                                 "a path that begins with /",
		`"ws_handshake_timeout", 0`:                             "from 1 to 60000",
		`"ws_accept_timeout", 60001`:                            "from 1 to 60000",
		`"ws_send_timeout", 0`:                                  "from 1 to 60000",
		`"ws_max_msg_chunks", -1`:                               "from 0 on",
		`"require_origin", 2`:                                   "0 or 1",
		`"allowed_origins", "phone.example.com"`:                "a comma list of origins",
		`"allowed_origins", "https://phone.example.com/page"`:   "a comma list of origins",
		`"allowed_origins", "https://a.example.com,https://[x"`: "a comma list of origins",
		`"ws_tls", 1`:                                           "ws_tls",
	} {
		got := moduletest.Wrong(t, moduletest.Head("proto_ws")+"modparam(\"proto_ws\", "+text+")\nroute { exit; }\n", proto_ws.New)
		if !strings.Contains(got, want) || !strings.Contains(got, "test.cfg:") {
			t.Errorf("%s: %s", text, got)
		}
	}
}
