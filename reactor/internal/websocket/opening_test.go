package websocket

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"sipreactor/tlsstate"
)

const request = "GET / HTTP/1.1\r\nHost: sip.example.com\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n" +
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: sip\r\n" +
	"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\nOrigin: https://phone.example.com\r\n\r\n"

// feed gives a handshake pieces; the answer is all that it said.
func feed(o Opening, pieces ...[]byte) (answer string, err error) {
	err = tlsstate.ErrWantRead
	for _, p := range pieces {
		var b []byte
		b, err = o.Feed(p)
		if answer += string(b); err != nil && !errors.Is(err, tlsstate.ErrWantRead) {
			return answer, err
		}
	}
	return answer, err
}

func without(name string) string {
	var kept []string
	for _, line := range strings.SplitAfter(request, "\r\n") {
		if !strings.HasPrefix(line, name+":") {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "")
}

func with(name, value string) string {
	return strings.TrimSuffix(without(name), "\r\n") + name + ": " + value + "\r\n\r\n"
}

// What clients ask for, and the status that they get.
func TestAccept(t *testing.T) {
	open, closed := &Policy{}, &Policy{RequireOrigin: true, Origins: []string{"https://phone.example.com", "https://*.example.org"}}
	for name, c := range map[string]struct {
		request string
		policy  *Policy
		status  int
		reason  string
	}{
		"as it should be":       {request, closed, 101, ""},
		"several protocols":     {with("Sec-WebSocket-Protocol", "chat, SIP"), open, 101, ""},
		"a pattern of origins":  {with("Origin", "https://a.example.org"), closed, 101, ""},
		"an origin in capitals": {with("Origin", "HTTPS://Phone.Example.COM"), closed, 101, ""},
		"no origin, none asked": {without("Origin"), open, 101, ""},
		"any origin":            {with("Origin", "null"), open, 101, ""},
		"no origin":             {without("Origin"), closed, 403, "no origin"},
		"another origin":        {with("Origin", "https://evil.example.net"), closed, 403, originRefused},
		"an origin within":      {with("Origin", "https://phone.example.com.evil.net"), closed, 403, originRefused},
		"two origins":           {strings.TrimSuffix(request, "\r\n") + "Origin: https://phone.example.com\r\n\r\n", closed, 400, "several origins"},
		"no protocol":           {without("Sec-WebSocket-Protocol"), open, 400, noProtocol},
		"another protocol":      {with("Sec-WebSocket-Protocol", "sips, chat"), open, 400, noProtocol},
		"no key":                {without("Sec-WebSocket-Key"), open, 400, ""},
		"half a key":            {with("Sec-WebSocket-Key", "dGhl"), open, 400, ""},
		"no version":            {without("Sec-WebSocket-Version"), open, 400, ""},
		"another version":       {with("Sec-WebSocket-Version", "8"), open, 426, ""},
		"no upgrade":            {without("Upgrade"), open, 400, ""},
		"another upgrade":       {with("Upgrade", "h2c"), open, 400, ""},
		"no connection":         {without("Connection"), open, 400, ""},
		"no host":               {without("Host"), open, 400, ""},
		"POST":                  {strings.Replace(request, "GET", "POST", 1), open, 405, ""},
		"HTTP/1.0":              {strings.Replace(request, "HTTP/1.1", "HTTP/1.0", 1), open, 505, ""},
		"HTTP/x":                {strings.Replace(request, "HTTP/1.1", "HTTP/x", 1), open, 400, ""},
		"a line without colon":  {strings.Replace(request, "\r\n", "\r\nnonsense\r\n", 1), open, 400, ""},
		"SIP":                   {"OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP a\r\n", open, 400, notHTTP},
		"a line without end":    {"GET /" + strings.Repeat("a", maxHead), open, 431, "head too large"},
		"headers without end":   {strings.TrimSuffix(request, "\r\n") + "Cookie: " + strings.Repeat("c", maxHead), open, 431, "head too large"},
		"too many headers":      {with("Cookie", strings.Repeat("c", maxHead)), open, 431, "head too large"},
		"TLS":                   {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", open, 400, notHTTP},
	} {
		t.Run(name, func(t *testing.T) {
			for how, pieces := range map[string][][]byte{
				"whole": {[]byte(c.request)}, "byte by byte": slices.Collect(slices.Chunk([]byte(c.request), 1)),
				"by seven": slices.Collect(slices.Chunk([]byte(c.request), 7)),
			} {
				answer, err := feed(Accept(c.policy), pieces...)
				if want := fmt.Sprintf("HTTP/1.1 %d ", c.status); !strings.HasPrefix(answer, want) || !strings.Contains(answer, "\r\n\r\n") {
					t.Fatalf("%s: %q, want %d", how, answer, c.status)
				}
				if c.status == 101 {
					if err != nil || !strings.Contains(answer, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n") ||
						!strings.EqualFold(headerOf(answer, "Sec-WebSocket-Protocol"), Protocol) || headerOf(answer, "Sec-WebSocket-Extensions") != "" {
						t.Fatalf("%s: %q, %v", how, answer, err)
					}
					continue
				}
				var e *Error
				if !errors.As(err, &e) || e.Status != c.status || c.reason != "" && e.Reason != c.reason {
					t.Fatalf("%s: %v", how, err)
				}
			}
		})
	}
}

func headerOf(answer, name string) string {
	for line := range strings.SplitSeq(answer, "\r\n") {
		if key, value, ok := strings.Cut(line, ": "); ok && strings.EqualFold(key, name) {
			return value
		}
	}
	return ""
}

// Who asks for another version is told ours.
func TestVersion(t *testing.T) {
	answer, _ := feed(Accept(&Policy{}), []byte(with("Sec-WebSocket-Version", "8")))
	if headerOf(answer, "Sec-WebSocket-Version") != "13" {
		t.Errorf("%q", answer)
	}
}

// A request that is not whole is waited for, and what comes behind it is kept.
func TestRest(t *testing.T) {
	o := Accept(&Policy{})
	if _, err := feed(o, []byte(request[:30])); !errors.Is(err, tlsstate.ErrWantRead) {
		t.Fatal(err)
	}
	if answer, err := feed(o, []byte(request[30:]+"ab"), []byte("cd")); err != nil || answer == "" {
		t.Fatal(answer, err)
	}
	if string(o.Rest()) != "abcd" {
		t.Errorf("%q", o.Rest())
	}
}

// Both sides meet.
func TestDialAccept(t *testing.T) {
	client, server := Dial("sip.example.com:8080", "/ws", "http://sip.example.com"), Accept(&Policy{RequireOrigin: true})
	b := client.Begin()
	if !strings.HasPrefix(string(b), "GET /ws HTTP/1.1\r\nHost: sip.example.com:8080\r\n") || client.Begin() != nil || server.Begin() != nil {
		t.Fatalf("%q", b)
	}
	answer, err := feed(server, b)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = feed(client, []byte(answer[:20]), []byte(answer[20:]+"x")); err != nil || string(client.Rest()) != "x" {
		t.Errorf("%v, rest %q", err, client.Rest())
	}
	if string(Dial("a", "/", "").Begin()) == string(Dial("a", "/", "").Begin()) {
		t.Error("two clients have the same key")
	}
}

// What a server may not answer.
func TestDialRefuses(t *testing.T) {
	for name, change := range map[string]func(string) string{
		"refused":        func(s string) string { return strings.Replace(s, "101", "403", 1) },
		"another status": func(s string) string { return strings.Replace(s, "101", "200", 1) },
		"no status":      func(s string) string { return strings.Replace(s, " 101", " x", 1) },
		"no HTTP":        func(s string) string { return strings.Replace(s, "HTTP/1.1", "SIP/2.0", 1) },
		"no upgrade":     func(s string) string { return strings.Replace(s, "Upgrade: websocket", "X: y", 1) },
		"no connection":  func(s string) string { return strings.Replace(s, "Connection: Upgrade", "Connection: close", 1) },
		"another key":    func(s string) string { return strings.Replace(s, "Accept: ", "Accept: x", 1) },
		"no protocol":    func(s string) string { return strings.Replace(s, "Protocol: sip", "Protocol: chat", 1) },
		"an extension":   func(s string) string { return strings.Replace(s, "\r\n", "\r\nSec-WebSocket-Extensions: x\r\n", 1) },
		"not even lines": func(string) string { return "\r\n\r\n" },
		"too much":       func(s string) string { return strings.Repeat("a", maxHead) + s },
	} {
		client := Dial("a", "/", "")
		answer, err := feed(Accept(&Policy{}), client.Begin())
		if err != nil {
			t.Fatal(err)
		}
		var e *Error
		if _, err = feed(client, []byte(change(answer))); !errors.As(err, &e) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// No request makes it panic, keep more than it may, or answer without an end.
func FuzzAccept(f *testing.F) {
	f.Add([]byte(request), 9)
	f.Add([]byte(without("Host")), 100)
	f.Fuzz(func(t *testing.T, in []byte, at int) {
		at = max(0, min(at, len(in)))
		whole, err := feed(Accept(&Policy{RequireOrigin: true}), in)
		cut, _ := feed(Accept(&Policy{RequireOrigin: true}), in[:at], in[at:])
		if whole[:min(12, len(whole))] != cut[:min(12, len(cut))] {
			t.Fatalf("whole %q, cut %q", whole, cut)
		}
		if errors.Is(err, tlsstate.ErrWantRead) != (whole == "") || whole != "" && !strings.HasPrefix(whole, "HTTP/1.1 ") {
			t.Fatalf("%q, %v", whole, err)
		}
	})
}
