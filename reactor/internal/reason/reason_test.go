package reason

import "testing"

func TestReasonsAreComplete(t *testing.T) {
	seen := map[string]bool{}
	add := func(s string) {
		if s == "" || seen[s] {
			t.Errorf("name %q is empty or used twice", s)
		}
		seen[s] = true
	}
	for r := range Count {
		add(r.String())
		if r.Blame().String() == "" {
			t.Errorf("%v has no blame", r)
		}
	}
	clear(seen)
	Refusals(func(r Refusal) {
		add(r.String())
		if e := Refused(r); e.Reason != Shutdown && (e.Reason != ConnectionLimit || e.Detail == "") {
			t.Errorf("%v is told as %v", r, e)
		}
	})
}
