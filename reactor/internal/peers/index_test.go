package peers

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"testing"

	"sipreactor/reactor/internal/endpoint"
)

type conn struct {
	id    int
	place Place
	key   endpoint.Key
	ours  bool
}

func (c *conn) Place() *Place     { return &c.place }
func (c *conn) Key() endpoint.Key { return c.key }

func at(i int) endpoint.Key {
	return endpoint.Of(uint8(1), netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}), uint16(5060+i>>8)))
}

// The index against maps, as a model; a few buckets are enough to collide, so keys
// are chosen that share one.
func TestAgainstModel(t *testing.T) {
	var keys []endpoint.Key
	want := at(0).Hash() % buckets
	for i := 0; len(keys) < 4; i++ {
		if k := at(i); k.Hash()%buckets == want {
			keys = append(keys, k)
		}
	}
	keys = append(keys, at(1), at(2))
	rng := rand.New(rand.NewPCG(1, 2))
	var x Index[conn, *conn]
	own := make(map[endpoint.Key][]*conn)
	alias := make(map[endpoint.Key]*conn)
	x.Lock()
	defer x.Unlock()
	for i := range 20000 {
		k := keys[rng.IntN(len(keys))]
		switch rng.IntN(5) {
		case 0, 1:
			c := &conn{id: i}
			x.Add(k, c)
			own[k] = append([]*conn{c}, own[k]...)
		case 2, 3:
			if n := len(own[k]); n > 0 {
				j := rng.IntN(n)
				x.Remove(k, own[k][j])
				own[k] = slices.Delete(slices.Clone(own[k]), j, j+1)
			} else {
				x.Remove(k, &conn{})
			}
		case 4:
			c := &conn{id: i}
			if rng.IntN(2) == 0 {
				c = nil
			}
			x.SetAlias(k, c)
			alias[k] = c
		}
		size := 0
		for _, k := range keys {
			all := slices.Clone(own[k])
			if alias[k] != nil {
				all = append(all, alias[k])
			}
			if len(all) > 0 {
				size++
			}
			if !slices.Equal(x.Lookup(k), all) || !slices.Equal(x.Own(k), own[k]) || x.Alias(k) != alias[k] {
				t.Fatalf("step %d: %v, want %v", i, x.Lookup(k), all)
			}
		}
		if x.Len() != size {
			t.Fatalf("step %d: %d end points, want %d", i, x.Len(), size)
		}
	}
}

// A look-up sees a connection that stays, whatever comes and goes beside it.
func TestLookupWhileOthersChange(t *testing.T) {
	var x Index[conn, *conn]
	stays, k := &conn{id: 1}, at(7)
	x.Lock()
	x.Add(k, stays)
	x.Unlock()
	over := make(chan struct{})
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() {
			for {
				select {
				case <-over:
					return
				default:
				}
				if !slices.Contains(x.Lookup(k), stays) {
					t.Error("lost")
					return
				}
			}
		})
	}
	for i := range 5000 {
		c := &conn{id: i}
		x.Lock()
		x.Add(k, c)
		x.Add(at(i), c)
		x.SetAlias(k, c)
		x.Remove(at(i), c)
		x.SetAlias(k, nil)
		x.Remove(k, c)
		x.Unlock()
	}
	close(over)
	all.Wait()
}

func BenchmarkLookup(b *testing.B) {
	var x Index[conn, *conn]
	for i := range 10000 {
		x.Add(at(i), &conn{id: i})
	}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if x.Lookup(at(7)) == nil {
				b.Fail()
			}
		}
	})
}
