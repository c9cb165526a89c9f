package proxy

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"sipreactor/reactor"
)

// responder is a Router that responds.
func responder(code int, reason string) Router {
	return funcs{request: func(c *Context) { _ = c.Respond(code, []byte(reason)) }}
}

// RFC 3261 8.2.6.
func TestRespond(t *testing.T) {
	b := newBed(t, responder(404, "Not Here"), func(c *Config) { c.ServerHeader = "sipreactor" })
	s := b.one(invite("+Record-Route: <sip:192.0.2.50;lr>", "+Subject: x"), overTLS)
	lines := strings.Split(s.text, "\r\n")
	want := []string{
		"SIP/2.0 404 Not Here",
		"Via: SIP/2.0/TLS 198.51.100.7:5061;branch=z9hG4bKclient1",
		"From: <sip:alice@example.com>;tag=a1",
		"", // To
		"Call-ID: call1@198.51.100.7",
		"CSeq: 7 INVITE",
		"Server: sipreactor",
		"Content-Length: 0",
		"", "",
	}
	if len(lines) != len(want) {
		t.Fatalf("sent %s", s.text)
	}
	for i, l := range lines {
		if i == 3 {
			if tag, ok := strings.CutPrefix(l, "To: <sip:bob@example.com>;tag="); !ok || len(tag) != tagText {
				t.Errorf("line %q", l)
			}
		} else if l != want[i] {
			t.Errorf("line %q, want %q", l, want[i])
		}
	}
	if want := (reactor.Target{Conn: overTLS.Conn, Proto: reactor.TLS, Class: reactor.Final}); s.to != want {
		t.Errorf("sent to %+v", s.to)
	}
	b.counts(map[Counter]uint64{OwnResponses: 1})
	if b.proxy.OwnResponses(404) != 1 || b.proxy.OwnResponses(200) != 0 || b.proxy.OwnResponses(0) != 0 || b.proxy.OwnResponses(700) != 0 {
		t.Error("codes are counted wrongly")
	}
}

// RFC 3261 8.2.7: a stateless server gives a retransmission the same tag.
func TestRespondTag(t *testing.T) {
	b := newBed(t, responder(486, ""))
	tag := header(t, b.one(invite(), overTLS).text, "To")
	if again := header(t, b.one(invite(), overTLS).text, "To"); again != tag {
		t.Errorf("tags %q and %q", tag, again)
	}
	if cancel := header(t, b.one(request("CANCEL", "sip:bob@203.0.113.9"), overTLS).text, "To"); cancel != tag {
		t.Errorf("tags %q and %q of CANCEL", tag, cancel)
	}
	if other := header(t, b.one(invite("CSeq: 8 INVITE"), overTLS).text, "To"); other == tag {
		t.Error("another request has the same tag")
	}
	if got := header(t, b.one(invite("To: <sip:bob@example.com>;tag=b1"), overTLS).text, "To"); got != "<sip:bob@example.com>;tag=b1" {
		t.Errorf("To %q", got)
	}
	b = newBed(t, responder(100, ""))
	if got := header(t, b.one(invite(), overTLS).text, "To"); got != "<sip:bob@example.com>" {
		t.Errorf("To of a 100 is %q", got)
	}
}

// RFC 3261 12.1.1: what may begin a dialog carries the route set.
func TestRespondRecordRoute(t *testing.T) {
	const rr = "+Record-Route: <sip:192.0.2.50;lr>, <sip:192.0.2.51;lr>"
	for _, tc := range []struct {
		method string
		code   int
		want   int
	}{
		{"INVITE", 100, 0}, {"INVITE", 180, 1}, {"INVITE", 200, 1}, {"INVITE", 302, 0}, {"INVITE", 486, 0},
		{"SUBSCRIBE", 202, 1}, {"OPTIONS", 200, 0}, {"REFER", 202, 1},
	} {
		b := newBed(t, responder(tc.code, ""))
		s := b.one(request(tc.method, "sip:bob@203.0.113.9", rr), overTLS)
		if got := len(headers(t, s.text, "Record-Route")); got != tc.want {
			t.Errorf("%d to %s: %d Record-Routes, want %d", tc.code, tc.method, got, tc.want)
		}
	}
}

// RFC 3261 8.2.6.1.
func TestRespondTimestamp(t *testing.T) {
	for code, want := range map[int]int{100: 1, 180: 0, 200: 0} {
		b := newBed(t, responder(code, ""))
		if got := len(headers(t, b.one(invite("+Timestamp: 54"), overTLS).text, "Timestamp")); got != want {
			t.Errorf("%d: %d Timestamps", code, got)
		}
	}
}

func TestRespondErrors(t *testing.T) {
	check := func(text string, want error, f func(c *Context) error) {
		t.Helper()
		var err error
		b := newBed(t, funcs{request: func(c *Context) { err = f(c) }})
		b.pass(text, overTLS)
		if !errors.Is(err, want) {
			t.Errorf("error %v, want %v", err, want)
		}
	}
	ack := request("ACK", "sip:bob@203.0.113.9", "To: <sip:bob@example.com>;tag=b1")
	check(ack, ErrACK, func(c *Context) error { return c.Respond(200, nil) })
	check(invite(), ErrCode, func(c *Context) error { return c.Respond(99, nil) })
	check(invite(), ErrCode, func(c *Context) error { return c.Respond(700, nil) })
	check(invite(), ErrAnswered, func(c *Context) error { _ = c.Respond(200, nil); return c.Respond(404, nil) })
	check(invite(), nil, func(c *Context) error { _ = c.Respond(100, nil); _ = c.Respond(180, nil); return c.Respond(200, nil) })
}

func TestAppendToResponse(t *testing.T) {
	b := newBed(t, funcs{request: func(c *Context) {
		for _, bad := range []string{"", "no header", "\r\n", "Content-Length: 5", " folded: x"} {
			if err := c.AppendToResponse([]byte(bad)); !errors.Is(err, ErrHeader) {
				t.Errorf("%q: %v", bad, err)
			}
		}
		if c.AppendToResponse([]byte("Retry-After: 5")) != nil || c.AppendToResponse([]byte("X-A: 1\r\nX-B: 2\r\n")) != nil {
			t.Error("refused")
		}
		_ = c.Respond(503, nil)
	}})
	s := b.one(invite(), overTLS)
	if header(t, s.text, "Retry-After") != "5" || header(t, s.text, "X-A") != "1" || header(t, s.text, "X-B") != "2" {
		t.Errorf("sent %s", s.text)
	}
	b.proxy.SetRouter(responder(200, ""))
	if s := b.one(invite(), overTLS); len(headers(t, s.text, "Retry-After")) != 0 {
		t.Error("the next response has it too")
	}
}

// Nothing that a response is made of may end a line of it.
func TestRespondInjection(t *testing.T) {
	b := newBed(t, responder(400, "Bad\r\nX-Evil: 1\r\n\r\nx\x00\x7f"))
	s := b.one(invite(), overTLS)
	if firstLine(s.text) != "SIP/2.0 400 Bad  X-Evil: 1    x  " || len(headers(t, s.text, "X-Evil")) != 0 {
		t.Errorf("sent %q", s.text)
	}
}

// Folded and compact headers are copied as they are.
func TestRespondToFoldedRequest(t *testing.T) {
	b := newBed(t, responder(200, ""))
	text := strings.NewReplacer("From: ", "f : ", "Call-ID", "i", "To: ", "T:\r\n ", "Via: SIP/2.0/TLS ", "v: SIP / 2.0\r\n / TLS ").Replace(invite())
	s := b.one(text, overTLS)
	m := parse(t, s.text)
	if to, err := m.To(); err != nil || to.Tag.Len != tagText || string(m.CallID()) != "call1@198.51.100.7" {
		t.Errorf("sent %s", s.text)
	}
}

func TestRespondWithoutConnection(t *testing.T) {
	var log bytes.Buffer
	b := newBed(t, responder(200, ""), func(c *Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
	b.refuse = func(to *reactor.Target) error {
		if to.Conn != 0 {
			return gone
		}
		return nil
	}
	s := b.one(invite("Via: SIP/2.0/TLS 10.0.0.1:5081;branch=z9hG4bK1"), overTLS)
	if s.to.Addr.String() != "198.51.100.7:5081" || s.to.Socket != tlsSocket {
		t.Errorf("sent to %+v", s.to)
	}
	b.refuse = func(*reactor.Target) error { return gone }
	b.pass(invite(), overTLS)
	b.counts(map[Counter]uint64{OwnResponses: 1, ResponsesUndelivered: 1})
	if text := log.String(); !strings.Contains(text, "response not delivered") || !strings.Contains(text, overTLS.Remote.String()) {
		t.Errorf("log: %s", text)
	}
}

func TestReasonPhrase(t *testing.T) {
	for code, want := range map[int]string{100: "Trying", 200: "OK", 299: "OK", 399: "Redirection", 483: "Too Many Hops",
		499: "Bad Request", 503: "Service Unavailable", 599: "Server Failure", 699: "Global Failure", 199: "Trying"} {
		if got := reasonPhrase(code); got != want {
			t.Errorf("%d is %q, want %q", code, got, want)
		}
	}
	for code := firstCode; code <= lastCode; code++ {
		if reasonPhrase(code) == "" {
			t.Errorf("%d has no phrase", code)
		}
	}
}
