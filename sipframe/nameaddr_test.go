package sipframe

import (
	"errors"
	"testing"
)

func TestParseNameAddr(t *testing.T) {
	for _, tt := range []struct{ in, display, uri, params, tag string }{
		{"<sip:a@b>", "", "sip:a@b", "", ""},
		{"sip:a@b", "", "sip:a@b", "", ""},
		{" sip:a@b ;tag=1", "", "sip:a@b", "tag=1", "1"},
		{"sip:a@b;tag=1;x", "", "sip:a@b", "tag=1;x", "1"},
		{"<sip:a@b;lr>;tag=1", "", "sip:a@b;lr", "tag=1", "1"},
		{"Alice <sip:a@b> ; x=1 ; TAG = 9 ", "Alice", "sip:a@b", "x=1 ; TAG = 9", "9"},
		{"caller<sip:a@b>;tag=323", "caller", "sip:a@b", "tag=323", "323"},
		{`"A \"B\" <x>, C"<sip:a@b>;tag=1`, `"A \"B\" <x>, C"`, "sip:a@b", "tag=1", "1"},
		{`"J Rosenberg \\\""       <sip:a@b>` + "\r\n  ;\r\n  tag = 98asjd8", `"J Rosenberg \\\""`, "sip:a@b", "tag = 98asjd8", "98asjd8"},
		{"\r\n  sip:v@c ;   tag    = 19n", "", "sip:v@c", "tag    = 19n", "19n"},
		{`<sip:a@b>;x="tag=2;\"";tag=1;tag=3`, "", "sip:a@b", `x="tag=2;\"";tag=1;tag=3`, "1"},
		{"Jos\xc3\xa9 (home) <sip:a@b>", "Jos\xc3\xa9 (home)", "sip:a@b", "", ""},
		{"<sip:a@b>;tag", "", "sip:a@b", "tag", ""},
		{"<sip:a@b>;", "", "sip:a@b", "", ""},
		{"isbn:2983792873", "", "isbn:2983792873", "", ""},
		{"<http://www.example.com>;tag=3", "", "http://www.example.com", "tag=3", "3"},
		{"<sip:a,b;c?d=e@f>", "", "sip:a,b;c?d=e@f", "", ""},
		{`sip:a@b;x="<";tag=1`, "", "sip:a@b", `x="<";tag=1`, "1"},
		{`"" <sip:a@b>`, `""`, "sip:a@b", "", ""},
	} {
		var a NameAddr
		b := []byte(tt.in)
		if err := ParseNameAddr(b, &a); err != nil {
			t.Errorf("%q: %v", tt.in, err)
			continue
		}
		display, uri, params, tag := string(a.Display.In(b)), string(a.URI.In(b)), string(a.Params.In(b)), string(a.Tag.In(b))
		if display != tt.display || uri != tt.uri || params != tt.params || tag != tt.tag || a.Star {
			t.Errorf("%q: %q %q %q %q, star %v", tt.in, display, uri, params, tag, a.Star)
		}
		if a.Angle != (a.URI.Off > 0 && b[a.URI.Off-1] == '<') {
			t.Errorf("%q: angle %v", tt.in, a.Angle)
		}
	}
}

func TestNameAddrStar(t *testing.T) {
	var a NameAddr
	if err := ParseNameAddr([]byte(" * "), &a); err != nil || !a.Star || a.URI.Len != 0 {
		t.Errorf("%v %+v", err, a)
	}
}

func TestBadNameAddr(t *testing.T) {
	for _, tt := range []struct {
		in     string
		defect *Defect
	}{
		{"", errNameAddr}, {"alan@jasomi.com", errNameAddr}, {"<>", errNameAddr}, {"<sip:>", errNameAddr}, {"<sip:a", errNameAddr},
		{`"Mr. J. User <sip:j.user@example.com>`, errQuotes}, {`"a" sip:b`, errNameAddr}, {`"a"`, errNameAddr}, {`"a" x <sip:b>`, errNameAddr},
		{"Bell, Alexander <sip:a@b>", errDisplay}, {"a:b <sip:a@b>", errDisplay}, {"a\x01 <sip:a@b>", errDisplay},
		{`a "b" <sip:c>`, errNameAddr}, {`"Watson" < sip:t.watson@example.org >`, errNameAddr}, {"<sip:a b>", errNameAddr},
		{"<sip:a@b> x", errNameAddr}, {"<sip:a@b>, <sip:c>", errNameAddr}, {"sip:a@b, sip:c@d", errNameAddr}, {"sip:a,b", errNameAddr},
		{"sip:a@b?x=y", errNameAddr}, {"<sip:a@b>;x=", errNameAddr}, {"<sip:a@b>;=x", errNameAddr}, {`<sip:a@b>;x="y`, errNameAddr},
		{`<sip:a@b>;x="y"z`, errNameAddr}, {"<sip:a@b>;x y", errNameAddr}, {"<sip:a@b>;x=y z", errNameAddr}, {"<sip:a@b>;x=<y>", errNameAddr},
		{"<sip:a@b>;tag=1,2", errNameAddr}, {"<<sip:a@b>>", errNameAddr}, {"<sip:a\r\n b>", errNameAddr}, {"**", errNameAddr},
	} {
		var a NameAddr
		if err := ParseNameAddr([]byte(tt.in), &a); !errors.Is(err, tt.defect) {
			t.Errorf("%q: %v, want %v", tt.in, err, tt.defect)
		}
	}
}

func BenchmarkNameAddr(b *testing.B) {
	b.ReportAllocs()
	in := []byte("\"Alice\" <sip:alice@example.com>;tag=192830177")
	for b.Loop() {
		var a NameAddr
		if ParseNameAddr(in, &a) != nil {
			b.Fatal("bad")
		}
	}
}
