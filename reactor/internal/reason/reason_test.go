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
		e := Refused(r)
		if e.Reason == NoReason || (e.Detail == "") != (r == RefusedShutdown) {
			t.Errorf("%v is told as %v", r, e)
		}
		if ours := r == RefusedShutdown || r == RefusedVanished; (e.Blame == BlameOverload) == ours {
			t.Errorf("%v is blamed on %v", r, e.Blame)
		}
	})
	if len(seen) != int(RefusalCount) || Admitted.String() != "refusal(255)" {
		t.Errorf("%v", seen)
	}
}
