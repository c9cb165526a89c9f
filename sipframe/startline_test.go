package sipframe

import "testing"

func TestStartLine(t *testing.T) {
	for _, tt := range []struct {
		in      string
		word    string
		target  string
		rest    string
		request bool
		version versionState
		defect  *Defect
	}{
		{"INVITE sip:a@b SIP/2.0", "INVITE", "sip:a@b", "SIP/2.0", true, versionOK, nil},
		{"INVITE sip:a@b sip/2.0", "INVITE", "sip:a@b", "sip/2.0", true, versionOK, nil},
		{"X-Y sip:a SIP/7.0", "X-Y", "sip:a", "SIP/7.0", true, versionOther, nil},
		{"X sip:a SIP/02.00", "X", "sip:a", "SIP/02.00", true, versionOther, nil},
		{"X sip:a SIP/2.x", "X", "sip:a", "SIP/2.x", true, versionUnknown, errNoVersion},
		{"X sip:a SIP/2", "X", "sip:a", "SIP/2", true, versionUnknown, errNoVersion},
		{"X sip:a SIP/2.", "X", "sip:a", "SIP/2.", true, versionUnknown, errNoVersion},
		{"X sip:a SIP/2.0.1", "X", "sip:a", "SIP/2.0.1", true, versionUnknown, errNoVersion},
		{"INVITE sip:a@b", "INVITE", "sip:a@b", "", true, versionUnknown, errNoVersion},
		{"INVITE", "INVITE", "", "", true, versionUnknown, errNoVersion},
		{"", "", "", "", true, versionUnknown, errNoVersion},
		{"INVITE SIP/2.0", "INVITE", "", "SIP/2.0", true, versionOK, errStartLine},
		{"INVITE  SIP/2.0", "INVITE", "", "SIP/2.0", true, versionOK, errStartLine},
		{"INVITE  sip:a SIP/2.0", "INVITE", "sip:a", "SIP/2.0", true, versionOK, errStartLine},
		{"INVITE sip:a  SIP/2.0", "INVITE", "sip:a", "SIP/2.0", true, versionOK, errStartLine},
		{"INVITE sip:a SIP/2.0 ", "INVITE", "sip:a", "SIP/2.0", true, versionOK, errStartLine},
		{"INVITE sip:a; lr SIP/2.0", "INVITE", "sip:a; lr", "SIP/2.0", true, versionOK, nil}, // the URI is bad
		{"IN/VITE sip:a SIP/2.0", "IN/VITE", "sip:a", "SIP/2.0", true, versionOK, errBadMethod},
		{" sip:a SIP/2.0", "", "sip:a", "SIP/2.0", true, versionOK, errBadMethod},
		{"SIP/2.0 200 OK", "SIP/2.0", "200", "OK", false, versionOK, nil},
		{"SIP/2.0 100 ", "SIP/2.0", "100", "", false, versionOK, nil},
		{"SIP/2.0 100", "SIP/2.0", "100", "", false, versionOK, nil},
		{"SIP/2.0 699  two spaces", "SIP/2.0", "699", " two spaces", false, versionOK, nil},
		{"SIP/2.0 099 x", "SIP/2.0", "099", "x", false, versionOK, errStatusCode},
		{"SIP/2.0 700 x", "SIP/2.0", "700", "x", false, versionOK, errStatusCode},
		{"SIP/2.0 20 x", "SIP/2.0", "20", "x", false, versionOK, errStatusCode},
		{"SIP/2.0 0200 x", "SIP/2.0", "0200", "x", false, versionOK, errStatusCode},
		{"SIP/2.0 +20 x", "SIP/2.0", "+20", "x", false, versionOK, errStatusCode},
		{"SIP/2.0 4294967301 x", "SIP/2.0", "4294967301", "x", false, versionOK, errStatusCode},
		{"SIP/2.0  200", "SIP/2.0", "", "200", false, versionOK, errStatusCode},
		{"SIP/2.0", "SIP/2.0", "", "", false, versionOK, errStatusLine},
		{"SIP/3.0 200 OK", "SIP/3.0", "200", "OK", false, versionOther, nil},
		{"SIP/2.x 200 OK", "SIP/2.x", "", "", false, versionUnknown, errNoVersion},
	} {
		var s startLine
		b := []byte(tt.in)
		if d := s.parse(b, len(b)); d != tt.defect {
			t.Errorf("%q: %v, want %v", tt.in, d, tt.defect)
		}
		word, target, rest := string(s.word.In(b)), string(s.target.In(b)), string(s.rest.In(b))
		if word != tt.word || target != tt.target || rest != tt.rest || s.request != tt.request || s.version != tt.version {
			t.Errorf("%q: %q %q %q, request %v, version %d", tt.in, word, target, rest, s.request, s.version)
		}
		if s.line != span(0, len(b)) {
			t.Errorf("%q: first line %v", tt.in, s.line)
		}
	}
}
