package proxy

import "testing"

func TestGlob(t *testing.T) {
	for _, tc := range []struct {
		pattern, name string
		want          bool
	}{
		{"*", "X-Foo", true}, {"*", "", true}, {"X-*", "x-foo", true}, {"X-*", "Y-foo", false}, {"*foo", "X-Foo", true},
		{"x?foo", "X-Foo", true}, {"x?foo", "Xfoo", false}, {"X-[a-f]oo", "X-Foo", true}, {"X-[!a-f]oo", "X-Foo", false},
		{"X-[^g]oo", "X-Foo", true}, {"[", "[", true}, {"[a", "a", false}, {"[]]", "]", true}, {"\\*", "*", true}, {"\\*", "a", false},
		{"a*b*c", "aXbYbZc", true}, {"a*b*c", "aXbYb", false}, {"", "", true}, {"", "a", false}, {"a", "", false}, {"**", "ab", true},
		{"[a-]x", "-x", true}, {"\\", "\\", false}, {"*a", "aaab", false}, {"P-*-Identity", "P-Asserted-Identity", true},
	} {
		if got := globFold([]byte(tc.pattern), []byte(tc.name)); got != tc.want {
			t.Errorf("%q on %q: %v", tc.pattern, tc.name, got)
		}
	}
}

func TestSplitHostPort(t *testing.T) {
	for s, want := range map[string]struct {
		host string
		port uint16
		ok   bool
	}{
		"a": {"a", 0, true}, "a:1": {"a", 1, true}, "[::1]": {"[::1]", 0, true}, "[::1]:65535": {"[::1]", 65535, true},
		"::1": {"::1", 0, true}, "a:": {"", 0, false}, "a:65536": {"", 0, false}, "a:-1": {"", 0, false}, "a:1:2": {"", 0, false},
		"[::1]x": {"", 0, false}, "x[::1]": {"", 0, false}, "a:00001": {"a", 1, true}, "a:000001": {"", 0, false},
	} {
		host, port, ok := splitHostPort([]byte(s))
		if ok != want.ok || ok && (string(host) != want.host || port != want.port) {
			t.Errorf("%q: %q %d %v", s, host, port, ok)
		}
	}
}

func TestParseAddr(t *testing.T) {
	for s, want := range map[string]string{
		"1.2.3.4": "1.2.3.4", "[::1]": "::1", "2001:DB8::1": "2001:db8::1", "::ffff:1.2.3.4": "::ffff:1.2.3.4",
		"": "", "a": "", "1.2.3": "", "1.2.3.4.5": "", "fe80::1%eth0": "", "[": "", "[]": "", "1and1.com": "", ":": "", "abc.de": "", "999.1.1.1": "",
	} {
		addr, ok := parseAddr([]byte(s))
		if ok != (want != "") || ok && addr.String() != want {
			t.Errorf("%q: %v %v", s, addr, ok)
		}
	}
}

func TestValidName(t *testing.T) {
	for s, want := range map[string]bool{"a": true, "A-b.c_d1": true, "": false, "a b": false, "a\x10": false, "a\x7f": false, "a/b": false, "ä": false} {
		if validName([]byte(s)) != want {
			t.Errorf("%q", s)
		}
	}
}

// A worker's table of names does not grow without end.
func TestNames(t *testing.T) {
	var n nameTable
	if n.get([]byte("Example.COM")) != "example.com" || n.get([]byte("Example.COM")) != "example.com" {
		t.Error("not lower case")
	}
	for i := range 3 * maxNames {
		n.get([]byte{byte(i), byte(i >> 8), 'x'})
	}
	if len(n.known) > maxNames {
		t.Errorf("%d names", len(n.known))
	}
}
