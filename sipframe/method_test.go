package sipframe

import (
	"strings"
	"testing"
)

func TestMethods(t *testing.T) {
	for m := OtherMethod + 1; m < numMethods; m++ {
		name := m.String()
		if got := MethodOf([]byte(name)); got != m || name == "" {
			t.Errorf("MethodOf(%q) = %d, want %d", name, got, m)
		}
		for _, s := range []string{strings.ToLower(name), name + "S", name[1:], name[:len(name)-1], "X" + name[1:]} {
			if got := MethodOf([]byte(s)); got != OtherMethod {
				t.Errorf("MethodOf(%q) = %v", s, got)
			}
		}
	}
	if MethodOf(nil) != OtherMethod || Method(200).String() != "" || OtherMethod.String() != "" {
		t.Error("what is no method has a name")
	}
}
