package proxy

import (
	"errors"
	"strings"
	"testing"

	"sipreactor/reactor"
	"sipreactor/sipframe"
)

// What our own headers have made too large is refused upstream: the next hop would
// close the connection of all.
func TestTooLarge(t *testing.T) {
	for _, tc := range []struct {
		method string
		want   int // responses
	}{{"MESSAGE", 1}, {"ACK", 0}} {
		var err error
		b := newBed(t, funcs{request: func(c *Context) {
			if err = c.Forward([]byte("tls:203.0.113.9")); err != nil {
				_ = c.Respond(503, nil) // as scripts do
			}
		}}, func(c *Config) { c.MaxMessageSize = 1000 })
		text := request(tc.method, "sip:bob@203.0.113.9")
		grown := len(b.one(text, overTLS).text) - len(text)
		text = request(tc.method, "sip:bob@203.0.113.9", "+X: "+strings.Repeat("x", 1000-grown-len(text)-len("X: \r\n")))
		if s := b.one(text, overTLS); len(s.text) != 1000 || err != nil {
			t.Errorf("%s: %d bytes, %v", tc.method, len(s.text), err)
		}
		text = strings.Replace(text, "X: ", "X: x", 1)
		list := b.pass(text, overTLS)
		if !errors.Is(err, ErrTooLarge) || len(list) != tc.want {
			t.Fatalf("%s: %v, sent %+v", tc.method, err, list)
		}
		if tc.want > 0 && firstLine(list[0].text) != "SIP/2.0 513 Message Too Large" {
			t.Errorf("sent %s", list[0].text)
		}
	}
}

// The client waits for its response, whatever a Router makes of it.
func TestResponseThatTheRouterBreaks(t *testing.T) {
	for name, change := range map[string]func(c *Context){
		"too large": func(c *Context) { _ = c.AppendHeader([]byte("X-Big: " + strings.Repeat("x", 1000))) },
		"broken":    func(c *Context) { _ = c.Replace(spanOf(c, "sip:alice@example.com>;tag"), []byte("nobody")) },
	} {
		b := newBed(t, funcs{response: change}, func(c *Config) { c.MaxMessageSize = 1000 })
		s := b.one(answer(t, b.one(invite(), overTLS).text, "200 OK"), fromUAS)
		if header(t, s.text, "From") != "<sip:alice@example.com>;tag=a1" || len(headers(t, s.text, "Via")) != 1 || len(headers(t, s.text, "X-Big")) != 0 {
			t.Errorf("%s: sent %s", name, s.text)
		}
		b.counts(map[Counter]uint64{RequestsOut: 1, ResponsesOut: 1})
	}
}

// RFC 3261 7.1: the version is sent in upper case.
func TestVersionInUpperCase(t *testing.T) {
	b := newBed(t, funcs{})
	req := b.one(strings.Replace(invite(), "SIP/2.0\r\n", "sip/2.0\r\n", 1), overTLS).text
	if !strings.HasSuffix(firstLine(req), " SIP/2.0") {
		t.Errorf("sent %s", firstLine(req))
	}
	if s := b.one("sIp"+answer(t, req, "200 OK")[3:], fromUAS); firstLine(s.text) != "SIP/2.0 200 OK" {
		t.Errorf("sent %s", firstLine(s.text))
	}
}

// What is sent as it came is read by all alike.
func TestSendEndsLines(t *testing.T) {
	b := newBed(t, funcs{request: func(c *Context) {
		_ = c.AppendHeader([]byte("X: not this one"))
		_ = c.Send([]byte("tls:203.0.113.9"), nil)
	}})
	text := strings.Replace(strings.Replace(invite("+X-A: 1"), "X-A: 1\r\n", "X-A: 1\n", 1), "SIP/2.0\r\n", "sip/2.0\n", 1)
	if s := b.one(text, overTLS); s.text != invite("+X-A: 1") {
		t.Errorf("sent %q", s.text)
	}
}

// A 400 for too many headers, or Vias, has all that a response needs.
func TestLimits(t *testing.T) {
	b := newBed(t, funcs{}, func(c *Config) { c.Limits = sipframe.Limits{Headers: 20, Vias: 5} })
	via := strings.Repeat("Via: SIP/2.0/TLS 10.0.0.2;branch=z9hG4bKx\r\n", 7)
	for name, text := range map[string]string{
		"headers": strings.Replace(invite(), "Via: ", strings.Repeat("X: y\r\n", 30)+"Via: ", 1),
		"vias":    strings.Replace(invite(), "Max-Forwards: ", via+"Max-Forwards: ", 1),
	} {
		s := b.one(text, overTLS)
		if !strings.HasPrefix(firstLine(s.text), "SIP/2.0 400 Too Many ") {
			t.Errorf("%s: %s", name, firstLine(s.text))
		}
		for _, h := range []string{"From", "To", "Call-ID", "CSeq"} {
			if header(t, s.text, h) == "" {
				t.Errorf("%s: no %s", name, h)
			}
		}
		if want := strings.Count(text, "Via: "); len(headers(t, s.text, "Via")) != want {
			t.Errorf("%s: %d Vias, want %d", name, len(headers(t, s.text, "Via")), want)
		}
	}
	if list := b.pass(invite("+X: 1", "+X: 2", "+X: 3"), overTLS); len(list) != 1 || strings.HasPrefix(list[0].text, "SIP") {
		t.Errorf("sent %+v", list)
	}
}

// Control bytes go no further: refused where they came, counted in a response.
func TestControlBytesAreRefused(t *testing.T) {
	b := newBed(t, funcs{})
	good := answer(t, b.one(invite(), overTLS).text, "200 OK")
	for _, at := range []string{"call1", "tag=a1", "sip:alice@", "z9hG4bKclient1"} {
		for _, c := range []string{"\x00", "\x1b[2J", "\x7f"} {
			src := *overTLS
			list := b.pass(strings.Replace(invite(), at, at+c, 1), &src)
			if len(list) != 1 || !strings.HasPrefix(list[0].text, "SIP/2.0 400 ") {
				t.Errorf("%q behind %s: sent %+v", c, at, list)
			}
			for _, s := range list {
				if strings.ContainsAny(s.text, "\x00\x1b\x7f") {
					t.Errorf("%q behind %s: it comes back in %q", c, at, s.text)
				}
			}
			if list := b.pass(strings.Replace(good, at, at+c, 1), fromUAS); len(list) != 0 {
				t.Errorf("%q behind %s: a response is sent: %+v", c, at, list)
			}
		}
	}
	if list := b.pass(strings.Replace(good, "200 OK", "200 O\x1bK", 1), &reactor.Source{Proto: reactor.TLS}); len(list) != 0 {
		t.Errorf("sent %+v", list)
	}
}
