package sipframe

import (
	"strings"
	"testing"
)

func TestHeaderKinds(t *testing.T) {
	seen := map[string]HeaderKind{}
	for k := OtherHeader + 1; k < numHeaderKinds; k++ {
		name := k.String()
		if name == "" {
			t.Fatalf("kind %d has no name", k)
		}
		if before, ok := seen[strings.ToLower(name)]; ok {
			t.Errorf("%s is kind %d and %d", name, before, k)
		}
		seen[strings.ToLower(name)] = k
		for _, s := range []string{name, strings.ToLower(name), strings.ToUpper(name)} {
			if got := HeaderKindOf([]byte(s)); got != k {
				t.Errorf("%s is of kind %v: two names share a slot", s, got)
			}
		}
		if c := k.Compact(); c != 0 {
			for _, s := range []string{string(c), strings.ToUpper(string(c))} {
				if got := HeaderKindOf([]byte(s)); got != k {
					t.Errorf("%s is %v, want %v", s, got, k)
				}
			}
		}
	}
}

// Every name with one byte changed, added or taken away is another name.
func TestHeaderKindNear(t *testing.T) {
	for k := OtherHeader + 1; k < numHeaderKinds; k++ {
		name := []byte(k.String())
		for i := range name {
			for c := range 256 {
				b := []byte(string(name))
				b[i] = byte(c)
				if got := HeaderKindOf(b); (got == k) != strings.EqualFold(string(b), string(name)) && c < 0x80 {
					t.Errorf("%q is %v", b, got)
				} else if got == k && c >= 0x80 {
					t.Errorf("%q is %v", b, got)
				}
			}
			if b := append(name[:i:i], name[i+1:]...); len(b) > 1 && HeaderKindOf(b) == k {
				t.Errorf("%s without byte %d is still that", name, i)
			}
		}
		if got := HeaderKindOf(append(name[:len(name):len(name)], 's')); got != OtherHeader {
			t.Errorf("%ss is %v", name, got)
		}
	}
	for _, s := range []string{"", "-", "z", "1", "Content_Length", "Content-Length ", " l", "X-Content-Length"} {
		if got := HeaderKindOf([]byte(s)); got != OtherHeader {
			t.Errorf("%q is %v", s, got)
		}
	}
}

func TestHeaderKindOutOfRange(t *testing.T) {
	if HeaderKind(255).String() != "" || HeaderKind(255).Compact() != 0 || OtherHeader.String() != "" {
		t.Error("a kind that is none has a name")
	}
}

func TestSameHeaderName(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{"Via", "v", true}, {"V", "via", true}, {"X-Foo", "x-foo", true}, {"X-Foo", "X-Fo", false},
		{"f", "t", false}, {"x", "Session-Expires", true}, {"", "", true}, {"Via", "", false}, {"X-Foo", "Via", false},
	} {
		if got := SameHeaderName([]byte(tt.a), []byte(tt.b)); got != tt.want {
			t.Errorf("SameHeaderName(%q, %q) = %v", tt.a, tt.b, got)
		}
	}
}
