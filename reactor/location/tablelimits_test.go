package location

import (
	"errors"
	"testing"

	"sipreactor/reactor"
)

func TestLimits(t *testing.T) {
	fill := func() *Table {
		table := New(Config{MaxContacts: 4})
		_ = table.Save(update(start, "a", 1, "sip:1"), nil)
		_ = table.Save(update(start+1, "b", 1, "sip:2"), nil)
		return table
	}
	t.Run("too many, and nothing of it stored", func(t *testing.T) {
		table := fill()
		u := update(start+2, "c", 1, "sip:3", "sip:4")
		u.Max = 3
		seen := 0
		if err := table.Save(u, func(*Contact) { seen++ }); !errors.Is(err, ErrTooMany) || seen != 2 {
			t.Fatalf("error %v with %d contacts", err, seen)
		}
		want(t, table, start+2, "sip:1", "sip:2")
	})
	t.Run("one goes, one comes", func(t *testing.T) {
		table := fill()
		u := update(start+2, "a", 2, "sip:1|x", "sip:3")
		u.Max = 2
		if err := table.Save(u, nil); err != nil {
			t.Fatal(err)
		}
		want(t, table, start+2, "sip:2", "sip:3")
	})
	t.Run("the oldest gives way", func(t *testing.T) {
		table := fill()
		u := update(start+2, "c", 1, "sip:3")
		u.Max, u.Evict = 2, true
		if err := table.Save(u, nil); err != nil {
			t.Fatal(err)
		}
		want(t, table, start+2, "sip:2", "sip:3")
	})
	t.Run("what a REGISTER brings gives way behind what was there", func(t *testing.T) {
		table := New(Config{})
		_ = table.Save(update(start+9, "later", 1, "sip:1"), nil) // by a clock that was put back
		_ = table.Save(update(start+9, "later", 1, "sip:2"), nil)
		u := update(start, "a", 1, "sip:3")
		u.Max, u.Evict = 2, true
		if err := table.Save(u, nil); err != nil {
			t.Fatal(err)
		}
		want(t, table, start, "sip:2", "sip:3")
		u = update(start+1, "b", 1, "sip:4") // what the one before has brought is as any
		u.Max, u.Evict = 2, true
		if err := table.Save(u, nil); err != nil {
			t.Fatal(err)
		}
		want(t, table, start+1, "sip:2", "sip:4")
	})
	t.Run("those that nothing reaches give way", func(t *testing.T) {
		table := New(Config{})
		for i, uri := range []string{"sip:1", "sip:2", "sip:3"} {
			u := update(start+int64(i), uri, 1, uri)
			u.Flow, u.Bound = reactor.Handle(i+1), true
			_ = table.Save(u, nil)
		}
		table.FlowEnded(2, false)
		table.FlowEnded(3, false)
		u := update(start+3, "sip:2", 2, "sip:2", "sip:4", "sip:5")
		u.Max, u.Flow, u.Bound = 3, 4, true
		if err := table.Save(u, nil); !errors.Is(err, ErrTooMany) {
			t.Fatalf("two more of three, of which one gives way: %v", err)
		}
		want(t, table, start+3, "sip:1", "sip:2", "sip:3")
		u = update(start+3, "sip:2", 2, "sip:2", "sip:4")
		u.Max, u.Flow, u.Bound = 3, 4, true
		if err := table.Save(u, nil); err != nil {
			t.Fatal(err)
		}
		want(t, table, start+3, "sip:1", "sip:2", "sip:4")
	})
	t.Run("the table", func(t *testing.T) {
		table := fill()
		if err := table.Save(update(start+2, "c", 1, "sip:3", "sip:4", "sip:5"), nil); !errors.Is(err, ErrFull) {
			t.Fatal(err)
		}
		if err := table.Save(update(start+2, "c", 1, "sip:3", "sip:4"), nil); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("texts", func(t *testing.T) {
		table := fill()
		u := update(start, "c", 1, "sip:3")
		u.Bindings[0].Path = make([]byte, 1<<16)
		if err := table.Save(u, nil); !errors.Is(err, ErrTooLong) {
			t.Fatal(err)
		}
	})
}
