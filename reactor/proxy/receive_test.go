package proxy

import (
	"strings"
	"testing"

	"sipreactor/sipframe"
)

// RFC 3261 16.3: what is refused before any Router sees it.
func TestValidation(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		code       int // 0: dropped
		reason     string
	}{
		{"no CSeq", invite("CSeq:"), 400, "Missing CSeq"},
		{"CSeq of another method", invite("CSeq: 7 BYE"), 400, "CSeq Method Mismatch"},
		{"no From", invite("From:"), 400, "Missing From"},
		{"no To", invite("To:"), 400, "Missing To"},
		{"no Call-ID", invite("Call-ID:"), 400, "Missing Call-ID"},
		{"Max-Forwards", invite("Max-Forwards: many"), 400, "Bad Max-Forwards"},
		{"scheme", request("OPTIONS", "foo:bar"), 416, "Unsupported URI Scheme"},
		{"version", strings.Replace(invite(), " SIP/2.0\r\n", " SIP/3.0\r\n", 1), 505, "Version Not Supported"},
		{"extension", invite("+Proxy-Require: foo, bar"), 420, "Bad Extension"},
		{"no Via", invite("Via:"), 0, "Missing Via"},
		{"ACK without a readable Via", request("ACK", "sip:bob@203.0.113.9", "Via: x"), 0, "Bad Via"},
		{"ACK", request("ACK", "sip:bob@203.0.113.9", "CSeq: x"), 0, "Bad CSeq"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newBed(t, funcs{request: func(*Context) { t.Error("routed") }})
			list := b.pass(tc.text, overTLS)
			if got := b.proxy.Defects(); got[tc.reason] != 1 || len(got) != 1 {
				t.Errorf("counted as %v", got)
			}
			if tc.code == 0 {
				if len(list) != 0 {
					t.Errorf("sent %+v", list)
				}
				b.counts(map[Counter]uint64{RequestsBroken: 1})
				return
			}
			if len(list) != 1 {
				t.Fatalf("sent %+v", list)
			}
			m := parse(t, list[0].text)
			if m.StatusCode() != tc.code || string(m.ReasonPhrase()) != tc.reason {
				t.Errorf("got %s", firstLine(list[0].text))
			}
			if tc.code == 420 && header(t, list[0].text, "Unsupported") != "foo, bar" {
				t.Errorf("Unsupported %q", header(t, list[0].text, "Unsupported"))
			}
			if list[0].to.Conn != overTLS.Conn {
				t.Errorf("sent to %+v", list[0].to)
			}
			b.counts(map[Counter]uint64{RequestsRefused: 1, OwnResponses: 1})
			if b.proxy.Refused(tc.code) != 1 || b.proxy.Refused(99) != 0 {
				t.Error("code not counted")
			}
		})
	}
}

func TestGarbage(t *testing.T) {
	b := newBed(t, funcs{request: func(*Context) { t.Error("routed") }})
	for _, text := range []string{"", "\n", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "hello", "INVITE sip:a@b SIP/2.0\r\nVia", "\x00\xff\r\n\r\n"} {
		if list := b.pass(text, overTLS); len(list) != 0 {
			t.Errorf("%q leads to %+v", text, list)
		}
	}
	b.counts(map[Counter]uint64{Unreadable: 2, RequestsBroken: 4})
	causes := uint64(0)
	for _, n := range b.proxy.Defects() {
		causes += n
	}
	if causes != 6 {
		t.Errorf("causes %v", b.proxy.Defects())
	}
}

// The ACK to a response of ours is hop by hop; others go their way.
func TestAckAbsorbed(t *testing.T) {
	routed := 0
	b := newBed(t, funcs{request: func(c *Context) {
		routed++
		if c.Msg.Method() == sipframe.INVITE {
			_ = c.Respond(486, nil)
		}
	}})
	for _, via := range []string{"Via: SIP/2.0/TLS 198.51.100.7:5061;branch=z9hG4bKclient1", "Via: SIP/2.0/TLS 198.51.100.7"} {
		to := header(t, b.one(invite(via), overTLS).text, "To")
		ack := request("ACK", "sip:bob@203.0.113.9:5061;transport=tls", via, "To: "+to)
		routed = 0
		b.pass(ack, overTLS)
		if routed != 0 {
			t.Errorf("%s: the ACK was routed", via)
		}
	}
	if n := b.proxy.Count(AcksAbsorbed); n != 2 {
		t.Errorf("%d absorbed", n)
	}
	for name, ack := range map[string]string{
		"another tag":         request("ACK", "sip:bob@203.0.113.9", "To: <sip:bob@example.com>;tag=aaaaaaaaaaaaaaaa"),
		"another transaction": request("ACK", "sip:bob@203.0.113.9", "CSeq: 9 ACK", "To: "+header(t, b.one(invite(), overTLS).text, "To")),
		"no tag":              request("ACK", "sip:bob@203.0.113.9"),
	} {
		routed = 0
		b.pass(ack, overTLS)
		if routed != 1 {
			t.Errorf("%s: routed %d times", name, routed)
		}
	}
}

func TestBrokenStream(t *testing.T) {
	lost := sipframe.Defect{Code: 400, Reason: "Missing Content-Length", Answerable: true}
	b := newBed(t, funcs{request: func(*Context) { t.Error("routed") }})
	break_ := func(text string, d sipframe.Defect) []sent {
		b.sent = nil
		b.ctx.receiveBroken([]byte(text), overTLS, d)
		return b.sent
	}
	text := strings.Replace(invite(), "Content-Length: 0\r\n", "", 1)
	list := break_(text, lost)
	if len(list) != 1 || firstLine(list[0].text) != "SIP/2.0 400 Missing Content-Length" || list[0].to.Conn != overTLS.Conn {
		t.Errorf("sent %+v", list)
	}
	for name, text := range map[string]string{
		"two lengths":    strings.Replace(invite(), "Content-Length: 0\r\n", "Content-Length: 0\r\nl: 5\r\n", 1),
		"beyond the end": strings.Replace(invite(), "Content-Length: 0\r\n", "Content-Length: 99999\r\n", 1),
	} {
		if list := break_(text, lost); len(list) != 1 {
			t.Errorf("%s: sent %+v", name, list)
		}
	}
	for name, text := range map[string]string{
		"response": "SIP/2.0 200 OK\r\nVia: SIP/2.0/TLS a\r\n\r\n",
		"ACK":      strings.ReplaceAll(text, "INVITE", "ACK"),
		"no Via":   strings.Replace(text, "Via", "X", 1),
		"garbage":  "foo",
		"nothing":  "",
	} {
		if list := break_(text, lost); len(list) != 0 {
			t.Errorf("%s: sent %+v", name, list)
		}
	}
	lost.Answerable = false
	if list := break_(text, lost); len(list) != 0 {
		t.Errorf("sent %+v", list)
	}
	if n := b.proxy.Count(StreamsBroken); n != 9 {
		t.Errorf("%d streams counted", n)
	}
}

// A Context is used again and again: nothing of a message shows in the next.
func TestContextIsClean(t *testing.T) {
	first := true
	b := newBed(t, funcs{request: func(c *Context) {
		if !first {
			if c.DestURI() != nil || c.IsFlagSet(3) || c.IsBranchFlagSet(4) || c.SendSocket() != nil || c.Failure() != nil || c.RouteParams() != nil {
				t.Error("something of the message before")
			}
			_ = c.Forward(nil)
			return
		}
		first = false
		c.SetFlag(3)
		c.SetBranchFlag(4)
		c.LooseRoute()
		_ = c.SetRequestURI([]byte("sip:x@203.0.113.1"))
		_ = c.SetDestURI([]byte("sip:203.0.113.2"))
		_ = c.AppendHeader([]byte("X-Old: 1"))
		_ = c.RecordRoute([]byte(";old=1"))
		c.ForceRPort()
		c.SetSendSocket(tcpSocket)
		c.openNothing()
		c.SetTLSDomain("old")
		c.SetSIPDomain("old.example")
		_ = c.Forward([]byte("sip:nobody.invalid"))
	}})
	clean := newBed(t, funcs{}).one(invite(), overTLS)
	b.pass(invite("+Route: <sip:192.0.2.1:5061;transport=tls;lr;p=1>", "CSeq: 6 INVITE"), overTLS)
	if got := b.one(invite(), overTLS); got != clean {
		t.Errorf("got %+v\nwant %+v", got, clean)
	}
}

func TestOverload(t *testing.T) {
	b := newBed(t, funcs{})
	over := func(text string) []sent {
		b.sent = nil
		b.ctx.receiveOverload([]byte(text), overTLS)
		return b.sent
	}
	req := b.one(invite(), overTLS).text
	if list := over(invite()); len(list) != 1 || firstLine(list[0].text) != "SIP/2.0 503 Service Unavailable" {
		t.Errorf("a request leads to %+v", list)
	}
	if list := over(answer(t, req, "200 OK")); len(list) != 1 || !strings.HasPrefix(list[0].text, "SIP/2.0 200") {
		t.Errorf("a response leads to %+v", list)
	}
	ack := request("ACK", "sip:bob@203.0.113.9", "To: <sip:bob@example.com>;tag=b1")
	if list := over(ack); len(list) != 1 || !strings.HasPrefix(list[0].text, "ACK ") {
		t.Errorf("an ACK leads to %+v", list)
	}
	if list := over(invite("CSeq:")); len(list) != 1 || !strings.HasPrefix(list[0].text, "SIP/2.0 400") {
		t.Errorf("a broken request leads to %+v", list)
	}
	if list := over("INVITE"); len(list) != 0 {
		t.Errorf("garbage leads to %+v", list)
	}
	b.counts(map[Counter]uint64{RequestsOut: 2, Overloaded: 1, ResponsesOut: 1, OwnResponses: 2, RequestsRefused: 1, Unreadable: 1})
}
