package reactor

import "testing"

func TestCallID(t *testing.T) {
	tests := []struct{ message, want string }{
		{"X y SIP/2.0\r\nCall-ID: abc@d\r\n\r\n", "abc@d"},
		{"X y SIP/2.0\r\nCALL-ID : abc\r\n\r\n", "abc"},
		{"X y SIP/2.0\r\nVia: x\r\ni:\t abc \r\n\r\n", "abc"},
		{"X y SIP/2.0\ncall-id:abc\n\n", "abc"},
		{"X y SIP/2.0\r\nI: abc\r\n\r\n", "abc"},
		{"X y SIP/2.0\r\nIn-Reply-To: no\r\nCall-ID: yes\r\n\r\n", "yes"},
		{"X y SIP/2.0\r\n\r\ni: body", ""},
		{"X y SIP/2.0\r\n", ""},
		{"", ""},
		{"\n", ""},
		{"X\ni", ""},
	}
	for _, tt := range tests {
		if got := string(callID([]byte(tt.message))); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.message, got, tt.want)
		}
	}
}
