package sipframe

import (
	"strings"
	"testing"
)

// sound is a request in order, as lines.
var sound = []string{
	"INVITE sip:a@b SIP/2.0", "Via: SIP/2.0/TLS c;branch=z9hG4bK1", "Max-Forwards: 70", "From: <sip:a@b>;tag=1",
	"To: <sip:a@b>", "Call-ID: 1@c", "CSeq: 1 INVITE", "Content-Length: 0",
}

// but gives the lines with those changed that begin as the new ones do up to
// the colon; "-To" takes To away, "+To: x" adds one more.
func but(changes ...string) []byte {
	l := append([]string(nil), sound...)
	for _, c := range changes {
		switch {
		case c[0] == '+':
			l = append(l, c[1:])
		case c[0] == '-':
			for i, s := range l {
				if strings.HasPrefix(s, c[1:]+":") {
					l = append(l[:i], l[i+1:]...)
					break
				}
			}
		case strings.HasPrefix(c, "SIP/") || strings.Contains(c, " SIP/") && !strings.HasPrefix(c, "Via:"):
			l[0] = c
		default:
			name, _, _ := strings.Cut(c, ":")
			for i, s := range l {
				if strings.HasPrefix(s, name+":") {
					l[i] = c
				}
			}
		}
	}
	return message(l...)
}

func TestValidateRequest(t *testing.T) {
	for _, tt := range []struct {
		raw    []byte
		code   int
		reason string
		drop   bool
	}{
		{but(), 0, "", false},
		{but("-Max-Forwards"), 0, "", false},
		{but("+X: y", "+Require: z"), 0, "", false},
		{but("From: <sip:a@b>"), 0, "", false}, // RFC 2543
		{but("INVITE tel:+1 SIP/2.0"), 0, "", false},
		{but("INVITE urn:service:sos SIP/2.0"), 0, "", false},
		{but("NEW sip:a SIP/2.0", "CSeq: 1 NEW"), 0, "", false},
		{but("+foo bar"), 400, "No Colon in Header Line", false},
		{but("INVITE  sip:a SIP/2.0"), 400, "Bad Request-Line", false},
		{but("INVITE <sip:a> SIP/2.0"), 400, "Bad URI Scheme", false},
		{but("INVITE sip:a; lr SIP/2.0"), 400, "Bad URI Parameters", false},
		{but("INVITE sip:a?Route=x SIP/2.0"), 400, "Headers in Request-URI", false},
		{but("-From"), 400, "Missing From", false},
		{but("-To"), 400, "Missing To", false},
		{but("-Call-ID"), 400, "Missing Call-ID", false},
		{but("Call-ID:"), 400, "Missing Call-ID", false},
		{but("-CSeq"), 400, "Missing CSeq", false},
		{but("CSeq: x INVITE"), 400, "Bad CSeq", false},
		{but("CSeq: 1 BYE"), 400, "CSeq Method Mismatch", false},
		{but("CSeq: 1 invite"), 400, "CSeq Method Mismatch", false},
		{but("To: x"), 400, "Bad Address", false},
		{but("From: \"x <sip:a>"), 400, "Unbalanced Quotes", false},
		{but("+f: <sip:x>"), 400, "Repeated From", false},
		{but("+t: <sip:a@b>"), 400, "Repeated To", false},
		{but("+i: 1@c"), 400, "Repeated Call-ID", false},
		{but("+CSeq: 1 INVITE"), 400, "Repeated CSeq", false},
		{but("+Max-Forwards: 70"), 400, "Repeated Max-Forwards", false},
		{but("Max-Forwards: 300"), 400, "Bad Max-Forwards", false},
		{but("Content-Length: 1"), 400, "Content-Length beyond the End", false},
		{but("Via: SIP/2.0/TLS c;;"), 400, "Bad Via Parameters", false},
		{but("Via: SIP/2.0/TLS"), 400, "Bad Via", false},
		{but("Via:"), 400, "Bad Via", false},
		{but("Via: SIP/2.0/TLS c:0"), 400, "Bad Via", false},
		{but("ACK sip:a SIP/2.0", "CSeq: 1 ACK", "Via: SIP/2.0/TLS c:0"), 400, "Bad Via", true},
		{but("-Via"), 400, "Missing Via", true},
		{but("INVITE http://a SIP/2.0"), 416, "Unsupported URI Scheme", false},
		{but("INVITE sip:a SIP/3.0"), 505, "Version Not Supported", false},
		{but("INVITE sip:a SIP/3.0", "-To"), 505, "Version Not Supported", false},
		{but("+Proxy-Require: foo"), 420, "Bad Extension", false},
		{but("ACK sip:a SIP/2.0", "CSeq: 1 ACK"), 0, "", false},
		{but("ACK sip:a SIP/2.0", "CSeq: 1 ACK", "-To"), 400, "Missing To", true},
		{but("ACK sip:a SIP/2.0", "CSeq: 1 ACK", "+Proxy-Require: foo"), 0, "", false},
		{but("CANCEL sip:a SIP/2.0", "CSeq: 1 CANCEL", "+Proxy-Require: foo"), 0, "", false},
	} {
		var m Message
		var v Verdict
		_ = m.Parse(tt.raw)
		m.Validate(&v)
		if v.Code != tt.code || v.Reason != tt.reason || v.Drop != tt.drop {
			t.Errorf("%q: %d %s, drop %v, want %d %s, drop %v", tt.raw, v.Code, v.Reason, v.Drop, tt.code, tt.reason, tt.drop)
		}
	}
}

func TestValidateResponse(t *testing.T) {
	for _, tt := range []struct {
		raw    []byte
		reason string
	}{
		{but("SIP/2.0 200 OK"), ""},
		{but("SIP/2.0 200 OK", "CSeq: 1 BYE", "Max-Forwards: x", "+Proxy-Require: x"), ""},
		{but("SIP/2.0 200 OK", "-Via"), "Missing Via"},
		{but("SIP/2.0 200 OK", "-To"), "Missing To"},
		{but("SIP/2.0 200 OK", "CSeq: 99999999999 INVITE"), "Bad CSeq"},
		{but("SIP/2.0 200 OK", "+i: 2"), "Repeated Call-ID"},
		{but("SIP/2.0 2000 OK"), "Bad Status Code"},
		{but("SIP/3.0 200 OK"), "Version Not Supported"},
	} {
		var m Message
		var v Verdict
		_ = m.Parse(tt.raw)
		m.Validate(&v)
		if v.Reason != tt.reason || v.Drop != (tt.reason != "") || (v.Code != 0) != v.Drop {
			t.Errorf("%q: %+v, want %s", tt.raw, v, tt.reason)
		}
	}
}

func TestValidateHops(t *testing.T) {
	for _, tt := range []struct {
		raw  []byte
		want bool
	}{{but("Max-Forwards: 0"), true}, {but("Max-Forwards: 1"), false}, {but("-Max-Forwards"), false}, {but("Max-Forwards: x"), false}} {
		var v Verdict
		m := new(Message)
		_ = m.Parse(tt.raw)
		if m.Validate(&v); v.NoHops != tt.want {
			t.Errorf("%q: %v", tt.raw, v.NoHops)
		}
	}
}

func TestValidateUnsupported(t *testing.T) {
	var v Verdict
	parse(t, but("+Proxy-Require: foo , bar", "+Proxy-Require: baz")).Validate(&v)
	if got := string(v.Unsupported); got != "foo, bar, baz" || v.Code != 420 {
		t.Errorf("%q, %d", got, v.Code)
	}
	if parse(t, but()).Validate(&v); len(v.Unsupported) != 0 || v.Code != 0 {
		t.Errorf("the Unsupported of the message before: %q", v.Unsupported)
	}
}
