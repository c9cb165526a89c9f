package sipframe

import (
	"strings"
	"testing"
)

// invite is a request as a trunk sends it, 470 bytes with its body.
var invite = lines(
	"INVITE sip:+4930123456@sbc.example.net;user=phone SIP/2.0",
	"Via: SIP/2.0/TLS 192.0.2.15:5061;branch=z9hG4bK776a",
	"Max-Forwards: 70",
	"From: \"Alice\" <sip:alice@example.com>;tag=192830177",
	"To: <sip:+4930123456@sbc.example.net>",
	"Call-ID: a84b4c@192.0.2.15",
	"CSeq: 314159 INVITE",
	"Contact: <sips:alice@192.0.2.15:5061>",
	"User-Agent: e/2",
	"Content-Type: application/sdp",
	"Content-Length: 90",
	"",
	"v=0",
	"o=- 1 1 IN IP4 192.0.2.15",
	"s=-",
	"c=IN IP4 192.0.2.15",
	"t=0 0",
	"m=audio 49170 RTP/AVP 0",
	"",
)

// lines joins lines by CRLF and puts no line end behind the last one.
func lines(l ...string) []byte { return []byte(strings.Join(l, "\r\n")) }

func TestInviteSize(t *testing.T) {
	if len(invite) != 470 {
		t.Errorf("the benchmarks' message has %d bytes, want 470", len(invite))
	}
	var f Framer
	if cut := f.Next(&FramerConfig{}, invite); cut.Kind != Frame || cut.End != len(invite) {
		t.Errorf("cut %+v", cut)
	}
}

func BenchmarkFrame(b *testing.B) {
	b.SetBytes(int64(len(invite)))
	b.ReportAllocs()
	var f Framer
	cfg := &FramerConfig{PingPong: true}
	for b.Loop() {
		if f.Next(cfg, invite).Kind != Frame {
			b.Fatal("no frame")
		}
	}
}

func BenchmarkIndex(b *testing.B) {
	b.SetBytes(int64(len(invite)))
	b.ReportAllocs()
	var m Message
	for b.Loop() {
		if err := m.Parse(invite); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFrameAndIndex(b *testing.B) {
	b.SetBytes(int64(len(invite)))
	b.ReportAllocs()
	var f Framer
	var m Message
	cfg := &FramerConfig{PingPong: true}
	for b.Loop() {
		cut := f.Next(cfg, invite)
		if err := m.Parse(invite[cut.Start:cut.End]); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkValidate(b *testing.B) {
	b.ReportAllocs()
	var m Message
	var v Verdict
	if err := m.Parse(invite); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		m.done = 0
		if m.Validate(&v); v.Code != 0 {
			b.Fatal(v.Reason)
		}
	}
}

// BenchmarkForward writes what a stateless proxy sends on: own Via, received,
// Max-Forwards, Request-URI, Record-Route.
func BenchmarkForward(b *testing.B) {
	b.SetBytes(int64(len(invite)))
	b.ReportAllocs()
	var m Message
	if err := m.Parse(invite); err != nil {
		b.Fatal(err)
	}
	var r Rewriter
	out := make([]byte, 0, 2048)
	for b.Loop() {
		m.done = 0
		if err := forward(&r, &m); err != nil {
			b.Fatal(err)
		}
		out = r.AppendTo(out[:0])
	}
	if len(out) != r.Len() {
		b.Fatal(len(out), r.Len())
	}
}

var (
	newURI      = []byte("sip:+4930123456@198.51.100.7:5061;transport=tls")
	newVia      = []byte("Via: SIP/2.0/TLS 203.0.113.1:5061;branch=z9hG4bK4b43c2ff8.1;i=7\r\n")
	newReceived = []byte(";received=192.0.2.99")
	newRoute    = []byte("Record-Route: <sip:203.0.113.1:5061;transport=tls;lr>\r\n")
)

func forward(r *Rewriter, m *Message) error {
	via, err := m.TopVia()
	if err != nil {
		return err
	}
	hops, _, err := m.MaxForwards()
	if err != nil {
		return err
	}
	r.Reset(m)
	r.Replace(m.RequestURISpan(), newURI)
	r.Prepend(newRoute)
	r.InsertBefore(m.Find(HeaderVia), newVia)
	r.Insert(via.Span.End(), newReceived)
	r.ReplaceUint(m.Header(m.Find(HeaderMaxForwards)).Value, uint64(hops-1))
	return nil
}
