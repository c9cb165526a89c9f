package ng

import (
	"reflect"
	"strings"
	"testing"
)

func TestBencode(t *testing.T) {
	for text, v := range map[string]Dict{
		"de": {},
		"d7:command4:ping3:numi-42e4:listl1:ai0ed1:kleeee": {{"command", "ping"}, {"num", int64(-42)}, {"list", List{"a", int64(0), Dict{{"k", List{}}}}}},
		"d0:0:e": {{"", ""}},
	} {
		if got := string(Append(nil, v)); got != text {
			t.Errorf("%v: %s, want %s", v, got, text)
		}
		got, err := Parse([]byte(text))
		if err != nil || !reflect.DeepEqual(got, v) {
			t.Errorf("%s: %v %v", text, got, err)
		}
		for i := range text {
			if got, err := Parse([]byte(text[:i])); err == nil {
				t.Errorf("%q: %v", text[:i], got)
			}
		}
	}
	for _, text := range []string{"", "le", "i1e", "1:a", "dee", "d1:ai1ee ", "d1:ai1x2ee", "d-1:ai1ee", "di1e1:ae", "d1:ai+1ee", "d1:ai99999999999999999999ee",
		"d99999999999999999:a", "d1:a" + strings.Repeat("l", 40) + strings.Repeat("e", 41), "x", "d1:aie" + "e"} {
		if got, err := Parse([]byte(text)); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("d6:result2:ok3:sdp3:v=04:tagsd1:ali1eeee"))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := Parse(b)
		if err != nil {
			return
		}
		again, err := Parse(Append(nil, d))
		if err != nil || !reflect.DeepEqual(d, again) {
			t.Fatalf("%v: %v %v", d, again, err)
		}
	})
}
