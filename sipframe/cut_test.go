package sipframe

import "testing"

func TestCutKindNames(t *testing.T) {
	for k, want := range map[CutKind]string{
		NeedMore: "NeedMore", Frame: "Frame", Ping: "Ping", Dropped: "Dropped", Bad: "Bad", Over: "Over", Over + 1: "CutKind(?)",
	} {
		if got := k.String(); got != want {
			t.Errorf("CutKind %d is %q, want %q", k, got, want)
		}
	}
}
