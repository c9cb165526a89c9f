package load

import (
	"testing"
)

const invite = "INVITE sip:bob@example.com SIP/2.0\r\n" +
	"Via: SIP/2.0/TLS a.example.com;branch=z9hG4bK1;rport, SIP/2.0/TCP b.example.com;branch=z9hG4bK2\r\n" +
	"v: SIP/2.0/UDP c.example.com\r\n ;branch=z9hG4bK3\r\n" +
	"Record-Route: <sip:p1.example.com;lr>,<sip:p2.example.com;lr>\r\n" +
	"Route: \"a, b\" <sip:p3.example.com;lr>\r\n" +
	"f: \"Alice, A.\" <sip:alice@example.com;x=y>;tag=1928\r\n" +
	"To: <sip:bob@example.com>\r\n" +
	"i: 1@a\r\nCSeq: 7 INVITE\r\nm: <sip:alice@a.example.com:5061;transport=tls>\r\nMax-Forwards: 70\r\n" +
	"l: 4\r\n\r\nbody"

func TestMessageRequest(t *testing.T) {
	var m Message
	for range 2 { // a reused one reads the same
		if err := m.Parse([]byte(invite)); err != nil {
			t.Fatal(err)
		}
		if !m.Request || string(m.Method) != "INVITE" || string(m.URI) != "sip:bob@example.com" {
			t.Errorf("start line: %v %q %q", m.Request, m.Method, m.URI)
		}
		if len(m.Vias) != 3 || string(param(m.Vias[0], "branch")) != "z9hG4bK1" || string(param(m.Vias[2], "branch")) != "z9hG4bK3" {
			t.Errorf("Vias: %q", m.Vias)
		}
		if len(m.RecordRoutes) != 2 || string(addressURI(m.RecordRoutes[1])) != "sip:p2.example.com;lr" {
			t.Errorf("Record-Routes: %q", m.RecordRoutes)
		}
		if len(m.Routes) != 1 {
			t.Errorf("Routes: %q", m.Routes)
		}
		if string(param(m.From, "tag")) != "1928" || param(m.From, "x") != nil || param(m.To, "tag") != nil {
			t.Errorf("From %q To %q", m.From, m.To)
		}
		if string(m.CSeqMethod()) != "INVITE" || string(m.CallID) != "1@a" || string(m.Body) != "body" || string(m.MaxForwards) != "70" {
			t.Errorf("%q %q %q %q", m.CSeq, m.CallID, m.Body, m.MaxForwards)
		}
		if string(addressURI(m.Contact)) != "sip:alice@a.example.com:5061;transport=tls" {
			t.Errorf("Contact: %q", m.Contact)
		}
	}
}

func TestMessageResponse(t *testing.T) {
	var m Message
	if err := m.Parse([]byte("SIP/2.0 180 Ringing\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	if m.Request || m.Status != 180 {
		t.Errorf("%v %d", m.Request, m.Status)
	}
}

func TestMessageRefuses(t *testing.T) {
	for name, raw := range map[string]string{
		"no end":           "OPTIONS sip:a SIP/2.0\r\nl: 0\r\n",
		"no length":        "OPTIONS sip:a SIP/2.0\r\nCSeq: 1 OPTIONS\r\n\r\n",
		"short body":       "OPTIONS sip:a SIP/2.0\r\nl: 5\r\n\r\nbody",
		"two lengths":      "OPTIONS sip:a SIP/2.0\r\nl: 4\r\nContent-Length: 5\r\n\r\nbody",
		"signed length":    "OPTIONS sip:a SIP/2.0\r\nl: -4\r\n\r\nbody",
		"no colon":         "OPTIONS sip:a SIP/2.0\r\nl: 0\r\nx\r\n\r\n",
		"version":          "OPTIONS sip:a SIP/3.0\r\nl: 0\r\n\r\n",
		"status":           "SIP/2.0 99 Low\r\nl: 0\r\n\r\n",
		"not a start line": "hello\r\nl: 0\r\n\r\n",
	} {
		var m Message
		if err := m.Parse([]byte(raw)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestAddressURI(t *testing.T) {
	for in, want := range map[string]string{
		"<sip:a@b;lr>;x=1":     "sip:a@b;lr",
		"sip:a@b;tag=1":        "sip:a@b",
		"\"A\" <sip:a@b:5061>": "sip:a@b:5061",
	} {
		if got := string(addressURI([]byte(in))); got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
}
