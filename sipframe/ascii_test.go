package sipframe

import (
	"bytes"
	"math"
	"testing"
)

func TestEqualFold(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{"", "", true}, {"Via", "vIA", true}, {"rport", "RPORT", true}, {"a", "", false}, {"ab", "ac", false},
		{"a-b", "A-B", true}, {"a-b", "a\rb", false}, {"[", "{", false}, {"@", "`", false}, {"É", "é", false},
	} {
		if got := EqualFold([]byte(tt.a), tt.b); got != tt.want {
			t.Errorf("EqualFold(%q, %q) = %v", tt.a, tt.b, got)
		}
		if got := EqualFoldBytes([]byte(tt.b), []byte(tt.a)); got != tt.want {
			t.Errorf("EqualFoldBytes(%q, %q) = %v", tt.b, tt.a, got)
		}
	}
}

func TestParseUint(t *testing.T) {
	for _, tt := range []struct {
		in  string
		max uint64
		n   uint64
		ok  bool
	}{
		{"0", 10, 0, true}, {"007", 10, 7, true}, {"10", 10, 10, true}, {"11", 10, 0, false},
		{"5", 4, 0, false}, {"", 10, 0, false}, {"-1", 10, 0, false}, {"+1", 10, 0, false}, {" 1", 10, 0, false},
		{"1x", 10, 0, false}, {"18446744073709551615", math.MaxUint64, math.MaxUint64, true},
		{"18446744073709551616", math.MaxUint64, 0, false}, {"36893488147419103232", math.MaxUint64, 0, false},
		{"4294967296", math.MaxUint32, 0, false}, {"4294967295", math.MaxUint32, math.MaxUint32, true},
	} {
		if n, ok := ParseUint([]byte(tt.in), tt.max); ok != tt.ok || ok && n != tt.n {
			t.Errorf("ParseUint(%q, %d) = %d, %v", tt.in, tt.max, n, ok)
		}
	}
}

func TestIsToken(t *testing.T) {
	if !IsToken([]byte("!interesting-Method0123456789_*+`.%indeed'~")) {
		t.Error("the method of RFC 4475 section 3.1.1.2 is a token")
	}
	for _, s := range []string{"", "a b", "a/b", "a:b", "ü", "a\x00", "\"a\"", "a@b"} {
		if IsToken([]byte(s)) {
			t.Errorf("%q is a token", s)
		}
	}
}

// The word-wise searches against the plain loop, with the byte at every place
// and every other byte around it.
func TestIndexWords(t *testing.T) {
	for fill := range 256 {
		for size := range 20 {
			b := bytes.Repeat([]byte{byte(fill)}, size)
			for at := -1; at < size; at++ {
				for _, c := range []byte{':', '\n', '\r', 0, 0x1f, ' '} {
					d := bytes.Clone(b)
					if at >= 0 {
						d[at] = c
					}
					if got, want := indexColon(d), plainIndex(d, func(c byte) bool { return c == ':' }); got != want {
						t.Fatalf("indexColon(%q) = %d, want %d", d, got, want)
					}
				}
			}
		}
	}
}

func plainIndex(b []byte, f func(byte) bool) int {
	for i, c := range b {
		if f(c) {
			return i
		}
	}
	return len(b)
}

func TestSkipQuoted(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want int
	}{
		{`""`, 2}, {`"a"b`, 3}, {`"\""`, 4}, {`"\\"x`, 4}, {`"`, -1}, {`"\"`, -1}, {`"\`, -1}, {`"abc`, -1},
	} {
		if got := skipQuoted([]byte(tt.in), 0, len(tt.in)); got != tt.want {
			t.Errorf("skipQuoted(%s) = %d, want %d", tt.in, got, tt.want)
		}
	}
}

func TestSpan(t *testing.T) {
	b := []byte("hello")
	s := Span{1, 3}
	if got := s.In(b); string(got) != "ell" || cap(got) != 3 || s.End() != 4 {
		t.Errorf("%v in %q is %q, cap %d", s, b, got, cap(got))
	}
	for _, s := range []Span{{3, 3}, {6, 0}, {math.MaxUint32, 1}, {1, math.MaxUint32}} {
		if got := s.In(b); got != nil {
			t.Errorf("%v in %q is %q, want nil", s, b, got)
		}
	}
	if got := trimmed([]byte(" \r\n a \t"), 0, 7).In([]byte(" \r\n a \t")); string(got) != "a" {
		t.Errorf("trimmed to %q", got)
	}
}
