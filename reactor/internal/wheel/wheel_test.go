package wheel

import (
	"math/rand/v2"
	"testing"
)

// conn is an entry.
type conn struct {
	active int64
	link   Link[conn]
}

func (c *conn) WheelLink() *Link[conn] { return &c.link }

// Every connection expires in the second its activity says, whatever the
// lifetime is to the wheel's size, however late the wheel is turned.
func TestExpiresOnTime(t *testing.T) {
	for _, lifetime := range []int64{1, 120, Slots - 1, Slots, 3600} {
		rng := rand.New(rand.NewPCG(7, uint64(lifetime)))
		var w Wheel[conn, *conn]
		now := int64(1000)
		w.Start(now)
		alive := map[*conn]bool{}
		for range 300 {
			c := &conn{}
			c.active = now
			w.Put(c, now+lifetime)
			alive[c] = true
		}
		for len(alive) > 0 {
			for c := range alive {
				switch rng.IntN(40) {
				case 0:
					c.active = now
				case 1:
					w.Remove(c)
					delete(alive, c)
				}
				break
			}
			now += 1 + int64(rng.IntN(3))
			w.Advance(now, func(c *conn, at int64) {
				if !alive[c] {
					t.Fatal("a connection that is gone expires")
				}
				if due := c.active + lifetime; due > at {
					w.Put(c, due)
					return
				}
				delete(alive, c)
			})
			for c := range alive {
				if c.active+lifetime < now {
					t.Fatalf("lifetime %d: active at %d, still there at %d", lifetime, c.active, now)
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

func TestRemoveAnywhere(t *testing.T) {
	var w Wheel[conn, *conn]
	w.Start(0)
	conns := make([]*conn, 9)
	for i := range conns {
		conns[i] = &conn{}
		w.Put(conns[i], 5)
	}
	order := []int{8, 0, 4, 3, 1, 7, 2, 6, 5}
	for done, i := range order {
		w.Remove(conns[i])
		for _, gone := range order[:done+1] {
			w.Remove(conns[gone]) // once more does nothing
		}
		left := 0
		for c := w.slots[5]; c != nil; c = c.link.next {
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

// What is due already expires in the next second, and a long pause has each looked at but once or twice.
func TestLate(t *testing.T) {
	var w Wheel[conn, *conn]
	w.Start(1000)
	w.Put(&conn{}, 7)
	expired := 0
	w.Advance(1001, func(*conn, int64) { expired++ })
	if expired != 1 {
		t.Errorf("%d expired that were due", expired)
	}
	const all = 50
	for i := range all {
		w.Put(&conn{}, int64(1002+i*5))
	}
	looks := 0
	w.Advance(1001+10*Slots, func(c *conn, now int64) {
		looks++
		w.Put(c, now+3600)
	})
	if looks > 2*all {
		t.Errorf("%d looks at %d", looks, all)
	}
}
