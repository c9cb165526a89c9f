package attached

import "testing"

func TestList(t *testing.T) {
	type mine struct{}
	type yours struct{}
	var l List
	if l.Get(mine{}) != nil {
		t.Error("an empty list has a value")
	}
	l.Set(mine{}, 1)
	l.Set(yours{}, 2)
	l.Set(mine{}, 3)
	if len(l) != 2 || l.Get(mine{}) != 3 || l.Get(yours{}) != 2 {
		t.Errorf("%v", l)
	}
	if n := testing.AllocsPerRun(100, func() { l = l[:0]; l.Set(mine{}, nil); l.Set(yours{}, nil) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
