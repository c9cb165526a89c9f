package topology_hiding

import (
	"strings"
	"testing"
)

// TestCallIDs: what was encoded comes back, and nothing else is taken for such.
func TestCallIDs(t *testing.T) {
	s, other := &callIDs{prefix: "DLGCH_", key: newKey()}, &callIDs{prefix: "DLGCH_", key: newKey()}
	for _, id := range []string{"a", "3848276298220188511@10.0.0.9", strings.Repeat("x", 255)} {
		text := s.encode(id)
		if got, ok := s.decode([]byte(text)); !ok || string(got) != id {
			t.Errorf("%s: %s, %v", id, got, ok)
		}
		if text != s.encode(id) || !strings.HasPrefix(text, "DLGCH_") || len(id) > 1 && strings.Contains(text, id) {
			t.Errorf("%s is encoded as %s", id, text)
		}
		if _, ok := other.decode([]byte(text)); ok {
			t.Error("another key reads it")
		}
		for _, bad := range []string{id, text[:len(text)-2], text + "AAAA", "DLGCH_", "DLGCH_%%", strings.Replace(text, "DLGCH_", "OTHER_", 1)} {
			if got, ok := s.decode([]byte(bad)); ok {
				t.Errorf("%s is read as %s", bad, got)
			}
		}
	}
}
