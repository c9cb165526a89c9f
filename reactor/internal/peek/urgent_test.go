package peek

import (
	"testing"
)

func TestUrgent(t *testing.T) {
	begins := func(method string) string {
		return method + " sip:b@h SIP/2.0\r\nVia: SIP/2.0/TCP a;branch=z9hG4bK1\r\nTo: <sip:b@h>\r\nCall-ID: x\r\n\r\n"
	}
	for text, want := range map[string]bool{
		begins("OPTIONS"): false,
		begins("CANCEL"):  true,
		begins("ACK"):     true,
		"SIP/2.0 200 OK\r\nTo: <sip:b@h>\r\n\r\n": true,
		"": false,
		"BYE x SIP/2.0\r\nTo: <sip:b@h>;tag=1\r\n\r\n":              true,
		"BYE x SIP/2.0\r\nTo: \"a;tag=2>\" <sip:b@h>\r\n\r\n":       false,
		"BYE x SIP/2.0\r\nTo: <sip:b@h;tag=1>\r\n\r\n":              false,
		"BYE x SIP/2.0\r\nt: sip:b@h;x=y ; TAG = 1\r\n\r\n":         true,
		"BYE x SIP/2.0\r\nto : <sip:b@h>;tagged=1;tag=2\r\n\r\n":    true,
		"BYE x SIP/2.0\r\nVia: t:;tag=1\r\nFrom: <s>;tag=1\r\n\r\n": false,
	} {
		if got := Urgent([]byte(text)); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
	data := []byte(begins("INVITE"))
	if n := testing.AllocsPerRun(100, func() { Urgent(data) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
