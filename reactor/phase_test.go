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
	for k := ConnRefused; k <= ConnClosed; k++ {
		add(k.String())
	}
}
