package topology_hiding_test

import (
	"bytes"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"sipreactor/reactor/modules/moduletest"
	"sipreactor/sipframe"
)

// callRoutes are those of a call; MORE is what is done for its INVITE, MATCH how later requests find their way.
const callRoutes = `
route {
	if (has_totag()) {
		MATCH;
		t_relay();
		exit;
	}
	MORE
	t_relay();
}
`

// BenchmarkCall is a call through the script, from INVITE to the 200 of its BYE: statefully, with a dialog, and hidden with
// and without one. What a dialog and hiding may cost is a share of the first.
func BenchmarkCall(b *testing.B) {
	for _, tt := range []struct{ name, match, more string }{
		{"stateful", "loose_route()", "record_route();"},
		{"dialog", "loose_route()", "record_route(); create_dialog();"},
		{"hidden", "topology_hiding_match()", "create_dialog(); topology_hiding();"},
		{"hidden alone", "topology_hiding_match()", "topology_hiding();"},
	} {
		b.Run(tt.name, func(b *testing.B) {
			rack := moduletest.New(b, bare+strings.NewReplacer("MATCH", tt.match, "MORE", tt.more).Replace(callRoutes), modules...)
			n := 0
			call := func() {
				n++
				benchCall(b, rack, n)
			}
			for range 1000 {
				call()
			}
			b.ReportAllocs()
			before := processor(b)
			for b.Loop() {
				call()
			}
			b.ReportMetric(float64(processor(b)-before)/float64(b.N), "cpu-ns/op")
		})
	}
}

// processor is the processor time of this process so far in nanoseconds, which other processes do not change.
func processor(b *testing.B) int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

// benchCall makes one call.
func benchCall(b *testing.B, rack *moduletest.Bench, n int) {
	const head = "Max-Forwards: 70\r\nFrom: <sip:alice@example.com>;tag=a\r\nCall-ID: %d@example.com\r\nContact: <sip:alice@10.0.0.9:40000;transport=tls>\r\n%sTo: <sip:bob@example.com>%s\r\nCSeq: %d %s\r\nContent-Length: 0\r\n\r\n"
	request := func(method, uri, to, routes string, seq int) string {
		rack.Sent = rack.Sent[:0]
		rack.Context.Receive(fmt.Appendf(nil, "%s %s SIP/2.0\r\nVia: SIP/2.0/TLS 10.0.0.9:40000;branch=z9hG4bK%s%d\r\n"+head, method, uri, method, n, n, routes, to, seq, method), rack.Source)
		for i := range rack.Sent {
			if strings.HasPrefix(rack.Sent[i].Text, method+" ") {
				return rack.Sent[i].Text
			}
		}
		b.Fatalf("%s is not sent: %v", method, rack.Sent)
		return ""
	}
	respond := func(request, status string) string {
		rack.Sent = rack.Sent[:0]
		_, rest, _ := strings.Cut(request, "\r\n")
		rest = strings.Replace(strings.Replace(rest, "<sip:bob@example.com>\r\n", "<sip:bob@example.com>;tag=b\r\n", 1), "Max-Forwards: 69\r\n", "", 1)
		at := strings.Index(rest, "Contact: <")
		rest = rest[:at] + "Contact: <sip:bob@192.0.2.9:5061;transport=tls>" + rest[at+strings.Index(rest[at:], "\r\n"):]
		rack.Context.Receive([]byte("SIP/2.0 "+status+"\r\n"+rest), callee)
		return rack.Sent[len(rack.Sent)-1].Text
	}
	invite := request("INVITE", "sip:bob@192.0.2.9:5061;transport=tls", "", "", 1)
	respond(invite, "180 Ringing")
	ok := respond(invite, "200 OK")
	m := new(sipframe.Message)
	if err := m.Parse([]byte(ok)); err != nil {
		b.Fatal(err)
	}
	routes, uri := "", "sip:bob@192.0.2.9:5061;transport=tls"
	for it := m.RecordRoutes(); ; {
		v, more := it.Next()
		if !more {
			break
		}
		routes = "Route: " + string(m.Bytes(v)) + "\r\n" + routes
	}
	if a, err := m.Contact(); err == nil {
		uri = string(bytes.Clone(m.Bytes(a.URI)))
	}
	request("ACK", uri, ";tag=b", routes, 1)
	respond(request("BYE", uri, ";tag=b", routes, 2), "200 OK")
}
