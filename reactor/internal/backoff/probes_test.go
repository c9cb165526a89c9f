package backoff

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestProbes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p Probes
		began := time.Now()
		var mu sync.Mutex
		var came []time.Duration
		due := func() {
			mu.Lock()
			defer mu.Unlock()
			came = append(came, time.Since(began))
		}
		in := func(d time.Duration) func() (time.Duration, bool) {
			return func() (time.Duration, bool) { return d, d > 0 }
		}
		p.Schedule(in(0), due)
		p.Schedule(in(3*time.Second), due)
		p.Schedule(in(time.Second), due) // an earlier one takes its place
		p.Schedule(in(0), due)
		time.Sleep(time.Minute)
		synctest.Wait()
		p.Schedule(in(time.Second), due)
		time.Sleep(2 * time.Second)
		synctest.Wait() // due has returned
		if len(came) != 2 || came[0] != time.Second || came[1] != 61*time.Second {
			t.Errorf("due at %v", came)
		}
		begun := 0
		p.Begin(func() { begun++ })
		p.Schedule(in(time.Second), due)
		p.End()
		p.Begin(func() { begun++ })
		p.Schedule(in(time.Second), due)
		time.Sleep(time.Minute)
		synctest.Wait()
		if begun != 1 || len(came) != 2 {
			t.Errorf("%d have begun, due at %v", begun, came)
		}
	})
}
