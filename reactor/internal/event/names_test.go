package event

import "testing"

// Each kind of event has a name of its own.
func TestNamesAreComplete(t *testing.T) {
	seen := map[string]bool{}
	for k := ConnRefused; k <= ConnClosed; k++ {
		if s := k.String(); s == "" || seen[s] {
			t.Errorf("name %q is empty or used twice", s)
		} else {
			seen[s] = true
		}
	}
}
