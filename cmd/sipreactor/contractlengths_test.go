package main

import (
	"strings"
	"testing"
)

// What a stream's peer gets for a Content-Length, and whether its connection
// stays.
func TestContractLengths(t *testing.T) {
	t.Parallel()
	const ok, missing, bad = "200 OK", "400 Missing Content-Length", "400 "
	cases := []struct {
		name    string
		headers string
		body    string
		want    string // status and the beginning of the reason; "" is none
	}{
		{"one", "Content-Length: 4\r\n", "body", ok},
		{"compact", "l: 4\r\n", "body", ok},
		{"upper case", "CONTENT-LENGTH: 4\r\n", "body", ok},
		{"compact upper case", "L: 4\r\n", "body", ok},
		{"blank before the colon", "Content-Length \t: 4\r\n", "body", ok},
		{"no blank behind the colon", "Content-Length:4\r\n", "body", ok},
		{"leading zeros", "Content-Length: 0004\r\n", "body", ok},
		{"bare LF", "Content-Length: 4\n", "body", ok},
		{"folded value", "Content-Length:\r\n 4\r\n", "body", ok},
		{"folded twice", "Content-Length:\r\n\t\r\n 4\r\n", "body", ok},
		{"two that agree", "Content-Length: 4\r\nContent-Length: 4\r\n", "body", ok},
		{"both forms agree", "l: 4\r\nContent-Length: 4\r\n", "body", ok},
		{"a fold is no header", "Subject: x\r\n Content-Length: 99\r\nContent-Length: 4\r\n", "body", ok},
		{"another name", "Content_Length: 99\r\nContent-Length: 4\r\n", "body", ok},
		{"a longer name", "X-Content-Length: 99\r\nContent-Length-X: 98\r\nContent-Length: 4\r\n", "body", ok},
		{"the header in the body", "Content-Length: 21\r\n", "\r\nContent-Length: 99\r\n", ok},

		{"none", "", "", missing},
		{"only in a fold", "Subject: x\r\n Content-Length: 0\r\n", "", missing},
		{"only another name", "Content_Length: 0\r\n", "", missing},
		{"two that differ", "Content-Length: 4\r\nContent-Length: 5\r\n", "body", bad},
		{"forms differ", "Content-Length: 4\r\nl: 0\r\n", "body", bad},
		{"minus", "Content-Length: -1\r\n", "", bad},
		{"minus zero", "Content-Length: -0\r\n", "", bad},
		{"plus", "Content-Length: +4\r\n", "body", bad},
		{"hexadecimal", "Content-Length: 0x4\r\n", "body", bad},
		{"letters", "Content-Length: four\r\n", "body", bad},
		{"digits and more", "Content-Length: 4;x\r\n", "body", bad},
		{"list", "Content-Length: 4, 4\r\n", "body", bad},
		{"two numbers", "Content-Length: 4 4\r\n", "body", bad},
		{"digits in a fold", "Content-Length: 4\r\n 4\r\n", "body", bad},
		{"empty", "Content-Length:\r\n", "", bad},
		{"fraction", "Content-Length: 4.0\r\n", "body", bad},
		{"over 32 bits", "Content-Length: 4294967300\r\n", "body", bad},
		{"over 64 bits", "Content-Length: 18446744073709551620\r\n", "body", bad},
		{"over the limit", "Content-Length: 65535\r\n", "", "400 Message Too Large"},
		{"good one, then a bad one", "Content-Length: 4\r\nl: x\r\n", "body", bad},
	}
	both(t, func(t *testing.T, transport string) {
		c := start(t)
		for _, tt := range cases {
			t.Run(tt.name, func(t *testing.T) {
				p := c.dial(transport)
				text := p.request(here, "", "")
				p.send(strings.Replace(text, "Content-Length: 0\r\n", tt.headers, 1) + tt.body)
				first, _ := p.read()
				if !strings.HasPrefix(first, "SIP/2.0 "+tt.want) {
					t.Errorf("got %q, want %q", first, tt.want)
				}
				if tt.want != ok {
					p.expect(0)
					return
				}
				p.ask(here) // the next message is found where the first ends
				p.expect(200)
			})
		}
	})
}

// Where no answer is possible the connection ends without one.
func TestContractBrokenWithoutAnswer(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, transport string) {
		c := start(t)
		for name, change := range map[string]func(string) string{
			"a response": func(s string) string {
				_, rest, _ := strings.Cut(s, "\r\n")
				return "SIP/2.0 200 OK\r\n" + rest
			},
			"an ACK":    func(s string) string { return strings.ReplaceAll(s, "MESSAGE", "ACK") },
			"no Via":    func(s string) string { return strings.Replace(s, "Via:", "Away:", 1) },
			"not SIP":   func(string) string { return "\x00\x01\x02\x03" },
			"HTTP":      func(string) string { return "GET / HTTP/1.1\r\nHost: x\r\n\r\n" },
			"TLS twice": func(string) string { return "\x16\x03\x01\x00\x05hello" },
		} {
			t.Run(name, func(t *testing.T) {
				p := c.dial(transport)
				p.send(change(strings.Replace(p.request(here, "", ""), "Content-Length: 0", "Content-Length: x", 1)))
				p.expect(0)
			})
		}
	})
}
