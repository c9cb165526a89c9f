package sipframe

import (
	"errors"
	"fmt"
	"testing"
)

func (u *URI) describe(b []byte) string {
	return fmt.Sprintf("%s|%s|%s|%s|%d|%s|%s|%s", u.Scheme, u.User.In(b), u.Password.In(b), u.Host.In(b), u.Port,
		u.Params.In(b), u.Headers.In(b), u.Opaque.In(b))
}

func TestParseURI(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"sip:a", "sip|||a|0|||"},
		{"sip:a@b", "sip|a||b|0|||"},
		{"SIPS:a:p@b:5061;lr?h=1", "sips|a|p|b|5061|lr|h=1|"},
		{"sip:a:@b", "sip|a||b|0|||"},
		{"sip:[2001:db8::1]", "sip|||[2001:db8::1]|0|||"},
		{"sip:a@[::ffff:192.0.2.1]:5060;transport=tls", "sip|a||[::ffff:192.0.2.1]|5060|transport=tls||"},
		{"sip:b?to=a&x=", "sip|||b|0||to=a&x=|"},
		{"sip:a;x@b;y=1;z", "sip|a;x||b|0|y=1;z||"},
		{"sip:a?b@c", "sip|a?b||c|0|||"},
		{"sip:user;par=u%40example.net@example.com", "sip|user;par=u%40example.net||example.com|0|||"},
		{"sip:sips%3Auser%40example.com@example.net", "sip|sips%3Auser%40example.com||example.net|0|||"},
		{"sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com",
			"sip|1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*|&it+has=1,weird!*pas$wo~d_too.(doesn't-it)|example.com|0|||"},
		{"sip:cal%6Cer@h;%6C%72;n%61me=v%61lue%25%34%31", "sip|cal%6Cer||h|0|%6C%72;n%61me=v%61lue%25%34%31||"},
		{"sip:*21#@my_host.local", "sip|*21#||my_host.local|0|||"},
		{"sip:a;", "sip|||a|0|||"},
		{"sip:a;;lr", "sip|||a|0|;lr||"},
		{"sip:h;maddr=[::1]", "sip|||h|0|maddr=[::1]||"},
		{"tel:+1-201-555-0123", "tel|+1-201-555-0123|||0|||"},
		{"tel:7042;phone-context=example.com", "tel|7042|||0|phone-context=example.com||"},
		{"TEL:*#06#", "tel|*#06#|||0|||"},
		{"urn:service:sos", "urn||||0|||service:sos"},
		{"soap.beep://192.0.2.103:3002", "||||0|||//192.0.2.103:3002"},
		{"nobodyKnowsThisScheme:totallyopaquecontent", "||||0|||totallyopaquecontent"},
	} {
		var u URI
		b := []byte(tt.in)
		if err := ParseURI(b, &u); err != nil {
			t.Errorf("%s: %v", tt.in, err)
			continue
		}
		if got := u.describe(b); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.in, got, tt.want)
		}
	}
}

func TestBadURI(t *testing.T) {
	for _, tt := range []struct {
		in     string
		defect *Defect
	}{
		{"", errURIScheme}, {":", errURIScheme}, {"sip", errURIScheme}, {"1a:b", errURIScheme}, {"<sip:a>", errURIScheme},
		{"s p:a", errURIScheme}, {"alan@jasomi.com", errURIScheme}, {"+sip:a", errURIScheme},
		{"sip:", errURIHost}, {"sip:@", errURIUser}, {"sip:@b", errURIUser}, {"sip::p@b", errURIUser}, {"sip:a@", errURIHost},
		{"sip:a b@c", errURIUser}, {"sip:a%4@c", errURIUser}, {"sip:a%zz@c", errURIUser}, {"sip:a:p p@c", errURIUser},
		{"sip:a@b@c", errURIHost}, {"sip:ä@b", errURIUser}, {"sip:a@b c", errURIHost}, {"sip:[::1", errURIHost}, {"sip:[]", errURIHost},
		{"sip:[g]", errURIHost}, {"sip:[::1]x", errURIHost}, {"sip:::1", errURIHost}, {"sip:a:", errURIPort}, {"sip:a:0", errURIPort},
		{"sip:a:65536", errURIPort}, {"sip:a:99999999999999999999", errURIPort}, {"sip:a:5x", errURIHost}, {"sip:a/b", errURIHost},
		{"sip:a; lr", errURIParams}, {"sip:a;x=\"y\"", errURIParams}, {"sip:a;x=%1", errURIParams}, {"sip:a;x=<", errURIParams},
		{"sip:a?", errURIHeader}, {"sip:a?x= y", errURIHeader}, {"sip:a;lr?x=%", errURIHeader},
		{"tel:", errURIUser}, {"tel:+", errURIUser}, {"tel:;x", errURIUser}, {"tel:12x", errURIUser}, {"tel:1 2", errURIUser},
		{"tel:1;x y", errURIParams}, {"http:", errURI}, {"http:a b", errURI}, {"urn:a<b", errURI},
	} {
		var u URI
		if err := ParseURI([]byte(tt.in), &u); !errors.Is(err, tt.defect) {
			t.Errorf("%s: %v, want %v", tt.in, err, tt.defect)
		}
	}
}

func TestURISpans(t *testing.T) {
	var u URI
	b := []byte("SIPS:a:p@[::1]:5061;LR;Transport=TLS")
	if err := ParseURI(b, &u); err != nil {
		t.Fatal(err)
	}
	if got := string(u.SchemeName.In(b)); got != "SIPS" {
		t.Errorf("scheme %q", got)
	}
	if got := string(u.HostPort.In(b)); got != "[::1]:5061" {
		t.Errorf("host and port %q", got)
	}
	if v, ok := u.Param(b, "transport"); !ok || string(v) != "TLS" {
		t.Errorf("transport %q, %v", v, ok)
	}
	if v, ok := u.Param(b, "lr"); !ok || v != nil {
		t.Errorf("lr %q, %v", v, ok)
	}
	if _, ok := u.Param(b, "ob"); ok || !u.HasUser() {
		t.Error("ob is there, or no user")
	}
}

func TestSchemeNames(t *testing.T) {
	for s, want := range map[Scheme]string{SchemeSIP: "sip", SchemeSIPS: "sips", SchemeTel: "tel", SchemeURN: "urn", OtherScheme: "", 99: ""} {
		if s.String() != want {
			t.Errorf("scheme %d is %q", s, s.String())
		}
	}
}

func BenchmarkURI(b *testing.B) {
	b.ReportAllocs()
	in := []byte("sip:+4930123456@sbc.example.net:5061;user=phone;transport=tls")
	for b.Loop() {
		var u URI
		if ParseURI(in, &u) != nil {
			b.Fatal("bad")
		}
	}
}
