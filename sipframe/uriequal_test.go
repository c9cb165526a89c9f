package sipframe

import (
	"strings"
	"testing"
)

func TestEqualURI(t *testing.T) {
	many := "sip:a" + strings.Repeat(";x=1", 100)
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		// The examples of RFC 3261 section 19.1.4.
		{"sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp", true},
		{"sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5", true},
		{"sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;security=on", true},
		{"sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
			"sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com", true},
		{"sip:alice@atlanta.com?subject=project%20x&priority=urgent", "sip:alice@atlanta.com?priority=urgent&subject=project%20x", true},
		{"SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP", false},
		{"sip:bob@biloxi.com", "sip:bob@biloxi.com:5060", false},
		{"sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp", false},
		{"sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp", false},
		{"sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting", false},
		{"sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4", false},
		{"sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off", false},
		// Its rules.
		{"sip:a@b", "sips:a@b", false}, {"sip:a@b", "sip:b", false}, {"sip:a:p@b", "sip:a@b", false}, {"sip:a:p@b", "sip:a:P@b", false},
		{"sip:a;user=phone@b", "sip:a@b;user=phone", false}, {"sip:b;user=ip", "sip:b", false}, {"sip:b;ttl=1", "sip:b", false},
		{"sip:b;method=INVITE", "sip:b", false}, {"sip:b;maddr=c", "sip:b", false}, {"sip:b;lr", "sip:b", true},
		{"sip:b;LR", "sip:b;lr=", true}, {"sip:b;x=1;x=2", "sip:b;x=1;x=2", true},
		{"sip:a%40@b", "sip:a%40@b", true}, {"sip:a%3b@b", "sip:a;@b", false}, {"sip:a%2D@b", "sip:a-@b", true},
		{"sip:a%3B@b", "sip:a%3b@b", true}, {"sip:a@b?x=1&y=2", "sip:a@b?x=1", false}, {"sip:a@b?X=1", "sip:a@b?x=1", true},
		{"sip:a@b?x=A", "sip:a@b?x=a", false}, {many, many, true}, {many, many + ";y", false},
		{"tel:+1-201-555-0123", "tel:+12015550123", true}, {"tel:+1201", "tel:1201", false}, {"tel:12", "tel:123", false}, {"tel:1a", "TEL:1-A", true},
		{"tel:7042;phone-context=a.com", "tel:7042;PHONE-CONTEXT=A.COM", true}, {"tel:7042;phone-context=a.com", "tel:7042", false},
		{"http://a", "HTTP://a", true}, {"http://a", "http://A", false}, {"http:a", "https:a", false},
		{"urn:service:sos", "urn:service:sos", true}, {"x", "x", false}, {"", "", false},
	} {
		if got := EqualURI([]byte(tt.a), []byte(tt.b)); got != tt.want {
			t.Errorf("%.80s and %.80s: %v", tt.a, tt.b, got)
		}
		if got := EqualURI([]byte(tt.b), []byte(tt.a)); got != tt.want {
			t.Errorf("%.80s and %.80s, swapped: %v", tt.a, tt.b, got)
		}
	}
}

func TestUnescapeURI(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "abc": "abc", "%61%4C%6c": "aLl", "%00": "\x00", "%": "%", "%4": "%4", "%zz": "%zz", "a%25%34%31": "a%41", "%C3%A4": "ä",
	} {
		if got := string(UnescapeURI(nil, []byte(in))); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
