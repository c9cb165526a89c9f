package proxy

import (
	"strings"
	"testing"

	"sipreactor/reactor"
	"sipreactor/sipframe"
)

func TestResponse(t *testing.T) {
	b := newBed(t, funcs{})
	for _, status := range []string{"100 Trying", "180 Ringing", "200 OK", "486 Busy Here", "603 Decline"} {
		req := b.one(invite(), overTLS)
		s := b.one(answer(t, req.text, status), fromUAS)
		if firstLine(s.text) != "SIP/2.0 "+status {
			t.Errorf("first line %s", firstLine(s.text))
		}
		if vias := headers(t, s.text, "Via"); len(vias) != 1 || vias[0] != "SIP/2.0/TLS 198.51.100.7:5061;branch=z9hG4bKclient1" {
			t.Errorf("Vias %q", vias)
		}
		if want := (reactor.Target{Conn: overTLS.Conn, Proto: reactor.TLS, Class: reactor.Final}); s.to != want {
			t.Errorf("sent to %+v, want %+v", s.to, want)
		}
	}
	b.counts(map[Counter]uint64{RequestsOut: 5, ResponsesOut: 5})
}

// How the Vias share headers does not matter.
func TestResponseViasInOneHeader(t *testing.T) {
	b := newBed(t, funcs{})
	req := b.one(invite("Via: SIP/2.0/TLS 198.51.100.7:5061;branch=z9hG4bK2 ,SIP/2.0/TCP 10.0.0.1;branch=z9hG4bK1"), overTLS)
	text := answer(t, req.text, "200 OK")
	const want = "SIP/2.0/TLS 198.51.100.7:5061;branch=z9hG4bK2 ,SIP/2.0/TCP 10.0.0.1;branch=z9hG4bK1"
	if vias := headers(t, b.one(text, fromUAS).text, "Via"); len(vias) != 1 || vias[0] != want {
		t.Errorf("Vias %q", vias)
	}
	text = strings.Replace(text, "\r\nVia: SIP/2.0/TLS 198", " , SIP/2.0/TLS 198", 1)
	if n := len(headers(t, text, "Via")); n != 1 {
		t.Fatalf("%d Via headers", n)
	}
	if vias := headers(t, b.one(text, fromUAS).text, "Via"); len(vias) != 1 || vias[0] != want {
		t.Errorf("Vias %q", vias)
	}
	text = strings.Replace(text, "Via: ", "v:", 1)
	if vias := headers(t, b.one(text, fromUAS).text, "Via"); len(vias) != 1 || vias[0] != want {
		t.Errorf("Vias %q", vias)
	}
}

// RFC 3261 16.7 item 3, 18.1.2: only a response to what we have forwarded passes.
func TestForeignResponse(t *testing.T) {
	b := newBed(t, funcs{})
	good := answer(t, b.one(invite(), overTLS).text, "200 OK")
	alien := newKeys([32]byte{9})
	forged := cookie + strings.Repeat("a", tokenText)
	ours := headers(t, good, "Via")[0]
	branch, _, _ := strings.Cut(ours[strings.Index(ours, cookie):], ";")
	for name, text := range map[string]string{
		"no branch of ours":  strings.Replace(good, branch, "z9hG4bKwhatever", 1),
		"forged":             strings.Replace(good, branch, forged, 1),
		"one letter changed": strings.Replace(good, branch, flip(branch), 1),
		"another's key":      strings.Replace(good, branch, string(alien.appendBranch(nil, &testToken)), 1),
		"another host":       strings.Replace(good, "192.0.2.1:5061", "192.0.2.99:5061", 1),
		"another port":       strings.Replace(good, "192.0.2.1:5061", "192.0.2.1:5099", 1),
		"branch elsewhere":   strings.Replace(good, "Via: ", "Via: SIP/2.0/TLS 192.0.2.1:5061;branch=z9hG4bKx\r\nVia: ", 1),
	} {
		t.Run(name, func(t *testing.T) {
			before := b.proxy.Count(ResponsesForeign)
			if list := b.pass(text, fromUAS); len(list) != 0 {
				t.Errorf("sent %+v", list)
			}
			if b.proxy.Count(ResponsesForeign) != before+1 {
				t.Error("not counted")
			}
		})
	}
}

// flip changes the last letter.
func flip(s string) string {
	last := byte('a')
	if s[len(s)-1] == last {
		last = 'b'
	}
	return s[:len(s)-1] + string(last)
}

func TestResponseWithoutClient(t *testing.T) {
	b := newBed(t, funcs{})
	good := answer(t, b.one(invite(), overTLS).text, "200 OK")
	text := strings.Replace(good, "Via: SIP/2.0/TLS 198.51.100.7:5061;branch=z9hG4bKclient1\r\n", "", 1)
	if list := b.pass(text, fromUAS); len(list) != 0 {
		t.Errorf("sent %+v", list)
	}
	b.counts(map[Counter]uint64{RequestsOut: 1, ResponsesForUs: 1})
}

func TestBrokenResponse(t *testing.T) {
	b := newBed(t, funcs{})
	good := answer(t, b.one(invite(), overTLS).text, "200 OK")
	for _, text := range []string{
		strings.Replace(good, "CSeq: 7 INVITE", "CSeq: seven", 1),
		strings.Replace(good, "Call-ID", "X", 1),
		strings.Replace(good, "SIP/2.0 200", "SIP/2.0 2000", 1),
		"SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
	} {
		if list := b.pass(text, fromUAS); len(list) != 0 {
			t.Errorf("sent %+v", list)
		}
	}
	b.counts(map[Counter]uint64{RequestsOut: 1, ResponsesBroken: 3, Unreadable: 1})
}

// A response goes on only if it belongs to the request whose branch it brings:
// whoever answers, or knows a branch, must not choose whose transaction it ends nor
// where it goes.
func TestResponseOfAnotherRequest(t *testing.T) {
	const old, via = "SIP/2.0/TLS 10.0.0.1:5081;received=198.51.100.7;branch=z9hG4bK1", "Via: SIP/2.0/TLS 10.0.0.1:5081;branch=z9hG4bK1"
	const to = "To: <sip:bob@example.com>;tag=b1"
	for name, change := range map[string][2]string{
		"received":  {old, "SIP/2.0/TLS 10.0.0.1:5081;received=203.0.113.66;branch=z9hG4bK1"},
		"sent-by":   {old, "SIP/2.0/TLS 203.0.113.66:5081;branch=z9hG4bK1"},
		"port":      {old, "SIP/2.0/TLS 10.0.0.1:5082;received=198.51.100.7;branch=z9hG4bK1"},
		"no source": {old, "SIP/2.0/TLS pc.example.com:5081;branch=z9hG4bK1"},
		"branch":    {old, "SIP/2.0/TLS 10.0.0.1:5081;received=198.51.100.7;branch=z9hG4bK2"},
		"broken":    {old, "SIP/2.0/TLS ;branch=z9hG4bK2"},
		"Call-ID":   {"call1@", "call2@"},
		"CSeq":      {"CSeq: 7 ", "CSeq: 8 "},
		"method":    {"CSeq: 7 BYE", "CSeq: 7 INVITE"},
		"From tag":  {";tag=a1", ";tag=a2"},
		"To tag":    {";tag=b1", ";tag=b2"},
	} {
		for _, up := range []bool{true, false} {
			b := newBed(t, funcs{})
			good := answer(t, b.one(request("BYE", "sip:bob@203.0.113.9:5061;transport=tls", via, to), overTLS).text, "200 OK")
			text := strings.Replace(good, change[0], change[1], 1)
			if text == good {
				t.Fatalf("%s: nothing changed in %s", name, good)
			}
			b.refuse = func(to *reactor.Target) error {
				if to.Conn != 0 && !up {
					return gone
				}
				return nil
			}
			if list := b.pass(text, fromUAS); len(list) != 0 {
				t.Errorf("%s, connection up %v: sent %+v", name, up, list)
			}
			b.counts(map[Counter]uint64{RequestsOut: 1, ResponsesMismatched: 1})
			b.one(good, fromUAS)
		}
	}
}

// What is the same in all messages of a transaction is no reason to drop a
// response: another To tag of an INVITE's, another CSeq method (a CANCEL's).
func TestResponseOfTheTransaction(t *testing.T) {
	b := newBed(t, funcs{})
	good := answer(t, b.one(invite(), overTLS).text, "200 OK")
	for _, text := range []string{strings.Replace(good, ";tag=b1", ";tag=b2", 1), strings.Replace(good, "7 INVITE", "7 CANCEL", 1)} {
		b.one(text, fromUAS)
	}
	for _, method := range []string{"ACK", "BYE", "INVITED"} {
		if list := b.pass(strings.Replace(good, "7 INVITE", "7 "+method, 1), fromUAS); len(list) != 0 {
			t.Errorf("%s: sent %+v", method, list)
		}
	}
	b.counts(map[Counter]uint64{RequestsOut: 1, ResponsesOut: 2, ResponsesMismatched: 3})
}

// A Router that rewrites From has the responses bring what it wrote.
func TestResponseToRenamedRequest(t *testing.T) {
	b := newBed(t, funcs{request: func(c *Context) {
		from, _ := c.Msg.From()
		if err := c.Replace(from.Tag, []byte("hidden")); err != nil {
			t.Error(err)
		}
		_ = c.Forward(nil)
	}})
	req := b.one(invite(), overTLS)
	b.one(answer(t, req.text, "200 OK"), fromUAS)
	b.pass(strings.Replace(answer(t, req.text, "200 OK"), "7:5061;branch=z9hG4bKclient1", "7:5062;branch=z9hG4bKclient1", 1), fromUAS)
	b.counts(map[Counter]uint64{RequestsOut: 1, ResponsesOut: 1, ResponsesMismatched: 1})
	// The CANCEL has the branch of its INVITE, whatever is rewritten in only one.
	branch := func(text string) string {
		via := headers(t, text, "Via")[0]
		return via[strings.Index(via, cookie):][:branchText]
	}
	plain := newBed(t, funcs{})
	if a, z := branch(req.text), branch(plain.one(request("CANCEL", "sip:bob@203.0.113.9:5061;transport=tls"), overTLS).text); a != z {
		t.Errorf("the CANCEL's branch is %s, the INVITE's %s", z, a)
	}
}

// A response that comes after a restart, or to another node with the same secret,
// goes by the Via: the connections of the life before are not ours, whatever we
// have under their handles.
func TestResponseAfterRestart(t *testing.T) {
	for _, tc := range []struct {
		name, via string
		src       *reactor.Source
		want      string
	}{
		{"TLS", "SIP/2.0/TLS 10.0.0.1:5081;branch=z9hG4bK1", overTLS, "tls:198.51.100.7:5081"},
		{"TCP", "SIP/2.0/TCP 10.0.0.1;branch=z9hG4bK1", overTCP, "tcp:198.51.100.7:5060"},
		{"UDP", "SIP/2.0/UDP 10.0.0.1;rport;branch=z9hG4bK1", overUDP, "udp:198.51.100.7:40002"},
	} {
		before := newBed(t, funcs{})
		text := answer(t, before.one(invite("Via: "+tc.via), tc.src).text, "200 OK")
		after := newBed(t, funcs{})
		after.proxy.life++
		s := after.one(text, fromUAS)
		if s.to.Conn != 0 || s.to.Proto.String()+":"+s.to.Addr.String() != tc.want || s.to.Socket != tc.src.Socket {
			t.Errorf("%s: sent to %+v, want %s", tc.name, s.to, tc.want)
		}
		// Another secret, and whoever sends it: dropped and counted.
		other := newBed(t, funcs{}, func(c *Config) { c.Key = &[32]byte{9} })
		other.pass(text, fromUAS)
		other.counts(map[Counter]uint64{ResponsesForeign: 1})
		// Retransmissions over UDP have the same branch in all lives.
		if req := after.one(invite("Via: "+tc.via), tc.src).text; tc.src == overUDP && answer(t, req, "200 OK") != text {
			t.Errorf("%s: another branch after the restart", tc.name)
		}
	}
}

func TestRespondRoute(t *testing.T) {
	seen := 0
	b := newBed(t, funcs{response: func(c *Context) {
		seen = c.Msg.StatusCode()
		if c.Msg.IsRequest() || c.Msg.Method() != sipframe.OtherMethod {
			t.Error("not a response")
		}
		_ = c.AppendHeader([]byte("X-Seen: yes\r\n"))
		c.RemoveHeader([]byte("Contact"))
		c.Drop()
		if c.Forward(nil) == nil || c.Respond(200, nil) == nil || c.RecordRoute(nil) == nil {
			t.Error("a response was treated as a request")
		}
	}})
	req := b.one(invite(), overTLS).text
	if list := b.pass(answer(t, req, "180 Ringing"), fromUAS); len(list) != 0 || seen != 180 {
		t.Errorf("a dropped response was sent: %+v", list)
	}
	s := b.one(answer(t, req, "200 OK", "Contact: <sip:bob@203.0.113.9>"), fromUAS)
	if header(t, s.text, "X-Seen") != "yes" || len(headers(t, s.text, "Contact")) != 0 {
		t.Errorf("sent %s", s.text)
	}
	b.counts(map[Counter]uint64{RequestsOut: 1, ResponsesDropped: 1, ResponsesOut: 1})
}

// A response without a length that goes from a datagram to a stream gets one.
func TestResponseLength(t *testing.T) {
	b := newBed(t, funcs{request: func(c *Context) { _ = c.Forward([]byte("udp:203.0.113.9")) }})
	req := b.one(invite(), overTLS).text
	text := strings.Replace(answer(t, req, "200 OK"), "Content-Length: 0\r\n", "", 1) + "v=0\r\n"
	src := &reactor.Source{Proto: reactor.UDP, Socket: udpSocket, Remote: fromUAS.Remote, Local: udpSocket.Addr}
	if s := b.one(text, src); header(t, s.text, "Content-Length") != "5" {
		t.Errorf("sent %s", s.text)
	}
}

// A Router may change a response's status, but not what it means to others.
func TestSetStatus(t *testing.T) {
	for _, tt := range []struct {
		was      string
		code     int
		reason   string
		want     string
		wantFail bool
	}{
		{"404 Not Found", 480, "Nobody\r\nX: y", "SIP/2.0 480 Nobody  X: y", false},
		{"404 Not Found", 503, "", "SIP/2.0 503 Service Unavailable", false},
		{"404", 603, "No", "SIP/2.0 603 No", false},
		{"180 Ringing", 183, "Progress", "SIP/2.0 183 Progress", false},
		{"200 OK", 202, "Later", "SIP/2.0 202 Later", false},
		{"200 OK", 404, "", "SIP/2.0 200 OK", true},
		{"404 Not Found", 200, "", "SIP/2.0 404 Not Found", true},
		{"180 Ringing", 200, "", "SIP/2.0 180 Ringing", true},
		{"404 Not Found", 700, "", "SIP/2.0 404 Not Found", true},
	} {
		b := newBed(t, funcs{response: func(c *Context) {
			if !tt.wantFail {
				if err := c.SetStatus(c.Msg.StatusCode(), []byte("first")); err != nil {
					t.Error(err)
				}
			}
			if err := c.SetStatus(tt.code, []byte(tt.reason)); (err != nil) != tt.wantFail {
				t.Errorf("%s to %d: %v", tt.was, tt.code, err)
			}
		}})
		req := b.one(invite(), overTLS).text
		if got := firstLine(b.one(answer(t, req, tt.was), fromUAS).text); got != tt.want {
			t.Errorf("%s to %d %q: %s", tt.was, tt.code, tt.reason, got)
		}
	}
}
