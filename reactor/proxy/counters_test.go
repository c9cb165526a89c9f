package proxy

import (
	"sync"
	"testing"
)

func TestCounterNames(t *testing.T) {
	seen := map[string]bool{}
	for c := range counterCount {
		name := c.String()
		if name == "" || name == "unknown" || seen[name] {
			t.Errorf("counter %d is %q", c, name)
		}
		seen[name] = true
	}
	if counterCount.String() != "unknown" {
		t.Error("a counter too many")
	}
}

// Counters of all Contexts add up while they are read.
func TestCountersAddUp(t *testing.T) {
	b := newBed(t, funcs{})
	var wg sync.WaitGroup
	const workers, each = 20, 50
	for range workers {
		wg.Go(func() {
			c := b.proxy.NewContext(&discard{})
			for range each {
				c.Receive([]byte(realInvite), overTLS)
			}
		})
	}
	for range 100 {
		b.proxy.Count(RequestsOut)
	}
	wg.Wait()
	if n := b.proxy.Count(RequestsOut); n != workers*each {
		t.Errorf("%d requests out, want %d", n, workers*each)
	}
	if b.proxy.Count(counterCount) != 0 {
		t.Error("a counter that is none")
	}
	total := 0
	b.proxy.Counters(func(Counter, uint64) { total++ })
	if total != int(counterCount) {
		t.Errorf("%d counters", total)
	}
}
