package sipframe

import (
	"fmt"
	"strings"
	"testing"
)

func TestParams(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"", ""}, {";", ""}, {" ; ;; ", ""},
		{"lr", "lr|"}, {";lr;x=1", "lr| x=1|"}, {"a=1;b", "a=1| b|"},
		{" a\r\n =\r\n 1 ; b = ", "a=1| b=|"},
		{`a="x;y=\"";b`, `a="x;y=\""| b|`}, {`a="x;y`, `a="x;y|`}, {"a==b", "a==b|"}, {"=x", "=x|"},
		{"a=[::1];b", "a=[::1]| b|"}, {"%6c%72;n%61me=v", "%6c%72| n%61me=v|"},
	} {
		var got []string
		b := []byte(tt.in)
		it := Params(b)
		for p, ok := it.Next(); ok; p, ok = it.Next() {
			s := string(p.Name)
			if p.HasValue {
				s += "=" + string(p.Value)
			} else if p.Value != nil {
				t.Errorf("%q: a value without an equals sign", tt.in)
			}
			got = append(got, s+"|")
			if at := p.Span.In(b); !strings.HasPrefix(string(at), string(p.Name)) || !strings.HasSuffix(string(at), string(p.Value)) {
				t.Errorf("%q: span %q", tt.in, at)
			}
		}
		if g := strings.Join(got, " "); g != tt.want {
			t.Errorf("%q: %q, want %q", tt.in, g, tt.want)
		}
	}
}

func TestFindParam(t *testing.T) {
	b := []byte(`;LR;transport=TCP;x="q";transport=udp;e=`)
	for _, tt := range []struct{ name, want string }{
		{"lr", `"" true`}, {"Transport", `"TCP" true`}, {"x", `"\"q\"" true`}, {"e", `"" true`}, {"y", `"" false`}, {"", `"" false`},
	} {
		v, ok := FindParam(b, tt.name)
		if got := fmt.Sprintf("%q %v", v, ok); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
	if v, _ := FindParam(b, "lr"); v != nil {
		t.Error("a parameter without a value has one")
	}
	if v, _ := FindParam(b, "e"); v == nil {
		t.Error("an empty value is nil")
	}
}
