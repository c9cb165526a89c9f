package peek

import (
	"testing"
)

// What is looked at by its first bytes only.
func TestFirstBytes(t *testing.T) {
	for _, row := range []struct {
		m                    string
		response, final, ack bool
	}{
		{"SIP/2.0 200 OK\r\n", true, true, false},
		{"sip/2.0 183 x\r\n", true, false, false},
		{"SIP/2.0 699 x\r\n", true, true, false},
		{"ACK sip:b SIP/2.0\r\n", false, false, true},
		{"ACKS sip:b SIP/2.0\r\n", false, false, false},
		{"INVITE sip:b SIP/2.0\r\n", false, false, false},
		{"\r\n", false, false, false},
		{"", false, false, false},
	} {
		m := []byte(row.m)
		if IsResponse(m) != row.response || row.response && IsFinal(m) != row.final || IsACK(m) != row.ack {
			t.Errorf("%q", row.m)
		}
	}
}
