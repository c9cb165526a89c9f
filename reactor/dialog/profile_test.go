package dialog

import (
	"fmt"
	"testing"
)

func TestProfiles(t *testing.T) {
	table := New(Config{})
	plain, valued := NewProfile("in", false), NewProfile("caller", true)
	a, b := invite(t, table, "a"), invite(t, table, "b")
	a.Join(plain, "ignored")
	a.Join(plain, "")
	a.Join(valued, "x")
	a.Join(valued, "y")
	b.Join(valued, "x")
	if plain.Size() != 1 || valued.Size() != 3 || valued.SizeOf("x") != 2 || !a.In(plain, "any", false) || !a.In(valued, "y", false) || b.In(valued, "y", false) || !b.In(valued, "", true) {
		t.Errorf("%d %d %v", plain.Size(), valued.Size(), valued.Values())
	}
	if !a.Leave(valued, "x", false) || a.Leave(valued, "x", false) {
		t.Error("left twice, or never")
	}
	if got := fmt.Sprint(valued.Values()); got != "[{x 1} {y 1}]" {
		t.Error(got)
	}
	a.End(DownstreamBYE, start)
	b.End(DownstreamBYE, start)
	if plain.Size() != 0 || valued.Size() != 0 || a.Join(plain, "") {
		t.Error("what has ended counts")
	}
	a.Leave(valued, "", true)
	if valued.Size() != 0 {
		t.Errorf("counted below zero: %d", valued.Size())
	}
}

func TestValues(t *testing.T) {
	d := invite(t, New(Config{}), "c")
	d.Set(Value{Name: "a", Text: "x"})
	d.Set(Value{Name: "b", Int: 7, IsInt: true})
	d.Set(Value{Name: "a", Text: "y"})
	if v, ok := d.Get("a"); !ok || v.Text != "y" {
		t.Error(v)
	}
	d.Unset("a")
	if _, ok := d.Get("a"); ok {
		t.Error("still there")
	}
	for i := range 2 * maxValues {
		d.Set(Value{Name: fmt.Sprint(i)})
	}
	if n := len(d.Summary().Values); n != maxValues {
		t.Errorf("%d values", n)
	}
	if d.TestFlag(3, true) || !d.TestFlag(3, false) || !d.ScriptFlag(3) || !d.SetScriptFlag(3, false) {
		t.Error("flags")
	}
}
