package recent

import (
	"fmt"
	"testing"
)

func TestCache(t *testing.T) {
	freed := make(map[string]int)
	c := New(3, 1000, func(v string) { freed[v]++ })
	get := func(key string) (value string) {
		c.Get(key, func(v string) { value = v })
		return value
	}
	for i := range 3 {
		c.Put(fmt.Sprint(i), fmt.Sprint("value ", i), 1)
	}
	if get("0") != "value 0" {
		t.Fatal("forgotten")
	}
	c.Put("3", "value 3", 1) // 1 is the least recently used
	for key, want := range map[string]string{"0": "value 0", "1": "", "2": "value 2", "3": "value 3"} {
		if got := get(key); got != want {
			t.Errorf("%s: %q", key, got)
		}
	}
	c.Put("0", "another", 1)
	if get("0") != "another" {
		t.Error("not replaced")
	}
	c.Forget("0")
	c.Forget("0")
	if c.Get("0", func(string) { t.Error("not forgotten") }) || c.order.Len() != len(c.byKey) || len(c.byKey) != 2 {
		t.Error("not forgotten")
	}
	c.Clear()
	if c.order.Len()+len(c.byKey) != 0 {
		t.Error("not empty")
	}
	// Each value is freed once, when it leaves.
	for _, v := range []string{"value 0", "value 1", "value 2", "value 3", "another"} {
		if freed[v] != 1 {
			t.Errorf("%s was freed %d times", v, freed[v])
		}
	}
	New[int](1, 1, nil).Put("x", 1, 1)
}

// A cache is as large as its values, not as their number.
func TestCacheCountsBytes(t *testing.T) {
	freed := 0
	c := New(1000, 100, func(int) { freed++ })
	for i := range 50 {
		c.Put(fmt.Sprint(i), i, 30)
	}
	if len(c.byKey) != 3 || c.room != 10 || freed != 47 || !c.Get("49", func(int) {}) {
		t.Errorf("%d values, room for %d bytes, %d freed", len(c.byKey), c.room, freed)
	}
	c.Put("49", 0, 60)
	if len(c.byKey) != 2 || c.room != 10 {
		t.Errorf("%d values, room for %d bytes", len(c.byKey), c.room)
	}
	c.Put("large", 0, 101)
	if c.Get("large", func(int) {}) || c.room != 100 {
		t.Errorf("room for %d bytes", c.room)
	}
}
