package sipframe

import (
	"reflect"
	"strings"
	"testing"
)

func TestValues(t *testing.T) {
	m := parse(t, message("OPTIONS sip:a SIP/2.0",
		"Route: <sip:a;x=1,2> , \"x, \\\" y\" <sip:b>;p=\"1,2\"",
		"To: <sip:t>",
		"Route: ,, ",
		"Route:",
		"Route:\r\n <sip:c>,\r\n <sip:d>",
		"Record-Route: <sip:e>"))
	want := []string{"<sip:a;x=1,2>", `"x, \" y" <sip:b>;p="1,2"`, "<sip:c>", "<sip:d>"}
	headers := []int{0, 0, 4, 4}
	var got []string
	it := m.Routes()
	for v, ok := it.Next(); ok; v, ok = it.Next() {
		if it.Header() != headers[len(got)] {
			t.Errorf("value %d is of header %d", len(got), it.Header())
		}
		got = append(got, string(m.Bytes(v)))
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if _, ok := it.Next(); ok || it.Header() != -1 {
		t.Error("a value behind the last one")
	}
	rr := m.RecordRoutes()
	if v, ok := rr.Next(); !ok || string(m.Bytes(v)) != "<sip:e>" {
		t.Error("Record-Route")
	}
	none := m.Values(HeaderPath)
	if _, ok := none.Next(); ok {
		t.Error("a value of a header that is not there")
	}
}

func TestSplitList(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want []string
	}{
		{"", nil}, {" , ,", nil}, {"a", []string{"a"}}, {" a ,b\r\n ,\tc ", []string{"a", "b", "c"}},
		{`"a,b",c`, []string{`"a,b"`, "c"}}, {"<a,b>,c", []string{"<a,b>", "c"}}, {`"\",",b`, []string{`"\","`, "b"}},
		{`"a,b`, []string{`"a,b`}}, {"x,<a,b", []string{"x", "<a,b"}}, {`<a",b>,c"`, []string{`<a",b>`, `c"`}},
	} {
		var got []string
		l := SplitList([]byte(tt.in))
		for v, ok := l.Next(); ok; v, ok = l.Next() {
			got = append(got, string(v))
		}
		if !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%q: %q, want %q", tt.in, got, tt.want)
		}
	}
}

// Quotes and brackets that are opened again and again and never closed must not
// cost a search to the end each: then this test would run for hours.
func TestSplitIsLinear(t *testing.T) {
	for _, s := range []string{`"\",`, "<,", `",`, `\",`, "<\","} {
		b := []byte(`"` + strings.Repeat(s, 1<<20))
		l := SplitList(b)
		for _, ok := l.Next(); ok; _, ok = l.Next() {
		}
		it := Params(b)
		for _, ok := it.Next(); ok; _, ok = it.Next() {
		}
	}
}

func TestUnquote(t *testing.T) {
	scratch := make([]byte, 0, 8)
	for _, tt := range []struct{ in, want string }{
		{`"a"`, "a"}, {`""`, ""}, {`a`, "a"}, {`"`, `"`}, {``, ""}, {`"a\"b\\c"`, `a"b\c`}, {`"a`, `"a`},
		{`"a\`, `"a\`}, {`"\"`, `\`}, {`a"b"`, `a"b"`},
	} {
		if got := string(Unquote([]byte(tt.in), scratch)); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.in, got, tt.want)
		}
	}
}
