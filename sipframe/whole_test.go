package sipframe

import (
	"strings"
	"testing"
)

func TestWhole(t *testing.T) {
	const head = "OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/WS x.invalid;branch=z9hG4bK1\r\n"
	large := head + "X: " + strings.Repeat("x", 1000) + "\r\n"
	for name, c := range map[string]struct {
		data       string
		kind       CutKind
		start, end int // end -1: that of data
		reason     string
		answerable bool
	}{
		"without a length":     {data: head + "\r\nbody", kind: Frame, end: -1},
		"with neither":         {data: head + "\r\n", kind: Frame, end: -1},
		"with a length":        {data: head + "Content-Length: 4\r\n\r\nbody", kind: Frame, end: -1},
		"behind white space":   {data: "\r\n\r\n" + head + "\r\n", kind: Frame, start: 4, end: -1},
		"a response":           {data: "SIP/2.0 200 OK\r\nl:0\r\n\r\n", kind: Frame, end: -1},
		"less than the length": {data: head + "Content-Length: 5\r\n\r\nbody", kind: Bad, end: len(head) + 21, reason: "Content-Length beyond the End", answerable: true},
		"more than the length": {data: head + "Content-Length: 3\r\n\r\nbody", kind: Bad, end: len(head) + 21, reason: "Bytes Behind the End", answerable: true},
		"two of them":          {data: "SIP/2.0 200 OK\r\nl:0\r\n\r\nSIP/2.0 200 OK\r\nl:0\r\n\r\n", kind: Bad, reason: "Bytes Behind the End"},
		"two lengths":          {data: head + "l: 3\r\nl: 4\r\n\r\nbody", kind: Bad, end: len(head) + 14, reason: "Contradicting Content-Length", answerable: true},
		"no end":               {data: head, kind: Bad, reason: "No Empty Line Behind the Header"},
		"half a line":          {data: "OPTIONS sip:a", kind: Bad, reason: "No Empty Line Behind the Header"},
		"one byte":             {data: "O", kind: Bad, reason: "No Empty Line Behind the Header"},
		"no SIP":               {data: "{\"a\":1}", kind: Bad, reason: "Not SIP"},
		"HTTP":                 {data: "GET / HTTP/1.1\r\n\r\n", kind: Bad, reason: "HTTP on a SIP Stream"},
		"a large header":       {data: large, kind: Bad, end: len(head), reason: ReasonTooLarge, answerable: true},
		"a large body":         {data: head + "\r\n" + strings.Repeat("b", 1000), kind: Bad, end: len(head) + 2, reason: ReasonTooLarge, answerable: true},
		"ping":                 {data: "\r\n\r\n", kind: Ping, start: 4, end: -1},
		"pong":                 {data: "\r\n", kind: Dropped, start: 2, end: -1},
		"nothing":              {kind: Dropped},
	} {
		want := Cut{Kind: c.kind, Start: c.start, End: c.end}
		if c.end < 0 {
			want.End = len(c.data)
		}
		if c.reason != "" {
			want.Defect = Defect{Code: 400, Reason: c.reason, Answerable: c.answerable}
		}
		if got := Whole(&FramerConfig{MaxMessage: 500, PingPong: true}, []byte(c.data)); got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
	if got := Whole(&FramerConfig{}, []byte("\r\n\r\n")); got.Kind != Dropped {
		t.Errorf("a ping that is not answered: %v", got.Kind)
	}
}

// What Whole takes, the parser takes; and what a Framer cuts is whole.
func FuzzWhole(f *testing.F) {
	f.Add([]byte("OPTIONS sip:a SIP/2.0\r\nl: 2\r\n\r\nab"))
	f.Add([]byte("SIP/2.0 200 OK\r\n\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		cfg := &FramerConfig{MaxMessage: 4096, PingPong: true}
		cut := Whole(cfg, data)
		if cut.Start < 0 || cut.Start > cut.End || cut.End > len(data) || cut.Kind == NeedMore || cut.Kind == Over {
			t.Fatalf("%+v of %d bytes", cut, len(data))
		}
		if cut.Kind == Frame && cut.End != len(data) {
			t.Fatalf("%+v leaves bytes of %d behind", cut, len(data))
		}
		var framer Framer
		if c := framer.Next(cfg, data); c.Kind == Frame && c.End == len(data) && cut.Kind != Frame {
			t.Fatalf("a stream has %+v, a whole %+v", c, cut)
		}
	})
}
