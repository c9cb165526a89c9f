package peers

import (
	"errors"
	"slices"
	"testing"

	"sipreactor/reactor/internal/endpoint"
)

func never(*conn) bool { return false }

func ours(c *conn) bool { return c.ours }

func enter(x *Index[conn, *conn], c *conn) *conn {
	x.Lock()
	defer x.Unlock()
	x.Enter(c)
	return c
}

// A connection is found by its aliases as long as it lives, behind who has the end
// point as its own.
func TestPlaceEnds(t *testing.T) {
	var x Index[conn, *conn]
	c := enter(&x, &conn{key: at(1)})
	if _, err := x.Stand(c, at(2), never, ours); err != nil {
		t.Fatal(err)
	}
	if got := x.Ends(c); !slices.Equal(got, []endpoint.Key{at(1), at(2)}) {
		t.Errorf("it stands for %v", got)
	}
	own := enter(&x, &conn{key: at(2), ours: true})
	if got := x.Lookup(at(2)); !slices.Equal(got, []*conn{own, c}) {
		t.Errorf("%v are found by the alias", got)
	}
	x.Leave(c)
	x.Leave(c)
	if got := x.Lookup(at(2)); !slices.Equal(got, []*conn{own}) || x.Len() != 1 {
		t.Errorf("%v are found by the alias of a connection that is gone; %d end points", got, x.Len())
	}
	if _, err := x.Stand(c, at(2), never, ours); !errors.Is(err, ErrGone) {
		t.Errorf("the alias of a connection that is gone: %v", err)
	}
}

// Only a holder that yields loses an alias, and nobody stands for an end point that
// somebody calls from.
func TestStand(t *testing.T) {
	var x Index[conn, *conn]
	a, b := enter(&x, &conn{key: at(1)}), enter(&x, &conn{key: at(2)})
	dialled := enter(&x, &conn{key: at(3), ours: true})
	stand := func(c *conn, i int, yields bool) ([]*conn, error) {
		return x.Stand(c, at(i), func(*conn) bool { return yields }, ours)
	}
	if before, err := stand(a, 3, false); err != nil || !slices.Equal(before, []*conn{dialled}) {
		t.Errorf("an end point that we dial: %v, %v", before, err)
	}
	if before, err := stand(a, 3, false); err != nil || before != nil {
		t.Errorf("once more: %v, %v", before, err)
	}
	if before, err := stand(a, 1, false); err != nil || before != nil {
		t.Errorf("its own end point: %v, %v", before, err)
	}
	if _, err := stand(b, 3, false); !errors.Is(err, ErrTaken) {
		t.Errorf("the holder keeps it: %v", err)
	}
	if before, err := stand(b, 3, true); err != nil || !slices.Equal(before, []*conn{dialled, a}) {
		t.Errorf("the holder yields: %v, %v", before, err)
	}
	if got := x.Ends(a); len(got) != 1 {
		t.Errorf("the holder before still stands for %v", got)
	}
	if _, err := stand(b, 1, true); !errors.Is(err, ErrTaken) {
		t.Errorf("an end point that somebody calls from: %v", err)
	}
	for i := range MaxAliases {
		if _, err := stand(b, 10+i, true); (err != nil) != (i == MaxAliases-1) {
			t.Errorf("number %d: %v", i+2, err)
		}
	}
	if _, err := stand(b, 20, true); !errors.Is(err, ErrAliases) {
		t.Errorf("one too many: %v", err)
	}
}
