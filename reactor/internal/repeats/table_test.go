package repeats

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
	if held, ok := f.Open(at.Add(shortest), a); !ok || held != 2 {
		t.Errorf("a second later: %v, %d held", ok, held)
	}
	for i := range 2 * bound {
		f.Open(at.Add(shortest), key{"ACK", i})
	}
	if len(f.rows) != bound || f.untold == 0 {
		t.Errorf("%d rows, %d untold", len(f.rows), f.untold)
	}
	untold := f.untold
	if held, ok := f.Open(at.Add(time.Minute), key{"ACK", 1 << 15}); !ok || held < untold || len(f.rows) != 1 {
		t.Errorf("a minute later: %v, %d held, %d rows", ok, held, len(f.rows))
	}
	if held, ok := f.Open(at.Add(time.Minute), key{"ACK", 1<<15 + 1}); !ok || held != 0 {
		t.Errorf("once more: %v, %d held", ok, held)
	}
}

// A flood that lasts has a line in ten seconds, each with the number of those that
// were not told; behind a rest it is news again.
func TestTableOfALongFlood(t *testing.T) {
	var f Table[int]
	at := time.Unix(5000, 0)
	var lines, lost uint64
	count := func(held uint64, ok bool) {
		if ok {
			lines++
			lost += held
		}
	}
	const n = 6000
	for i := range n {
		count(f.Open(at.Add(time.Duration(i)*10*time.Millisecond), 1))
	}
	if lines > 10 {
		t.Errorf("%d lines in a minute", lines)
	}
	after := at.Add(n*10*time.Millisecond + longest)
	count(f.Open(after, 1))
	if lines+lost != n+1 {
		t.Errorf("%d lines tell of %d more", lines, lost)
	}
	count(f.Open(after.Add(longest), 1))
	if _, ok := f.Open(after.Add(longest+shortest), 1); !ok {
		t.Error("it is held back for long when the flood is over")
	}
}

// What a key held back that is still is told with the next line, whichever that is.
func TestForgottenIsTold(t *testing.T) {
	var f Table[int]
	at := time.Unix(5000, 0)
	for range 4 {
		f.Open(at, 0)
	}
	for i := 1; i < bound; i++ {
		f.Open(at.Add(rest/2), i)
	}
	if held, ok := f.Open(at.Add(rest), bound); !ok || held != 3 {
		t.Errorf("%d are told, %v", held, ok)
	}
}
