package reactor

import (
	"math/rand/v2"
	"sync"
	"testing"
)

func TestTableHandlesNeverReachAnotherConnection(t *testing.T) {
	var tab table
	first := &conn{}
	h := tab.add(first)
	if tab.get(h) != first {
		t.Fatal("a new connection is not found")
	}
	if !tab.remove(h) || tab.remove(h) {
		t.Fatal("remove must answer true once")
	}
	second := &conn{}
	h2 := tab.add(second)
	if uint32(h2) != uint32(h) {
		t.Fatalf("the slot was not used again: %x, %x", h, h2)
	}
	if tab.get(h) != nil {
		t.Error("the old handle reaches the connection that has its slot now")
	}
	if tab.get(0) != nil || tab.get(h2+1) != nil || tab.get(^Handle(0)) != nil {
		t.Error("a handle that was never given finds something")
	}
}

// The table against a map, as a model.
func TestTableAgainstModel(t *testing.T) {
	var tab table
	model := make(map[Handle]*conn)
	var gone []Handle
	rng := rand.New(rand.NewPCG(1, 2))
	for range 20000 {
		if rng.IntN(5) < 3 {
			c := &conn{}
			h := tab.add(c)
			if model[h] != nil {
				t.Fatalf("handle %x given twice", h)
			}
			model[h] = c
			continue
		}
		for h := range model {
			tab.remove(h)
			delete(model, h)
			gone = append(gone, h)
			break
		}
	}
	for h, c := range model {
		if tab.get(h) != c || c.id != h || c.src.Conn != h {
			t.Fatalf("handle %x finds the wrong connection", h)
		}
	}
	for _, h := range gone {
		if tab.get(h) != nil {
			t.Fatalf("handle %x is gone and finds something", h)
		}
	}
	seen := 0
	tab.each(func(c *conn) {
		seen++
		if model[c.id] != c {
			t.Errorf("each gives %x, which is not there", c.id)
		}
	})
	if seen != len(model) || int(tab.live.Load()) != len(model) {
		t.Errorf("each saw %d, live is %d, want %d", seen, tab.live.Load(), len(model))
	}
}

func TestTableUnderRace(t *testing.T) {
	var tab table
	var wg sync.WaitGroup
	handles := make(chan Handle, 64)
	for range 2 {
		wg.Go(func() {
			for range 2000 {
				handles <- tab.add(&conn{})
			}
		})
	}
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for h := range handles {
				if c := tab.get(h); c == nil || c.id != h {
					t.Errorf("handle %x is not found", h)
				}
				tab.remove(h)
			}
		})
	}
	wg.Wait()
	close(handles)
	readers.Wait()
	if n := tab.live.Load(); n != 0 {
		t.Errorf("%d are left", n)
	}
}

func BenchmarkTableGet(b *testing.B) {
	var tab table
	h := tab.add(&conn{})
	for range 1000 {
		tab.add(&conn{})
	}
	b.ReportAllocs()
	for b.Loop() {
		if tab.get(h) == nil {
			b.Fatal("lost")
		}
	}
}
