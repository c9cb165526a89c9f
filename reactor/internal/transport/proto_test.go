package transport

import "testing"

func TestProtos(t *testing.T) {
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
