package script

import (
	"net/netip"
	"strings"
	"testing"
)

// Configurations as operators publish them load whole, and do what they say.
func TestPublicConfigurations(t *testing.T) {
	request := func(line string, headers ...string) []byte {
		return crlf(line + "\nVia: SIP/2.0/TLS 10.0.0.9:5061;branch=z9hG4bKp;rport\nMax-Forwards: 69\nFrom: <sip:alice@atlanta.example>;tag=1\n" +
			strings.Join(append(headers, "Call-ID: p1@pc33", "CSeq: 1 "+strings.Fields(line)[0], "Content-Length: 0"), "\n") + "\n\n")
	}
	options := request("OPTIONS sip:10.0.0.1 SIP/2.0", "To: <sip:10.0.0.1>")
	scanner := request("OPTIONS sip:x@10.0.0.1 SIP/2.0", "To: <sip:10.0.0.1>;tag=2", "User-Agent: friendly-scanner")
	preloaded := request("INVITE sip:x@198.51.100.1 SIP/2.0", "To: <sip:x@198.51.100.1>", "Route: <sip:10.0.0.1:5061;transport=tls;lr>,<sip:198.51.100.1;lr>")
	register := request("REGISTER sip:example.net SIP/2.0", "To: <sip:a@example.net>")
	short := request("INVITE sip:+1@example.net SIP/2.0", "To: <sip:+1@example.net>")
	for _, tt := range []struct {
		file    string
		message []byte
		want    string // in what is sent; "" for nothing
	}{
		{"trunk", invite, "INVITE sip:+4930123@10.0.0.20:5060 SIP/2.0"},
		{"trunk", invite, "Record-Route: <sip:"},
		{"trunk", options, "SIP/2.0 200 Keepalive"},
		{"trunk", preloaded, "SIP/2.0 403 Preload Route denied"},
		{"balancer", options, "SIP/2.0 200 OK"},
		{"balancer", scanner, ""},
		{"balancer", invite, "INVITE sip:"},
		{"rewrite", invite, "INVITE sip:004930123@example.net"},
		{"rewrite", invite, "X-Dialled: +4930123"},
		{"rewrite", register, "SIP/2.0 405 Method Not Allowed"},
		{"rewrite", short, "X-Dialled: +1"},
		{"tlsdomains", invite, "SIP/2.0 403 Certificate Required"},
		{"tracing", invite, "SIP/2.0 403 Relaying Denied"},
		{"tracing", request("OPTIONS sip:edge.example.org SIP/2.0", "To: <sip:edge.example.org>"), "SIP/2.0 200 OK"},
	} {
		b := newBenchOf(t, "testdata/public/"+tt.file+".cfg")
		b.src.Remote = netip.MustParseAddrPort("192.0.2.9:40000")
		b.receive(tt.message)
		var got string
		for _, s := range b.peer.sent {
			got += s.text
		}
		if tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
			t.Errorf("%s: %.30s sends %q, want %q", tt.file, tt.message, got, tt.want)
		}
	}
}
