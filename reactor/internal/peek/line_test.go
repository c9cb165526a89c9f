package peek

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
		if got := string(CallID([]byte(tt.message))); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.message, got, tt.want)
		}
	}
}

func TestBranch(t *testing.T) {
	tests := []struct{ message, want string }{
		{"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKa;rport\r\nVia: SIP/2.0/UDP i;branch=no\r\n\r\n", "z9hG4bKa"},
		{"SIP/2.0 200 OK\r\nCall-ID: x\r\nv : SIP/2.0/UDP h ; rport ; Branch = a ;x=y\r\n\r\n", "a"},
		{"SIP/2.0 200 OK\r\nVIA: SIP/2.0/UDP h;rport, SIP/2.0/UDP i;branch=no\r\n\r\n", ""},
		{"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h;branch\r\n\r\n", ""},
		{"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h;branch=\r\n\r\n", ""},
		{"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h;xbranch=a;branchy=b\r\n\r\n", ""},
		{"", ""},
	}
	for _, tt := range tests {
		if got := string(Branch([]byte(tt.message))); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.message, got, tt.want)
		}
	}
	data := []byte(tests[0].message)
	if n := testing.AllocsPerRun(100, func() { Branch(data) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
