package table

import (
	"math/rand/v2"
	"sync"
	"testing"
)

type Handle uint64

// conn is an entry.
type conn struct{ id Handle }

func (c *conn) Handle() Handle     { return c.id }
func (c *conn) SetHandle(h Handle) { c.id = h }

func TestHandlesNeverReachAnotherConnection(t *testing.T) {
	var tab Table[conn, *conn, Handle]
	first := &conn{}
	h := tab.Add(first)
	if tab.Get(h) != first {
		t.Fatal("a new connection is not found")
	}
	if !tab.Remove(h) || tab.Remove(h) {
		t.Fatal("remove must answer true once")
	}
	second := &conn{}
	h2 := tab.Add(second)
	if uint32(h2) != uint32(h) {
		t.Fatalf("the slot was not used again: %x, %x", h, h2)
	}
	if tab.Get(h) != nil {
		t.Error("the old handle reaches the connection that has its slot now")
	}
	if tab.Get(0) != nil || tab.Get(h2+1) != nil || tab.Get(^Handle(0)) != nil {
		t.Error("a handle that was never given finds something")
	}
}

// The table against a map, as a model.
func TestAgainstModel(t *testing.T) {
	var tab Table[conn, *conn, Handle]
	model := make(map[Handle]*conn)
	var gone []Handle
	rng := rand.New(rand.NewPCG(1, 2))
	for range 20000 {
		if rng.IntN(5) < 3 {
			c := &conn{}
			h := tab.Add(c)
			if model[h] != nil {
				t.Fatalf("handle %x given twice", h)
			}
			model[h] = c
			continue
		}
		for h := range model {
			tab.Remove(h)
			delete(model, h)
			gone = append(gone, h)
			break
		}
	}
	for h, c := range model {
		if tab.Get(h) != c || c.id != h {
			t.Fatalf("handle %x finds the wrong connection", h)
		}
	}
	for _, h := range gone {
		if tab.Get(h) != nil {
			t.Fatalf("handle %x is gone and finds something", h)
		}
	}
	seen := 0
	tab.Each(func(c *conn) {
		seen++
		if model[c.id] != c {
			t.Errorf("each gives %x, which is not there", c.id)
		}
	})
	if seen != len(model) || tab.Len() != len(model) {
		t.Errorf("each saw %d, live is %d, want %d", seen, tab.Len(), len(model))
	}
}

// Each passes over those that have gone, in the same page and behind it.
func TestEachPassesGaps(t *testing.T) {
	var tab Table[conn, *conn, Handle]
	var all []Handle
	for range pageSize + 2 {
		all = append(all, tab.Add(&conn{}))
	}
	tab.Remove(all[0])
	tab.Remove(all[pageSize])
	seen := map[Handle]bool{}
	tab.Each(func(c *conn) { seen[c.id] = true })
	if len(seen) != pageSize || !seen[all[1]] || !seen[all[pageSize+1]] {
		t.Errorf("%d are seen, want %d", len(seen), pageSize)
	}
}

func TestUnderRace(t *testing.T) {
	var tab Table[conn, *conn, Handle]
	var wg sync.WaitGroup
	handles := make(chan Handle, 64)
	for range 2 {
		wg.Go(func() {
			for range 2000 {
				handles <- tab.Add(&conn{})
			}
		})
	}
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for h := range handles {
				if c := tab.Get(h); c == nil || c.id != h {
					t.Errorf("handle %x is not found", h)
				}
				tab.Remove(h)
			}
		})
	}
	wg.Wait()
	close(handles)
	readers.Wait()
	if n := tab.Len(); n != 0 {
		t.Errorf("%d are left", n)
	}
}

func BenchmarkGet(b *testing.B) {
	var tab Table[conn, *conn, Handle]
	h := tab.Add(&conn{})
	for range 1000 {
		tab.Add(&conn{})
	}
	b.ReportAllocs()
	for b.Loop() {
		if tab.Get(h) == nil {
			b.Fatal("lost")
		}
	}
}
