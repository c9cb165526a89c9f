package backoff

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"sipreactor/reactor/internal/endpoint"
)

// Whatever happens in whatever order: a message is refused exactly while its
// destination is in the table; there is one probe at a time for each entry; a
// step is between a second and the limit, and every entry has a probe ahead.
func TestProperties(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 7))
		b := newBackoff(t)
		under := map[string]dest{} // probes under way
		id := func(t *dest) string { return fmt.Sprint(t.Addr, t.Name) }
		pick := func() *dest {
			to := destination(uint16(5060 + rng.IntN(4)))
			to.Name = []string{"good.example", "other.example"}[rng.IntN(2)]
			if rng.IntN(2) == 0 {
				to.Set = []netip.AddrPort{destination(5060).Addr, destination(5061).Addr}
			}
			return to
		}
		for range 300 {
			to := pick()
			switch rng.IntN(6) {
			case 0:
				if b.ask(to) == "" { // it dials itself
					b.fail(to, rng.IntN(2) == 0)
				}
			case 1:
				b.ask(to)
			case 2:
				b.Succeeded(b.key(to))
				if b.ask(to) != "" {
					t.Fatalf("seed %d: refused behind a success", seed)
				}
			case 3:
				b.Answered(endpoint.Of(tls, to.Addr))
			default:
				for _, p := range b.after(time.Duration(rng.IntN(int(3 * time.Second)))) {
					under[id(&p)] = p
				}
			}
			for k, p := range under {
				if rng.IntN(3) > 0 {
					continue
				}
				switch rng.IntN(3) {
				case 0:
					b.fail(&p, rng.IntN(2) == 0)
				case 1:
					b.Succeeded(b.key(&p))
				default:
					b.Deferred(b.now, b.key(&p))
				}
				delete(under, k)
			}
			ends := map[endpoint.Key]int{}
			for key, d := range b.all {
				ends[key.Peer]++
				if d.step < firstStep || d.step > b.Limit {
					t.Fatalf("seed %d: a step of %v", seed, d.step)
				}
				if !d.probing && (d.due <= d.failed || d.due > b.now+int64(b.Limit)) {
					t.Fatalf("seed %d: due %v from now", seed, time.Duration(d.due-b.now))
				}
				if d.why == "" || key.Name != "" && key.Name != "good.example" && key.Name != "other.example" {
					t.Fatalf("seed %d: %+v", seed, d)
				}
			}
			if fmt.Sprint(ends) != fmt.Sprint(b.ends) && len(ends)+len(b.ends) > 0 || int(b.count.Load()) != len(b.all) {
				t.Fatalf("seed %d: %v end points, counted %v; %d of %d", seed, ends, b.ends, b.count.Load(), len(b.all))
			}
		}
	}
}
