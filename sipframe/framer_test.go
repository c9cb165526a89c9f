package sipframe

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

const (
	smallOptions = "OPTIONS sip:a@b SIP/2.0\r\nContent-Length: 0\r\n\r\n"
	smallMessage = "MESSAGE sip:a@b SIP/2.0\r\nl:5\r\n\r\nhello"
)

// The table of CRLF rules; "|" parts two reads.
func TestCRLFRules(t *testing.T) {
	const crlf = "\r\n"
	for _, tt := range []struct {
		in   string
		want [4]string // pingpong,drop = 1,0  1,1  0,0  0,1
	}{
		{crlf + crlf, [4]string{"Ping", "Ping", "", "Dropped"}},
		{crlf, [4]string{"", "Dropped", "", "Dropped"}},
		{crlf + "|" + crlf, [4]string{"|Ping", "Dropped|Dropped", "|", "Dropped|Dropped"}},
		{crlf + crlf + crlf, [4]string{"Ping", "Ping Dropped", "", "Dropped"}},
		{crlf + "MSG", [4]string{"Frame", "Frame", "Frame", "Frame"}},
		{crlf + crlf + "MSG", [4]string{"Ping Frame", "Ping Frame", "Frame", "Frame"}},
		// What the table leaves open.
		{"\r|\n\r|\n", [4]string{"||Ping", "||Ping", "||", "||Dropped"}},
		{crlf + "\r|\n", [4]string{"|Ping", "|Ping", "|", "|Dropped"}},
		{"\n\n", [4]string{}},
		{crlf + " " + crlf, [4]string{"", "Dropped", "", "Dropped"}},
		{crlf + "|" + crlf + crlf, [4]string{"|Ping", "Dropped|Ping", "|", "Dropped|Dropped"}},
		{crlf + "\r" + crlf, [4]string{"", "Dropped", "", "Dropped"}},
		{"MSG" + crlf + crlf + "MSG", [4]string{"Frame Ping Frame", "Frame Ping Frame", "Frame Frame", "Frame Frame"}},
		{"MSG" + crlf + "|" + crlf, [4]string{"Frame|Ping", "Frame Dropped|Dropped", "Frame|", "Frame Dropped|Dropped"}},
	} {
		for i, cfg := range []FramerConfig{{PingPong: true}, {PingPong: true, DropCRLF: true}, {}, {DropCRLF: true}} {
			p := &peer{cfg: cfg}
			var got []string
			for read := range strings.SplitSeq(tt.in, "|") {
				from := len(p.events)
				p.read([]byte(strings.ReplaceAll(read, "MSG", smallOptions)))
				var kinds []string
				for _, e := range p.events[from:] {
					kinds = append(kinds, e.kind.String())
				}
				got = append(got, strings.Join(kinds, " "))
			}
			if g := strings.Join(got, "|"); strings.Trim(g, "|") != strings.Trim(tt.want[i], "|") || strings.Count(g, "|") != strings.Count(tt.in, "|") {
				t.Errorf("%q with %+v: %q, want %q", tt.in, cfg, g, tt.want[i])
			}
			if p.worst > 0 {
				t.Errorf("%q with %+v: %d bytes kept between messages", tt.in, cfg, p.worst)
			}
		}
	}
}

func TestFrames(t *testing.T) {
	for _, stream := range []string{
		smallOptions,
		smallOptions + smallMessage,
		" \t\n" + smallMessage + "\n" + smallOptions,
		"SIP/2.0 200 OK\nCONTENT-LENGTH : 3\n\nabc",
		"sip/2.0 100\r\nL\t:\t0\r\n\r\n",
		"OPTIONS sip:a SIP/2.0\r\nContent-Length:\r\n\t5\r\n\r\nhello",
		"OPTIONS sip:a SIP/2.0\r\nContent-Length: 5\r\n \r\n\r\nhello",
		"OPTIONS sip:a SIP/2.0\r\nSubject: x\r\n l: 3\r\nl: 5\r\n\r\nhello",
		"OPTIONS sip:a SIP/2.0\r\n l: 3\r\nl: 5\r\n\r\nhello",
		"OPTIONS sip:a SIP/2.0\r\nContent_Length: 3\r\nl: 5\r\n\r\nhello",
		"OPTIONS sip:a SIP/2.0\r\nContent-Length\r\n: 3\r\nl: 5\r\n\r\nhello",
		"OPTIONS sip:a SIP/2.0\r\nX-Content-Length: 3\r\nContent-Lengthy: 4\r\nc: 7\r\nlo: 2\r\nl: 5\r\n\r\nhello",
		"OPTIONS sip:a SIP/2.0\r\nl: 5\r\nContent-Length: 005\r\n\r\nhello",
		"OPTIONS sip:a\tb SIP/2.0\r\nl: 5\r\n\r\nhello", // not the framer's business
		"OPTIONS sip:a SIP/9.9  \r\nl: 5\r\n\r\nhello",
		"OPTIONS sip:a SIP/2.0\r\nl: 5\r\n\rX: y\r\nno colon\r\n\r\nhello",
	} {
		p := feed(FramerConfig{}, []byte(stream))
		end := 0
		for _, e := range p.events {
			if e.kind != Frame {
				t.Errorf("%q: %v", stream, e)
			}
			end = e.end
		}
		if end != len(stream) {
			t.Errorf("%q: cut up to %d of %d: %v", stream, end, len(stream), p.events)
		}
	}
}

func TestBadStreams(t *testing.T) {
	long := strings.Repeat("x", 200)
	for _, tt := range []struct {
		stream     string
		reason     string
		answerable bool
	}{
		{"OPTIONS sip:a SIP/2.0\r\nX: y\r\n\r\n", ReasonNoLength, true},
		{"OPTIONS sip:a SIP/2.0\r\n\r\n", ReasonNoLength, true},
		{"SIP/2.0 200 OK\r\nX: y\r\n\r\n", ReasonNoLength, false},
		{"OPTIONS sip:a SIP/2.0\r\nl: 5\r\nX: y\r\nl: 6\r\n\r\n", "Contradicting Content-Length", true},
		{"OPTIONS sip:a SIP/2.0\r\nl: -5\r\n\r\n", "Bad Content-Length", true},
		{"OPTIONS sip:a SIP/2.0\r\nl: +5\r\n\r\n", "Bad Content-Length", true},
		{"OPTIONS sip:a SIP/2.0\r\nl: 5, 5\r\n\r\n", "Bad Content-Length", true},
		{"OPTIONS sip:a SIP/2.0\r\nl: 1\r\n 0\r\n\r\n", "Bad Content-Length", true},
		{"OPTIONS sip:a SIP/2.0\r\nl: 0x5\r\n\r\n", "Bad Content-Length", true},
		{"OPTIONS sip:a SIP/2.0\r\nl:\r\n\r\n", "Bad Content-Length", true},
		{"OPTIONS sip:a SIP/2.0\r\nl: 18446744073709551621\r\n\r\n", "Bad Content-Length", true},
		{"OPTIONS sip:a SIP/2.0\r\nl: 4294967301\r\n\r\n", "Bad Content-Length", true},
		{"SIP/2.0 200 OK\r\nl: -5\r\n\r\n", "Bad Content-Length", false},
		{"OPTIONS sip:a SIP/2.0\r\nl: 65536\r\n\r\n", ReasonTooLarge, true},
		{"OPTIONS sip:a SIP/2.0\r\nl: 65501\r\n\r\n", ReasonTooLarge, true},
		{"OPTIONS sip:a SIP/2.0\r\nX: " + strings.Repeat(long, 400) + "\r\nY: z\r\n\r\n", ReasonTooLarge, true},
		{"OPTIONS sip:" + strings.Repeat(long, 400) + " SIP/2.0\r\nY: z\r\n\r\n", ReasonTooLarge, true},
		{"OPTIONS sip:a SIP/2.0\r\nX: " + strings.Repeat(long, 400) + "\r\nl: 5\r\nl: 6\r\n\r\n", ReasonTooLarge, true},
		{"OPTIONS sip:a SIP/2.0\r\nX: " + strings.Repeat(long, 800), ReasonTooLarge, true},
		{"OPTIONS sip:" + strings.Repeat(long, 800), ReasonTooLarge, false},
		{"GET / HTTP/1.1\r\n", "HTTP on a SIP Stream", false},
		{"GET /", "HTTP on a SIP Stream", false},
		{"PRI * HTTP/2.0\r\n", "HTTP on a SIP Stream", false},
		{"CONNECT a:1 HTTP/1.1\r\n", "HTTP on a SIP Stream", false},
		{"HTTP/1.1 200 OK\r\n", "HTTP on a SIP Stream", false},
		{"\x16\x03\x01\x02\x00\x01", "TLS Record on a SIP Stream", false},
		{"\x00", "Control Byte in First Line", false},
		{"INVITE\t", "Control Byte in First Line", false},
		{"INVITE sip:a\x00\r\n", "Control Byte in First Line", false},
		{"INVITE \x01\x02\n", "Control Byte in First Line", false},
		{"hello\r\n", "Control Byte in First Line", false},
		{"\xff", "Not SIP", false},
		{"/", "Not SIP", false},
		{"SIPS/", "Not SIP", false},
		{"{\"a\":", "Not SIP", false},
		{long, "Not SIP", false},
		{"INVITE sip:a\r\n", "No SIP Version in First Line", false},
		{"INVITE sip:a RTSP/1.0\r\n", "No SIP Version in First Line", false},
		{"SIP/x 200 OK\r\n", "No SIP Version in First Line", false},
		{"SIP/\r\n", "No SIP Version in First Line", false},
	} {
		for _, lead := range []string{"", smallMessage + "\r\n"} {
			p := feed(FramerConfig{}, []byte(lead+tt.stream))
			want := event{Bad, len(lead), len(lead), Defect{400, tt.reason, tt.answerable}}
			if tt.answerable {
				want.end = len(lead) + strings.LastIndexByte(tt.stream, '\n') + 1
			}
			if !p.bad() || p.events[len(p.events)-1] != want {
				t.Errorf("%.60q: %v, want %v", lead+tt.stream, p.events, want)
			}
		}
	}
}

// What a defect is seen by is the last byte of it: without that, there is none yet.
func TestBadIsEarly(t *testing.T) {
	for _, s := range []string{"GET /", "\x16", "INVITE sip:a\x00\n", "\xff", "HTTP/", "INVITE sip:a SIP/2.0\r\nl: 5\r\nl: 6\r\n\r\n"} {
		if p := feed(FramerConfig{}, []byte(s[:len(s)-1])); p.bad() {
			t.Errorf("%q is bad already: %v", s[:len(s)-1], p.events)
		}
		if p := feed(FramerConfig{}, []byte(s)); !p.bad() {
			t.Errorf("%q is not bad", s)
		}
	}
}

func TestBadStays(t *testing.T) {
	var f Framer
	cfg := &FramerConfig{}
	first := f.Next(cfg, []byte("GET /x"))
	if again := f.Next(cfg, []byte(smallOptions)); again != first {
		t.Errorf("after Bad: %+v, want %+v", again, first)
	}
	f.Reset()
	if cut := f.Next(cfg, []byte(smallOptions)); cut.Kind != Frame {
		t.Errorf("after Reset: %+v", cut)
	}
}

func TestMaxMessage(t *testing.T) {
	n := len(smallMessage)
	for _, tt := range []struct {
		max  int
		want CutKind
	}{{n - 1, Bad}, {n, Frame}, {n + 1, Frame}, {n - 5, Bad}, {10, Bad}, {1, Bad}, {0, Frame}, {-1, Frame}} {
		for _, size := range []int{n, 1} {
			p := feed(FramerConfig{MaxMessage: tt.max}, []byte(smallMessage), size)
			if len(p.events) != 1 || p.events[0].kind != tt.want {
				t.Errorf("%d bytes at most, %d a read: %v, want %v", tt.max, size, p.events, tt.want)
				continue
			}
			if d := p.events[0].defect; tt.want == Bad && d.Reason != ReasonTooLarge {
				t.Errorf("%d bytes at most: %v", tt.max, d)
			}
		}
	}
}

// streams are used by the tests that cut them, and as seeds of the fuzz targets.
var streams = []string{
	smallOptions + "\r\n\r\n" + smallMessage,
	string(invite) + string(invite),
	"\r\n \t\r\n" + smallMessage + "\r\n\r\n\r\n" + smallMessage + "\r\n",
	"SIP/2.0 200 OK\nCONTENT-LENGTH : 3\nX:\n y\n\nabc" + smallOptions,
	"OPTIONS sip:a SIP/2.0\r\nContent-Length:\r\n\t5\r\n \r\n\r\nhello\r\n\r\n\r\n\r\n",
	"OPTIONS sip:a SIP/2.0\r\nSubject: x\r\n l: 3\r\nl: 5\r\n\r\nhello",
	"OPTIONS sip:a SIP/2.0\r\nl: 5\r\nl: 6\r\n\r\nhello",
	"OPTIONS sip:a SIP/2.0\r\nX: y\r\rz\r\n\rX: y\r\n\r\nhello",
	"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
	"OPTIONS sip:a SIP/2.0\r\nContent-Length: 70000\r\n\r\n",
	"INVITE sip:a\r\nl: 0\r\n\r\n",
}

// A stream gives the same cuts, however it is cut. DropCRLF is the exception by
// its nature: it acts on where a read ends.
func TestCutAnywhere(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, s := range streams {
		for _, cfg := range []FramerConfig{{}, {PingPong: true}, {PingPong: true, MaxMessage: 50}} {
			want := feed(cfg, []byte(s)).events
			for at := 1; at < len(s); at++ {
				if got := feed(cfg, []byte(s), at, len(s)).events; !reflect.DeepEqual(got, want) {
					t.Fatalf("%q cut at %d: %v, want %v", s, at, got, want)
				}
			}
			for size := 1; size < 5; size++ {
				if got := feed(cfg, []byte(s), size).events; !reflect.DeepEqual(got, want) {
					t.Fatalf("%q, %d bytes a read: %v, want %v", s, size, got, want)
				}
			}
			for range 50 {
				sizes := randomSizes(r, len(s))
				if got := feed(cfg, []byte(s), sizes...).events; !reflect.DeepEqual(got, want) {
					t.Fatalf("%q in reads of %v: %v, want %v", s, sizes, got, want)
				}
			}
		}
	}
}

// A body is not looked at: not even one that is full of messages.
func TestBodyIsOpaque(t *testing.T) {
	body := strings.Repeat(smallOptions, 20) + "\r\n\r\n\x00\xff"
	msg := fmt.Sprintf("MESSAGE sip:a SIP/2.0\r\nl: %d\r\n\r\n%s", len(body), body)
	for _, size := range []int{1, 7, len(msg)} {
		p := feed(FramerConfig{PingPong: true}, []byte(msg), size)
		if len(p.events) != 1 || p.events[0] != (event{kind: Frame, end: len(msg)}) {
			t.Errorf("%d bytes a read: %v", size, p.events)
		}
	}
}

// Time must grow with the bytes, not with the reads: a message that comes byte
// by byte is not looked at from its start each time.
func TestFramerIsLinear(t *testing.T) {
	big := []byte("OPTIONS sip:a SIP/2.0\r\nX: " + strings.Repeat("x", 60_000))
	var f Framer
	cfg := &FramerConfig{}
	for i := range big {
		if cut := f.Next(cfg, big[:i+1]); cut.Kind != NeedMore || cut.Start != 0 {
			t.Fatalf("at %d: %+v", i, cut)
		}
		if f.phase == inHeaders && f.pos < i-1 {
			t.Fatalf("%d bytes seen, only %d remembered", i+1, f.pos)
		}
	}
}

func TestFramerAllocates(t *testing.T) {
	stream := bytes.Repeat(invite, 3)
	cfg := &FramerConfig{PingPong: true}
	if avg := testing.AllocsPerRun(100, func() {
		var f Framer
		for pos := 0; ; {
			cut := f.Next(cfg, stream[pos:])
			if cut.Kind == NeedMore {
				break
			}
			pos += cut.End
		}
		f.Reset()
		f.Next(cfg, []byte("GET / HTTP/1.1\r\n"))
	}); avg > 0 {
		t.Errorf("%v allocations", avg)
	}
}

// A control character in the first line of what is SIP is a defect of the message, whose sender is to be answered, and not of
// the stream.
func TestControlsInFirstLine(t *testing.T) {
	for _, line := range []string{"OPTIONS sip:a\x00@b SIP/2.0", "OPTIONS sip:\x1b[2J@b SIP/2.0", "OPTIONS sip:a\rb SIP/2.0", "SIP/2.0 200 O\aK"} {
		text := line + "\r\nl: 0\r\n\r\n"
		p := feed(FramerConfig{}, []byte(text+smallMessage))
		if len(p.events) != 2 || p.events[0].kind != Frame || p.events[0].end != len(text) || p.events[1].kind != Frame {
			t.Errorf("%q: %v", line, p.events)
		}
		var m Message
		var v Verdict
		_ = m.Parse([]byte(text)) // Validate tells
		m.Validate(&v)
		if strings.HasPrefix(line, "OPTIONS") && v.Code != 400 {
			t.Errorf("%q is answered %d", line, v.Code)
		}
	}
}
