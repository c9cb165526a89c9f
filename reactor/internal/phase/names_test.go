package phase

import "testing"

// Each phase has a name of its own.
func TestNamesAreComplete(t *testing.T) {
	seen := map[string]bool{}
	for p := range Count {
		if s := p.String(); s == "" || seen[s] {
			t.Errorf("name %q is empty or used twice", s)
		} else {
			seen[s] = true
		}
	}
}
