package sipframe

import "testing"

func TestFind(t *testing.T) {
	m := parse(t, message("OPTIONS sip:a SIP/2.0", "X-A: 1", "v: SIP/2.0/TLS a", "x-b: 2", "Via: SIP/2.0/TLS b", "X-a: 3"))
	for _, tt := range []struct {
		name string
		want []int
	}{
		{"Via", []int{1, 3}}, {"v", []int{1, 3}}, {"X-A", []int{0, 4}}, {"x-B", []int{2}}, {"X-C", nil}, {"To", nil}, {"", nil},
	} {
		var got []int
		for i := m.FindName([]byte(tt.name)); i >= 0; i = m.FindNameNext([]byte(tt.name), i) {
			got = append(got, i)
		}
		if len(got) != len(tt.want) {
			t.Errorf("%q at %v, want %v", tt.name, got, tt.want)
			continue
		}
		for i := range got {
			if got[i] != tt.want[i] {
				t.Errorf("%q at %v, want %v", tt.name, got, tt.want)
			}
		}
	}
	if i := m.Find(HeaderVia); i != 1 || m.FindNext(HeaderVia, i) != 3 || m.FindNext(HeaderVia, 3) != -1 || m.Find(HeaderTo) != -1 {
		t.Error("Find by kind")
	}
	if m.FindNext(HeaderVia, -1) != 1 {
		t.Error("FindNext from before the first")
	}
	if string(m.Value(HeaderVia)) != "SIP/2.0/TLS a" || m.Value(HeaderTo) != nil {
		t.Error("Value")
	}
}

func TestFindNameWithoutOthers(t *testing.T) {
	m := parse(t, message("OPTIONS sip:a SIP/2.0", "v: SIP/2.0/TLS a"))
	if m.FindName([]byte("X-A")) != -1 || m.FindNameNext([]byte("X-A"), 0) != -1 {
		t.Error("found what is not there")
	}
}

func TestHeadersOffset(t *testing.T) {
	m := parse(t, message("OPTIONS sip:a SIP/2.0"))
	if m.HeadersOffset() != m.HeadersEnd() || string(m.Raw()[m.HeadersEnd():]) != "\r\n" {
		t.Errorf("without headers: %d to %d", m.HeadersOffset(), m.HeadersEnd())
	}
}
