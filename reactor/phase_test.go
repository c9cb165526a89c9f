package reactor

import (
	"testing"

	"sipreactor/reactor/internal/phase"
)

func TestNamesAreComplete(t *testing.T) {
	seen := map[string]bool{}
	add := func(s string) {
		if s == "" || seen[s] {
			t.Errorf("name %q is empty or used twice", s)
		}
		seen[s] = true
	}
	for p := range phase.Count {
		add(p.String())
	}
	seen = map[string]bool{}
	for r := range reasonCount {
		add(r.String())
		if r.Blame().String() == "" {
			t.Errorf("%v has no blame", r)
		}
	}
	seen = map[string]bool{}
	for k := ConnRefused; k <= ConnClosed; k++ {
		add(k.String())
	}
	for _, p := range []Proto{UDP, TCP, TLS} {
		if q, ok := ParseProto(p.ViaName()); !ok || q != p {
			t.Errorf("ParseProto(%q) = %v, %v", p.ViaName(), q, ok)
		}
		if q, ok := ParseProto(p.String()); !ok || q != p {
			t.Errorf("ParseProto(%q) = %v, %v", p, q, ok)
		}
	}
	for _, s := range []string{"", "tl", "tlss", "sctp", "\x14LS", "xyz"} {
		if p, ok := ParseProto(s); ok {
			t.Errorf("ParseProto(%q) = %v", s, p)
		}
	}
	if TLS.DefaultPort() != 5061 || TCP.DefaultPort() != 5060 || UDP.DefaultPort() != 5060 {
		t.Error("default ports")
	}
}
