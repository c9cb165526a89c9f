package sipframe

import (
	"strings"
	"testing"
)

// describe writes a Via in a fixed form.
func (v *Via) describe(b []byte) string {
	var s strings.Builder
	for _, p := range []struct {
		name string
		span Span
	}{
		{"", v.Transport}, {"", v.SentBy}, {"branch", v.Branch}, {"received", v.Received}, {"rport", v.RPortValue},
	} {
		if p.span.Len > 0 {
			s.WriteString(" " + p.name + "(" + string(p.span.In(b)) + ")")
		}
	}
	if v.HasRPort {
		s.WriteString(" rport")
	}
	if v.Alias {
		s.WriteString(" alias")
	}
	if v.LastOnLine {
		s.WriteString(" last")
	}
	return strings.TrimSpace(s.String())
}

func TestParseVia(t *testing.T) {
	for _, tt := range []struct {
		in, want string
		port     int
	}{
		{"SIP/2.0/TLS a", "(TLS) (a) last", 0},
		{"SIP/2.0/TLS a:5061;branch=z9hG4bKx;rport;alias", "(TLS) (a:5061) branch(z9hG4bKx) rport alias last", 5061},
		{"SIP/2.0/UDP 192.0.2.1;rport=1234;received=192.0.2.2;x", "(UDP) (192.0.2.1) received(192.0.2.2) rport(1234) rport last", 0},
		{"SIP/2.0/TCP [2001:db8::1]:5060;received=[2001:db8::2]", "(TCP) ([2001:db8::1]:5060) received([2001:db8::2]) last", 5060},
		{"SIP/2.0/TCP [::1];received=2001:db8::2,x", "(TCP) ([::1]) received(2001:db8::2)", 0},
		{" SIP  / 2.0  / TCP     spindle.example.com   ;\r\n  branch  =   z9hG4bK9ikj8  ,\r\n SIP/2.0/UDP b",
			"(TCP) (spindle.example.com) branch(z9hG4bK9ikj8)", 0},
		{"SIP  /   2.0\r\n /UDP\r\n    192.0.2.2;branch=390skdjuw", "(UDP) (192.0.2.2) branch(390skdjuw) last", 0},
		{"SIP/2.0/TLS a : 5061 ; RPORT", "(TLS) (a : 5061) rport last", 5061},
		{"SIP/7.0/x-y a;BRANCH=1;branch=2", "(x-y) (a) branch(1) last", 0},
		{`SIP/2.0/TLS a;x="q;,\"";branch=1, b`, "(TLS) (a) branch(1)", 0},
		{"SIP/2.0/TLS a;branch=1 (old, comment), b", "(TLS) (a) branch(1)", 0},
		{"SIP/2.0/TLS a (c)", "(TLS) (a) last", 0},
		{"SIP/2.0/TCP host_name", "(TCP) (host_name) last", 0},
		{"SIP/2.0/TLS a;rport;rport=5", "(TLS) (a) rport last", 0},
	} {
		var v Via
		b := []byte(tt.in)
		if err := ParseVia(b, &v); err != nil {
			t.Errorf("%q: %v", tt.in, err)
			continue
		}
		if got := v.describe(b); got != tt.want || v.Port != tt.port {
			t.Errorf("%q: %s, port %d, want %s, port %d", tt.in, got, v.Port, tt.want, tt.port)
		}
	}
}

func TestParseViaSpans(t *testing.T) {
	for _, tt := range []struct{ in, value, params, host, rport string }{
		{" SIP/2.0/TLS a:1 ;branch=1;rport = 5 ,b", "SIP/2.0/TLS a:1 ;branch=1;rport = 5", "branch=1;rport = 5", "a", "rport = 5"},
		{"SIP/2.0/TLS a, b", "SIP/2.0/TLS a", "", "a", ""},
		{"SIP/2.0/TLS a ; rport ", "SIP/2.0/TLS a ; rport", "rport", "a", "rport"},
		{"SIP/2.0/TLS a (c) ", "SIP/2.0/TLS a (c)", "", "a", ""},
	} {
		var v Via
		b := []byte(tt.in)
		if err := ParseVia(b, &v); err != nil {
			t.Errorf("%q: %v", tt.in, err)
		}
		value, params, host, rport := string(v.Span.In(b)), string(v.Params.In(b)), string(v.Host.In(b)), string(v.RPort.In(b))
		if value != tt.value || params != tt.params || host != tt.host || rport != tt.rport {
			t.Errorf("%q: value %q, params %q, host %q, rport %q", tt.in, value, params, host, rport)
		}
		if v.Params.Off < v.Span.Off || v.Params.End() > v.Span.End() {
			t.Errorf("%q: parameters %v outside %v", tt.in, v.Params, v.Span)
		}
	}
}

func TestBadVia(t *testing.T) {
	for _, tt := range []struct {
		in     string
		defect *Defect
	}{
		{"", errVia}, {"SIP", errVia}, {"SIP/2.0", errVia}, {"SIP/2.0/", errVia}, {"SIP/2.0/TLS", errVia}, {"SIP/2.0/TLS ", errVia},
		{"SIP/2.0/TLS;branch=1", errVia}, {"SIP 2.0 TLS a", errVia}, {"SIP/2.0/TLS a b", errVia}, {"SIP/2.0/TLS a:", errVia},
		{"SIP/2.0/TLS a:0", errVia}, {"SIP/2.0/TLS a:65536", errVia}, {"SIP/2.0/TLS a:5x", errVia}, {"SIP/2.0/TLS ::1", errVia},
		{"SIP/2.0/TLS [::1", errVia}, {"SIP/2.0/TLS []", errVia}, {"SIP/2.0/TLS [x]", errVia}, {"SIP/2.0/TLS <a>", errVia},
		{"SIP/2.0/TLS ,", errVia}, {"SIP/2.0/TLS a:99999999999999999999", errVia},
		{"SIP/2.0/TLS a;;", errViaParams}, {"SIP/2.0/TLS a;", errViaParams}, {"SIP/2.0/TLS a;branch=", errViaParams},
		{"SIP/2.0/TLS a;=1", errViaParams}, {"SIP/2.0/TLS a;b=<c>", errViaParams}, {`SIP/2.0/TLS a;b="c`, errViaParams},
		{"SIP/2.0/TLS a;b=c d", errViaParams}, {"SIP/2.0/TLS a (c) d", errViaParams},
	} {
		var v Via
		err := ParseVia([]byte(tt.in), &v)
		if err != error(tt.defect) {
			t.Errorf("%q: %v, want %v", tt.in, err, tt.defect)
		}
		// With bad parameters a response can still be sent by it.
		if usable := v.Host.Len > 0; usable != (tt.defect == errViaParams) {
			t.Errorf("%q: host %v", tt.in, v.Host)
		}
	}
}

func TestViaCookie(t *testing.T) {
	for branch, want := range map[string]bool{
		"z9hG4bK1": true, "Z9HG4BK1": true, "z9hG4bK": false, "1": false, "z9hG4b1234": false,
	} {
		var v Via
		b := []byte("SIP/2.0/TLS a;branch=" + branch)
		if err := ParseVia(b, &v); err != nil || v.HasCookie(b) != want {
			t.Errorf("%s: %v, %v", branch, v.HasCookie(b), err)
		}
	}
}

func BenchmarkVia(b *testing.B) {
	b.ReportAllocs()
	in := []byte("SIP/2.0/TLS 192.0.2.15:5061;branch=z9hG4bK776asdhds;rport")
	for b.Loop() {
		var v Via
		if ParseVia(in, &v) != nil {
			b.Fatal("bad")
		}
	}
}
