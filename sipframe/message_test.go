package sipframe

import (
	"errors"
	"strings"
	"testing"
)

// message makes a message of lines joined by CRLF, with the empty line and no body.
func message(l ...string) []byte { return []byte(strings.Join(l, "\r\n") + "\r\n\r\n") }

// parse indexes a message that is in order.
func parse(t *testing.T, raw []byte) *Message {
	t.Helper()
	m := new(Message)
	if err := m.Parse(raw); err != nil {
		t.Fatalf("%v in %q", err, raw)
	}
	return m
}

func TestRequest(t *testing.T) {
	m := parse(t, invite)
	for _, tt := range []struct{ what, got, want string }{
		{"method", string(m.MethodName()), "INVITE"},
		{"Request-URI", string(m.RequestURI()), "sip:+4930123456@sbc.example.net;user=phone"},
		{"Request-URI by its span", string(m.Bytes(m.RequestURISpan())), "sip:+4930123456@sbc.example.net;user=phone"},
		{"version", string(m.Version()), "SIP/2.0"},
		{"first line", string(m.Bytes(m.FirstLine())), "INVITE sip:+4930123456@sbc.example.net;user=phone SIP/2.0"},
		{"reason phrase", string(m.ReasonPhrase()), ""},
		{"body", string(m.Body()[:5]), "v=0\r\n"},
		{"raw", string(m.Raw()), string(invite)},
		{"empty line", string(m.Raw()[m.HeadersEnd():m.BodyOffset()]), "\r\n"},
		{"first header", string(m.Raw()[m.HeadersOffset():][:4]), "Via:"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s is %q, want %q", tt.what, tt.got, tt.want)
		}
	}
	if !m.IsRequest() || m.Method() != INVITE || m.StatusCode() != 0 || m.Defect() != nil {
		t.Errorf("request %v, method %v, status %d, defect %v", m.IsRequest(), m.Method(), m.StatusCode(), m.Defect())
	}
	if n, ok, err := m.ContentLength(); n != len(m.Body()) || !ok || err != nil {
		t.Errorf("Content-Length %d, %v, %v with a body of %d", n, ok, err, len(m.Body()))
	}
}

func TestResponse(t *testing.T) {
	m := parse(t, message("SIP/2.0 486 Busy Here", "v: SIP/2.0/TLS a", "l: 0"))
	if m.IsRequest() || m.StatusCode() != 486 || string(m.ReasonPhrase()) != "Busy Here" || string(m.Version()) != "SIP/2.0" {
		t.Errorf("%d %q %q", m.StatusCode(), m.ReasonPhrase(), m.Version())
	}
	if m.MethodName() != nil || m.RequestURI() != nil || m.Method() != OtherMethod || m.RequestURISpan() != (Span{}) {
		t.Error("a response has a method or a Request-URI")
	}
}

func TestHeaderSpans(t *testing.T) {
	raw := "OPTIONS sip:a SIP/2.0\n" +
		"Via:SIP/2.0/TLS a\r\n" +
		"subject\t :  one\r\n two\r\n\tthree \r\n" +
		"X-Empty:\r\n" +
		"X-Blank:  \r\n  \r\n" +
		"X-Colon: a: b\n" +
		"l: 0\r\n\r\n"
	m := parse(t, []byte(raw))
	for i, want := range []struct {
		kind              HeaderKind
		name, value, line string
	}{
		{HeaderVia, "Via", "SIP/2.0/TLS a", "Via:SIP/2.0/TLS a\r\n"},
		{HeaderSubject, "subject", "one\r\n two\r\n\tthree", "subject\t :  one\r\n two\r\n\tthree \r\n"},
		{OtherHeader, "X-Empty", "", "X-Empty:\r\n"},
		{OtherHeader, "X-Blank", "", "X-Blank:  \r\n  \r\n"},
		{OtherHeader, "X-Colon", "a: b", "X-Colon: a: b\n"},
		{HeaderContentLength, "l", "0", "l: 0\r\n"},
	} {
		h := m.Header(i)
		name, value, line := string(m.Bytes(h.Name)), string(m.Bytes(h.Value)), string(m.Bytes(h.Line))
		if h.Kind != want.kind || name != want.name || value != want.value || line != want.line {
			t.Errorf("header %d: %v %q %q %q, want %+v", i, h.Kind, name, value, line, want)
		}
	}
	if m.NumHeaders() != 6 {
		t.Errorf("%d headers", m.NumHeaders())
	}
}

func TestParseDefects(t *testing.T) {
	many := strings.Repeat("X: y\r\n", MaxHeaders)
	for _, tt := range []struct {
		raw        string
		reason     string
		answerable bool
	}{
		{"", "No Start Line", false},
		{"INVITE sip:a SIP/2.0", "No Start Line", false},
		{"INVITE sip:a SIP/2.0\r\n", "No Empty Line Behind the Header", true},
		{"INVITE sip:a SIP/2.0\r\nl: 0", "No Empty Line Behind the Header", true},
		{"INVITE sip:a SIP/2.0\r\nl: 0\r\n", "No Empty Line Behind the Header", true},
		{"INVITE sip:a SIP/2.0\r\nl: 0\r\n\r", "No Colon in Header Line", true},
		{"INVITE sip:a SIP/2.0\r\nl: 0\r\n\r\nx", "", false},
		{"INVITE sip:a\r\nl: 0\r\n\r\n", "Bad SIP Version", true},
		{"INVITE sip:a SIP/2.0\r\nfoo bar\r\n\r\n", "No Colon in Header Line", true},
		{"INVITE sip:a SIP/2.0\r\nfoo\r\n :bar\r\n\r\n", "No Colon in Header Line", true},
		{"INVITE sip:a SIP/2.0\r\nfoo bar: x\r\n\r\n", "Bad Header Name", true},
		{"INVITE sip:a SIP/2.0\r\n: x\r\n\r\n", "Bad Header Name", true},
		{"INVITE sip:a SIP/2.0\r\nX: a\rb\r\n\r\n", "Stray CR in Header", true},
		{"INVITE sip:a SIP/2.0\r\nX: a\r\r\n\r\n", "Stray CR in Header", true},
		{"INVITE sip:a\rb SIP/2.0\r\n\r\n", "Stray CR in Header", true},
		{"INVITE sip:a SIP/2.0\r\n X: a\r\n\r\n", "Folded Start Line", true},
		{"INVITE sip:a SIP/2.0\r\nl: 1\r\n\r\n", "Content-Length beyond the End", true},
		{"INVITE sip:a SIP/2.0\r\nl: 1\r\nl: 2\r\n\r\nab", "Contradicting Content-Length", true},
		{"INVITE sip:a SIP/2.0\r\nl: x\r\nl: 2\r\n\r\nab", "Bad Content-Length", true},
		{"INVITE sip:a SIP/2.0\r\n" + many + "\r\n", "", false},
		{"INVITE sip:a SIP/2.0\r\n" + many + "X: y\r\n\r\n", "Too Many Headers", true},
		{"SIP/2.0 200 OK\r\nfoo bar\r\n\r\n", "No Colon in Header Line", false},
		{"SIP/2.0 20 OK\r\n\r\n", "Bad Status Code", false},
	} {
		var m Message
		err := m.Parse([]byte(tt.raw))
		if tt.reason == "" {
			if err != nil || m.Defect() != nil {
				t.Errorf("%.80q: %v", tt.raw, err)
			}
			continue
		}
		var d *Defect
		if !errors.As(err, &d) || d.Reason != tt.reason || d.Answerable != tt.answerable || d.Code != 400 || m.Defect() != d {
			t.Errorf("%.80q: %+v, want %s, response %v", tt.raw, d, tt.reason, tt.answerable)
		}
	}
}

// A response can be built of a message with a defect: what could be read is there.
func TestParseAfterDefect(t *testing.T) {
	var m Message
	err := m.Parse(message("INVITE  sip:a SIP/2.0", "foo", "Via: SIP/2.0/TLS a", "l: -1", "f: <sip:b>"))
	if err == nil || err.Error() != "Bad Request-Line" {
		t.Fatalf("%v: want the first defect", err)
	}
	via, err := m.TopVia()
	if err != nil || string(m.Bytes(via.Host)) != "a" {
		t.Errorf("Via: %v", err)
	}
	if from, err := m.From(); err != nil || string(m.Bytes(from.URI)) != "sip:b" {
		t.Errorf("From: %v", err)
	}
	if m.NumHeaders() != 4 || string(m.Bytes(m.Header(0).Value)) != "foo" || m.Header(0).Name.Len != 0 {
		t.Errorf("%d headers", m.NumHeaders())
	}
}

func TestBody(t *testing.T) {
	for _, tt := range []struct{ head, rest, body string }{
		{"l: 3\r\n\r\n", "abcdef", "abc"}, // a datagram: what follows is ignored
		{"l: 0\r\n\r\n", "abcdef", ""},
		{"\r\n", "abcdef", "abcdef"},
		{"l: 7\r\n\r\n", "abcdef", "abcdef"}, // a defect: all that is there
		{"l: x\r\n\r\n", "abcdef", "abcdef"},
	} {
		var m Message
		_ = m.Parse([]byte("MESSAGE sip:a SIP/2.0\r\n" + tt.head + tt.rest))
		if got := string(m.Body()); got != tt.body {
			t.Errorf("%q: body %q, want %q", tt.head, got, tt.body)
		}
	}
}

func TestMessageReuse(t *testing.T) {
	m := parse(t, invite)
	if _, err := m.TopVia(); err != nil {
		t.Error(err)
	}
	if _, err := m.To(); err != nil {
		t.Error(err)
	}
	if err := m.Parse(message("SIP/2.0 200 OK", "X: y")); err != nil {
		t.Error(err)
	}
	if via, err := m.TopVia(); via != nil || err == nil {
		t.Error("the Via of the message before")
	}
	if to, err := m.To(); to != nil || err == nil {
		t.Error("the To of the message before")
	}
	if _, ok, _ := m.ContentLength(); ok || m.Find(HeaderCSeq) >= 0 || m.NumHeaders() != 1 || m.IsRequest() {
		t.Error("something of the message before")
	}
	m.Reset()
	if m.Raw() != nil || m.Body() != nil || m.NumHeaders() != 0 || m.Find(OtherHeader) >= 0 {
		t.Error("something is left after Reset")
	}
	if _, _, err := m.CSeq(); err == nil {
		t.Error("a CSeq after Reset")
	}
}

func TestParseAllocates(t *testing.T) {
	var m Message
	var v Verdict
	broken := message("INVITE sip:a SIP/2.0", "foo", "l: -1", "CSeq: x")
	if avg := testing.AllocsPerRun(100, func() {
		if m.Parse(invite) != nil {
			t.Error("a defect")
		}
		if m.Validate(&v); v.Code != 0 {
			t.Error(v.Reason)
		}
		if m.Parse(broken) == nil {
			t.Error("no defect")
		}
		m.Validate(&v)
	}); avg > 0 {
		t.Errorf("%v allocations", avg)
	}
}

// RFC 3261 25.1 has control characters only behind a backslash in quoted strings.
func TestControlBytes(t *testing.T) {
	const good = "OPTIONS sip:b@example.com SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: \"A\" <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\n" +
		"Call-ID: c1\r\nCSeq: 1 OPTIONS\r\nContact: \"A\" <sip:a@h>\r\nRoute: <sip:r@h;lr>\r\nRecord-Route: <sip:r@h;lr>\r\nSubject: a\tb\r\n c\r\nContent-Length: 1\r\n\r\n\x00"
	var m Message
	if err := m.Parse([]byte(good)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []string{"\x00", "\x01", "\x07", "\x08", "\x0b", "\x1b", "\x1f", "\x7f"} {
		for _, at := range []string{"OPTIONS", "sip:b@ex", "UDP h", "z9hG4bK1", "sip:a@h", "tag=1", "c1", "1 OPTIONS\r", "r@h", "a\t", "Call", "\"A"} {
			bad := strings.Replace(good, at, at+c, 1)
			if m.Parse([]byte(bad)) == nil {
				t.Errorf("%q behind %q is taken", c, at)
			}
			response := "SIP/2.0 200 O" + c + "K" + bad[strings.Index(bad, "\r\n"):]
			if m.Parse([]byte(response)) == nil {
				t.Errorf("%q in a response", c)
			}
		}
		for _, quoted := range []string{"\"A", "Subject: \"x\""} {
			ok := strings.Replace(strings.Replace(good, "Subject: a", "Subject: \"x\"", 1), strings.TrimSuffix(quoted, "\""), strings.TrimSuffix(quoted, "\"")+"\\"+c, 1)
			if err := m.Parse([]byte(ok)); err != nil {
				t.Errorf("%q quoted: %v", ok, err)
			}
		}
		if m.Parse([]byte(strings.Replace(good, "c1", "\"\\"+c+"\"", 1))) == nil {
			t.Errorf("%q in a quoted Call-ID", c)
		}
	}
}

func TestCountControls(t *testing.T) {
	b := make([]byte, 0, 600)
	for i := range 600 {
		b = append(b, byte(i*37+i/256))
	}
	for from := range 9 {
		for to := from; to < len(b); to++ {
			want := 0
			for _, c := range b[from:to] {
				if c < ' ' || c == 0x7f {
					want++
				}
			}
			if got := countControls(b[from:to]); got != want {
				t.Fatalf("%d of %d in %q", got, want, b[from:to])
			}
		}
	}
}

// A message with too many headers still has those that a response to it needs.
func TestLimits(t *testing.T) {
	var m Message
	text := func(before, vias int) []byte {
		return []byte("OPTIONS sip:b@h SIP/2.0\r\n" + strings.Repeat("X: y\r\n", before) + strings.Repeat("Via: SIP/2.0/UDP h;branch=z9hG4bK1\r\n", vias) +
			"f: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\ni: c1\r\nCSeq: 1 OPTIONS\r\nX: z\r\nl: 0\r\n\r\n")
	}
	for _, tc := range []struct {
		limits       Limits
		before, vias int
		want         string
	}{
		{Limits{}, MaxHeaders - 7, 1, ""},
		{Limits{}, MaxHeaders - 6, 1, "Too Many Headers"},
		{Limits{}, 5000, 1, "Too Many Headers"},
		{Limits{}, 0, MaxVias, ""},
		{Limits{}, 0, MaxVias + 1, "Too Many Vias"},
		{Limits{Headers: 10}, 3, 1, ""},
		{Limits{Headers: 10}, 4, 1, "Too Many Headers"},
		{Limits{Headers: 3}, 3, 2, "Too Many Headers"},
		{Limits{Headers: 1000}, 900, 1, ""},
		{Limits{Vias: 2}, 0, 2, ""},
		{Limits{Vias: 2}, 0, 3, "Too Many Vias"},
	} {
		m.Limits = tc.limits
		_ = m.Parse(text(tc.before, tc.vias))
		var v Verdict
		m.Validate(&v)
		if v.Reason != tc.want || v.Drop {
			t.Errorf("%+v, %d headers before %d Vias: %+v", tc.limits, tc.before, tc.vias, v)
		}
		vias := 0
		for i := m.Find(HeaderVia); i >= 0; i = m.FindNext(HeaderVia, i) {
			vias++
		}
		for _, kind := range []HeaderKind{HeaderFrom, HeaderTo, HeaderCallID, HeaderCSeq, HeaderContentLength} {
			if m.Find(kind) < 0 {
				t.Errorf("%+v, %d headers before %d Vias: no header %v", tc.limits, tc.before, tc.vias, kind)
			}
		}
		if vias != tc.vias {
			t.Errorf("%+v: %d of %d Vias", tc.limits, vias, tc.vias)
		}
		if m.Reset(); cap(m.headers) > 4*max(MaxHeaders, tc.limits.Headers) {
			t.Errorf("%d headers are kept", cap(m.headers))
		}
	}
}
