package uac

import (
	"strings"
	"testing"
)

// TestMask gives either URI for the other one.
func TestMask(t *testing.T) {
	a, b := []byte("sip:alice@example.com"), []byte("sip:anonymous@anonymous.invalid;user=phone")
	for _, password := range []string{"", "secret"} {
		v, err := mask([]byte(password), []byte("call"), a, b)
		if err != nil || strings.ContainsAny(v, ";=?@<>, ") {
			t.Fatal(v, err)
		}
		if password != "" && strings.HasPrefix(v, "AAAA") {
			t.Errorf("what the URIs have in common shows: %s", v)
		}
		for _, pair := range [][2][]byte{{a, b}, {b, a}} {
			if got, err := unmask([]byte(password), []byte("call"), v, pair[0]); err != nil || string(got) != string(pair[1]) {
				t.Errorf("%q: %q %v", pair[0], got, err)
			}
		}
		for _, bad := range []string{"", "x", "!", v + "A", v[1:], strings.ToUpper(v)} {
			if got, err := unmask([]byte(password), []byte("call"), bad, a); err == nil {
				t.Errorf("%q: %q", bad, got)
			}
		}
		if _, err := unmask([]byte(password), []byte("other"), v, a); err == nil {
			t.Error("it is taken in another call")
		}
		if _, err := unmask([]byte(password+"x"), []byte("call"), v, a); err == nil {
			t.Error("it is taken with another password")
		}
	}
	if _, err := mask(nil, nil, make([]byte, maxURI+1), b); err == nil {
		t.Error("a URI that is too long")
	}
}
