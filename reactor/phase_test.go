package reactor

import "testing"

// Every step that the table allows and every one it forbids.
func TestPhaseTable(t *testing.T) {
	allowed := map[[2]phase]bool{
		{connecting, enrolling}: true, {connecting, closed}: true,
		{enrolling, handshaking}: true, {enrolling, established}: true, {enrolling, closed}: true,
		{handshaking, established}: true, {handshaking, closing}: true, {handshaking, closed}: true,
		{established, closing}: true, {established, closed}: true,
		{closing, closed}: true,
	}
	for from := range phaseCount {
		for to := range phaseCount {
			if got := from.may(to); got != allowed[[2]phase{from, to}] {
				t.Errorf("%v to %v: %v", from, to, got)
			}
			c := &conn{phase: from}
			panicked := func() (p bool) {
				defer func() { p = recover() != nil }()
				c.step(to)
				return false
			}()
			if panicked == allowed[[2]phase{from, to}] {
				t.Errorf("step %v to %v: panicked %v", from, to, panicked)
			}
		}
	}
}

func TestNamesAreComplete(t *testing.T) {
	seen := map[string]bool{}
	add := func(s string) {
		if s == "" || seen[s] {
			t.Errorf("name %q is empty or used twice", s)
		}
		seen[s] = true
	}
	for p := range phaseCount {
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
