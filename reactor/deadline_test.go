package reactor

import (
	"math/rand/v2"
	"testing"
)

// Every connection expires in the second its activity says, whatever the
// lifetime is to the wheel's size, however late the wheel is turned.
func TestWheelExpiresOnTime(t *testing.T) {
	for _, lifetime := range []int64{1, 120, wheelSlots - 1, wheelSlots, 3600} {
		rng := rand.New(rand.NewPCG(7, uint64(lifetime)))
		var w wheel
		now := int64(1000)
		w.start(now)
		alive := map[*conn]bool{}
		for range 300 {
			c := &conn{}
			c.active.Store(now)
			w.put(c, now+lifetime)
			alive[c] = true
		}
		for len(alive) > 0 {
			for c := range alive {
				switch rng.IntN(40) {
				case 0:
					c.active.Store(now)
				case 1:
					w.remove(c)
					delete(alive, c)
				}
				break
			}
			now += 1 + int64(rng.IntN(3))
			w.advance(now, func(c *conn, at int64) {
				if !alive[c] {
					t.Fatal("a connection that is gone expires")
				}
				if due := c.active.Load() + lifetime; due > at {
					w.put(c, due)
					return
				}
				delete(alive, c)
			})
			for c := range alive {
				if c.active.Load()+lifetime < now {
					t.Fatalf("lifetime %d: active at %d, still there at %d", lifetime, c.active.Load(), now)
				}
			}
		}
		for _, head := range w.slots {
			if head != nil {
				t.Fatal("the wheel is not empty")
			}
		}
	}
}

func TestWheelRemoveAnywhere(t *testing.T) {
	var w wheel
	w.start(0)
	conns := make([]*conn, 9)
	for i := range conns {
		conns[i] = &conn{}
		w.put(conns[i], 5)
	}
	for done, i := range []int{8, 0, 4, 3, 1, 7, 2, 6, 5} {
		w.remove(conns[i])
		w.remove(conns[i]) // once more does nothing
		left := 0
		for c := w.slots[5]; c != nil; c = c.wheel.next {
			left++
		}
		if want := len(conns) - done - 1; left != want {
			t.Fatalf("%d are left, want %d", left, want)
		}
	}
	if w.slots[5] != nil {
		t.Error("something is left")
	}
}
