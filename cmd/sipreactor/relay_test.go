package main

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/template"

	"sipreactor/reactor"
	"sipreactor/reactor/proxy"
	"sipreactor/reactor/script"
)

// departures is what a script under attack sends by.
type departures struct{ sent []string }

func (h *departures) Send(t *reactor.Target, m reactor.Appender) (reactor.Outcome, error) {
	line, _, _ := strings.Cut(string(m.AppendTo(nil)), "\r\n")
	if t.Conn == 0 {
		line += " to " + t.Addr.String()
	}
	h.sent = append(h.sent, line)
	return reactor.Sent, nil
}

func (h *departures) Wait(f func()) bool { f(); return true }

// attacks are what a stranger sends to have us reach a service on this machine, or anybody.
var attacks = []struct{ method, uri, extra string }{
	{"MESSAGE", "sip:x@127.0.0.1:8888;transport=tls", ""},
	{"MESSAGE", "sip:x@127.0.0.1:8888", ""},
	{"MESSAGE", "sip:x@192.0.2.66;transport=tls", ""},
	{"MESSAGE", "sip:x@example.com;maddr=192.0.2.66;transport=tls", ""},
	{"BYE", "sip:x@127.0.0.1:8888;transport=tls", "To: <sip:x@y>;tag=made-up\r\nRoute: <sip:127.0.0.1:5061;transport=tls;lr>\r\n"},
	{"BYE", "sip:x@127.0.0.1:8888", "To: <sip:x@y>;tag=made-up\r\nRoute: <sip:127.0.0.1:5061;transport=tls;lr>, <sip:127.0.0.1:8888;lr>\r\n"},
	{"ACK", "sip:x@127.0.0.1:8888;transport=tls", "To: <sip:x@y>;tag=made-up\r\nRoute: <sip:127.0.0.1:5061;transport=tls;lr>\r\n"},
	{"ACK", "sip:x@192.0.2.66;transport=tls", "To: <sip:x@y>;tag=made-up\r\n"},
	{"INVITE", "sip:x@127.0.0.1:5061;transport=tls", "To: <sip:x@y>\r\nRoute: <sip:127.0.0.1:8888;transport=tls;lr>\r\n"},
}

// Every configuration that is shipped sends strangers' requests nowhere but to its own softswitch, if it has one.
func TestShippedConfigurationsAreClosed(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, heart, _ := strings.Cut(string(readme), "Its heart:\n\n```\n")
	heart, _, _ = strings.Cut(heart, "\n```")
	all := map[string]string{"README.md": heart, "built-in": string(script.Default())}
	for _, path := range []string{"examples/opensips.cfg", "../../bench/e2e/testdata/proxy.cfg", "../../bench/interop/testdata/edge.cfg",
		"../../bench/system/conf/opensips.cfg", "../../bench/dashboard/testdata/metrics.cfg"} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var plain strings.Builder // of what is a template
		if err := template.Must(template.New("").Parse(string(text))).Execute(&plain, map[string]any{}); err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(filepath.Dir(path))+"/"+filepath.Base(path)] = plain.String()
	}
	const dir = "127.0.0.1"
	t.Setenv("PEMS", "/none")
	for _, env := range []string{"TLS", "TRUNK", "TCP", "EDGE"} {
		t.Setenv(env, dir+":5061")
	}
	for name, text := range all {
		// Only the routing counts here: no certificate, ticket key or peer is needed for it.
		at := strings.Index(text, "\nroute {") + 1
		cfg, err := loader().Compile(name, []byte(strings.Join([]string{
			"socket=tls:127.0.0.1:5061\nsocket=udp:127.0.0.1:5060\nalias=example.com",
			`loadmodule "proto_tls.so"`, `loadmodule "proto_udp.so"`, `loadmodule "tls_mgm.so"`, `loadmodule "sl.so"`, `loadmodule "signaling.so"`,
			`loadmodule "maxfwd.so"`, `loadmodule "rr.so"`, `loadmodule "sipmsgops.so"`, text[at:],
		}, "\n")))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, n := range cfg.Notes {
			if strings.Contains(n.Msg, "sends anything from anybody") {
				t.Errorf("%s: %v", name, n)
			}
		}
		p, err := proxy.New(cfg.Proxy, cfg.Program)
		if err != nil {
			t.Fatal(err)
		}
		tls := &reactor.Socket{Proto: reactor.TLS, Addr: netip.MustParseAddrPort("127.0.0.1:5061")}
		p.SetSockets([]*reactor.Socket{tls, {Proto: reactor.UDP, Addr: netip.MustParseAddrPort("127.0.0.1:5060")}})
		out := &departures{}
		c := p.NewContext(out)
		for _, a := range attacks {
			extra := a.extra
			if extra == "" {
				extra = "To: <sip:x@y>\r\n"
			}
			out.sent = nil
			c.Receive([]byte(a.method+" "+a.uri+" SIP/2.0\r\nVia: SIP/2.0/TLS 198.51.100.66:5061;branch=z9hG4bK"+a.method+"\r\nMax-Forwards: 70\r\n"+
				"From: <sip:m@y>;tag=1\r\n"+extra+"Call-ID: 1\r\nCSeq: 1 "+a.method+"\r\nContent-Length: 0\r\n\r\n"),
				&reactor.Source{Conn: 7, Proto: reactor.TLS, Socket: tls, Remote: netip.MustParseAddrPort("198.51.100.66:40000"), Local: tls.Addr})
			for _, sent := range out.sent {
				if !strings.HasPrefix(sent, "SIP/2.0 ") && !strings.HasSuffix(sent, " to 127.0.0.1:5080") || strings.Contains(sent, ":8888") && !strings.HasPrefix(sent, "SIP/2.0 ") {
					t.Errorf("%s: %s %s: sent %s", name, a.method, a.uri, sent)
				}
			}
		}
	}
}
