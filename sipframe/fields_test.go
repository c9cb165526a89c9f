package sipframe

import (
	"errors"
	"math"
	"testing"
)

func TestFields(t *testing.T) {
	m := parse(t, invite)
	via, err := m.TopVia()
	if err != nil || string(m.Bytes(via.Branch)) != "z9hG4bK776a" || via.Port != 5061 {
		t.Errorf("Via: %v %+v", err, via)
	}
	from, err := m.From()
	if err != nil || string(m.Bytes(from.Tag)) != "192830177" || string(m.Bytes(from.URI)) != "sip:alice@example.com" {
		t.Errorf("From: %v %+v", err, from)
	}
	to, err := m.To()
	if err != nil || to.Tag.Len != 0 || string(m.Bytes(to.URI)) != "sip:+4930123456@sbc.example.net" {
		t.Errorf("To: %v %+v", err, to)
	}
	if string(m.CallID()) != "a84b4c@192.0.2.15" {
		t.Errorf("Call-ID %q", m.CallID())
	}
	n, method, err := m.CSeq()
	if err != nil || n != 314159 || string(method) != "INVITE" {
		t.Errorf("CSeq %d %q %v", n, method, err)
	}
	hops, ok, err := m.MaxForwards()
	if err != nil || !ok || hops != 70 {
		t.Errorf("Max-Forwards %d, %v, %v", hops, ok, err)
	}
	contact, err := m.Contact()
	if err != nil || string(m.Bytes(contact.URI)) != "sips:alice@192.0.2.15:5061" {
		t.Errorf("Contact: %v %+v", err, contact)
	}
	uri, err := m.URI()
	if err != nil || string(uri.Host.In(m.RequestURI())) != "sbc.example.net" {
		t.Errorf("URI: %v %+v", err, uri)
	}
}

// A value is parsed once: the second call gives the same, error included.
func TestFieldsAreKept(t *testing.T) {
	m := parse(t, invite)
	v1, _ := m.TopVia()
	v2, _ := m.TopVia()
	f1, _ := m.From()
	f2, _ := m.From()
	u1, _ := m.URI()
	u2, _ := m.URI()
	if v1 != v2 || f1 != f2 || u1 != u2 {
		t.Error("parsed twice")
	}
	m = parse(t, message("OPTIONS <sip:a> SIP/2.0", "From: x", "CSeq: x", "Via: x"))
	for range 2 {
		if f, err := m.From(); f != nil || !errors.Is(err, errNameAddr) {
			t.Errorf("From: %v %v", f, err)
		}
		if _, _, err := m.CSeq(); !errors.Is(err, errCSeq) {
			t.Errorf("CSeq: %v", err)
		}
		if v, err := m.TopVia(); v != nil || !errors.Is(err, errVia) {
			t.Errorf("Via: %v %v", v, err)
		}
		if u, err := m.URI(); u != nil || !errors.Is(err, errURIScheme) {
			t.Errorf("URI: %v %v", u, err)
		}
	}
}

func TestMissingFields(t *testing.T) {
	m := parse(t, message("OPTIONS sip:a SIP/2.0"))
	_, via := m.TopVia()
	_, from := m.From()
	_, to := m.To()
	_, _, cseq := m.CSeq()
	_, contact := m.Contact()
	for _, tt := range []struct{ got, want error }{
		{via, errNoVia}, {from, errNoFrom}, {to, errNoTo}, {cseq, errNoCSeq}, {contact, errNoContact},
	} {
		if !errors.Is(tt.got, tt.want) {
			t.Errorf("%v, want %v", tt.got, tt.want)
		}
	}
	if _, ok, err := m.MaxForwards(); ok || err != nil {
		t.Error("Max-Forwards is there")
	}
	if m.CallID() != nil {
		t.Error("Call-ID is there")
	}
}

func TestCSeq(t *testing.T) {
	for _, tt := range []struct {
		value  string
		number uint32
		method string
	}{
		{"1 INVITE", 1, "INVITE"}, {"0009\r\n  INVITE", 9, "INVITE"}, {"4294967295\tX", math.MaxUint32, "X"},
		{"4294967296 X", 0, ""}, {"1INVITE", 0, ""}, {"1", 0, ""}, {"INVITE", 0, ""}, {"-1 INVITE", 0, ""},
		{"1 INVITE x", 0, ""}, {"", 0, ""}, {"1 INV,ITE", 0, ""}, {"36893488147419103232 X", 0, ""},
	} {
		m := parse(t, message("OPTIONS sip:a SIP/2.0", "CSeq: "+tt.value))
		n, method, err := m.CSeq()
		if (err == nil) != (tt.method != "") || n != tt.number || string(method) != tt.method {
			t.Errorf("%q: %d %q %v", tt.value, n, method, err)
		}
	}
}

func TestMaxForwards(t *testing.T) {
	for _, tt := range []struct {
		value string
		want  int // -1: a defect
	}{{"0", 0}, {"0068", 68}, {"255", 255}, {"256", -1}, {"-1", -1}, {"", -1}, {"7x", -1}, {"7, 7", -1}} {
		m := parse(t, message("OPTIONS sip:a SIP/2.0", "Max-Forwards: "+tt.value))
		n, ok, err := m.MaxForwards()
		if !ok || (err != nil) != (tt.want < 0) || err == nil && n != tt.want {
			t.Errorf("%q: %d, %v, %v", tt.value, n, ok, err)
		}
	}
}

func TestContentLength(t *testing.T) {
	for _, tt := range []struct {
		values []string
		want   int // -1: a defect
	}{
		{[]string{"0"}, 0}, {[]string{"2", "02"}, 2}, {[]string{"1", "2"}, -1}, {[]string{"x", "2"}, -1},
		{[]string{"2", ""}, -1}, {[]string{"2147483648"}, -1}, {[]string{"\r\n 2"}, 2}, {[]string{"\r\n\t2\r\n "}, 2},
	} {
		lines := []string{"OPTIONS sip:a SIP/2.0"}
		for _, v := range tt.values {
			lines = append(lines, "l:"+v)
		}
		var m Message
		_ = m.Parse(append(message(lines...), "ab"...))
		n, ok, err := m.ContentLength()
		if !ok || (err != nil) != (tt.want < 0) || err == nil && n != tt.want {
			t.Errorf("%q: %d, %v, %v", tt.values, n, ok, err)
		}
	}
}

func TestViaAt(t *testing.T) {
	m := parse(t, message("OPTIONS sip:a SIP/2.0", "Via: SIP/2.0/TLS a,SIP/2.0/TLS b, c", "v: SIP/2.0/TLS d"))
	var hosts []string
	it := m.Values(HeaderVia)
	for s, ok := it.Next(); ok; s, ok = it.Next() {
		var v Via
		if err := m.ViaAt(s, &v); err != nil {
			hosts = append(hosts, err.Error())
			continue
		}
		if v.Span != s {
			t.Errorf("%v, iterator said %v", v.Span, s)
		}
		hosts = append(hosts, string(m.Bytes(v.Host)))
	}
	if got := hosts; len(got) != 4 || got[0] != "a" || got[1] != "b" || got[2] != "Bad Via" || got[3] != "d" {
		t.Errorf("%q", got)
	}
}

func TestContact(t *testing.T) {
	for _, tt := range []struct{ line, want string }{
		{"m: *", "*"}, {"m: <sip:a>, <sip:b>", "sip:a"}, {"Contact: ,\"x, y\" <sip:a;b?c=d>;q=1", "sip:a;b?c=d"},
		{"m: x", "Bad Address"}, {"m:", "sip:second"},
	} {
		m := parse(t, message("REGISTER sip:a SIP/2.0", tt.line, "m: <sip:second>"))
		got := ""
		a, err := m.Contact()
		switch {
		case err != nil:
			got = err.Error()
		case a.Star:
			got = "*"
		default:
			got = string(m.Bytes(a.URI))
		}
		if got != tt.want {
			t.Errorf("%s: %s, want %s", tt.line, got, tt.want)
		}
	}
}
