package sipgobench

import (
	"strings"
	"testing"

	"github.com/emiago/sipgo/sip"

	"sipreactor/sipframe"
)

// invite is the message of sipframe's own benchmarks, 470 bytes with its body.
var invite = []byte(strings.Join([]string{
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
}, "\r\n"))

// TestBothReadTheMessage keeps the comparison honest: each reads the whole message without an error.
func TestBothReadTheMessage(t *testing.T) {
	if len(invite) != 470 {
		t.Errorf("%d bytes, want 470", len(invite))
	}
	msg, err := sip.NewParser().ParseSIP(invite)
	if err != nil {
		t.Fatal(err)
	}
	if got := msg.CallID().Value(); got != "a84b4c@192.0.2.15" {
		t.Errorf("sipgo: Call-ID %q", got)
	}
	var m sipframe.Message
	if err := m.Parse(invite); err != nil {
		t.Fatal(err)
	}
	if got := string(m.CallID()); got != "a84b4c@192.0.2.15" {
		t.Errorf("sipframe: Call-ID %q", got)
	}
	if len(m.Body()) != len(msg.Body()) || len(m.Body()) != 90 {
		t.Errorf("bodies of %d and %d bytes", len(m.Body()), len(msg.Body()))
	}
}

func BenchmarkSipgo(b *testing.B) {
	p := sip.NewParser()
	b.SetBytes(int64(len(invite)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.ParseSIP(invite); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSipgoStream(b *testing.B) {
	s := sip.NewParser().NewSIPStream()
	defer s.Close()
	b.SetBytes(int64(len(invite)))
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		if err := s.ParseSIPStream(invite, func(sip.Message) { n++ }); err != nil || n != 1 {
			b.Fatal(n, err)
		}
	}
}

// BenchmarkSipframeIndex frames and indexes: what a proxy pays before it knows which values it needs.
func BenchmarkSipframeIndex(b *testing.B) {
	sipframeStream(b, func(*sipframe.Message) bool { return true })
}

// BenchmarkSipframe frames, indexes, and parses every value that sipgo's parser parses at once.
func BenchmarkSipframe(b *testing.B) { sipframeStream(b, values) }

func sipframeStream(b *testing.B, read func(*sipframe.Message) bool) {
	cfg := sipframe.FramerConfig{}
	var f sipframe.Framer
	var m sipframe.Message
	b.SetBytes(int64(len(invite)))
	b.ReportAllocs()
	for b.Loop() {
		cut := f.Next(&cfg, invite)
		if cut.Kind != sipframe.Frame {
			b.Fatal(cut.Kind)
		}
		if err := m.Parse(invite[cut.Start:cut.End]); err != nil || !read(&m) {
			b.Fatal("not read", err)
		}
	}
}

// values parses what sipgo parses by default: Via, From, To, Contact with its
// URI, Call-ID, CSeq, Max-Forwards, Content-Length, Content-Type, Request-URI
// and the URIs of From and To.
func values(m *sipframe.Message) bool {
	_, err1 := m.TopVia()
	from, err2 := m.From()
	to, err3 := m.To()
	_, _, err4 := m.CSeq()
	_, _, err5 := m.MaxForwards()
	_, _, err6 := m.ContentLength()
	_, err7 := m.URI()
	contact, err8 := m.Contact()
	for _, err := range [...]error{err1, err2, err3, err4, err5, err6, err7, err8} {
		if err != nil {
			return false
		}
	}
	var u sipframe.URI
	return sipframe.ParseURI(m.Bytes(from.URI), &u) == nil && sipframe.ParseURI(m.Bytes(to.URI), &u) == nil &&
		sipframe.ParseURI(m.Bytes(contact.URI), &u) == nil &&
		len(m.CallID()) > 0 && len(m.Value(sipframe.HeaderContentType)) > 0
}
