package fold

import (
	"testing"
	"time"
)

func TestTable(t *testing.T) {
	type key struct {
		what string
		peer int
	}
	var f Table[key]
	at := time.Unix(5000, 0)
	a := key{"response", 1}
	for i, want := range []bool{true, false, false} {
		if _, ok := f.Open(at.Add(time.Duration(i)*time.Millisecond), a); ok != want {
			t.Errorf("line %d: %v", i, ok)
		}
	}
	for _, k := range []key{{"response", 2}, {"ACK", 1}} {
		if held, ok := f.Open(at, k); !ok || held != 0 {
			t.Errorf("%v is hidden: %v, %d", k, ok, held)
		}
	}
	if held, ok := f.Open(at.Add(gate), a); !ok || held != 2 {
		t.Errorf("a second later: %v, %d held", ok, held)
	}
	for i := range 2 * bound {
		f.Open(at.Add(gate), key{"ACK", i})
	}
	if len(f.rows) != bound || f.untold == 0 {
		t.Errorf("%d rows, %d untold", len(f.rows), f.untold)
	}
	untold := f.untold
	if held, ok := f.Open(at.Add(time.Minute), key{"ACK", 1 << 15}); !ok || held < untold || len(f.rows) != 1 {
		t.Errorf("a minute later: %v, %d held, %d rows", ok, held, len(f.rows))
	}
}
