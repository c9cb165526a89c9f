package destination

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"sipreactor/reactor/script"
)

// TestProber: three destinations, one of which is slow, for three rounds.
func TestProber(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		heard := map[string][]int{}
		var times []time.Duration
		begin := time.Now()
		p := &Prober{
			Env:      new(script.Env),
			Interval: 10 * time.Second,
			Due: func() (due []Probe) {
				for _, uri := range []string{"a", "b", "slow"} {
					due = append(due, Probe{Ping{URI: uri}, func(code int, err error) {
						mu.Lock()
						defer mu.Unlock()
						if err != nil {
							code = -1
						}
						heard[uri] = append(heard[uri], code)
					}})
				}
				return due
			},
			Send: func(_ context.Context, p *Ping) (int, error) {
				mu.Lock()
				times = append(times, time.Since(begin))
				mu.Unlock()
				switch p.URI {
				case "b":
					return 0, errors.New("refused")
				case "slow":
					time.Sleep(15 * time.Second)
					return 408, nil
				}
				return 200, nil
			},
		}
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan struct{})
		go func() { p.Run(ctx); close(done) }()
		time.Sleep(29 * time.Second)
		cancel()
		<-done
		if n := len(heard["a"]); n != 3 || len(heard["b"]) != 3 || heard["b"][0] != -1 || heard["a"][0] != 200 {
			t.Errorf("heard %v", heard)
		}
		if len(heard["slow"]) != 2 || heard["slow"][0] != 408 { // the third is under way at the end
			t.Errorf("of the slow one %v", heard["slow"])
		}
		want := []time.Duration{0, 1875 * time.Millisecond, 3750 * time.Millisecond, 10 * time.Second}
		for i, w := range want {
			if times[i] != w {
				t.Errorf("ping %d after %v, want %v", i, times[i], w)
			}
		}
	})
}

// TestProberBound: no more pings wait at once than there are places.
func TestProberBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var now, most atomic.Int64
		p := &Prober{
			Env:      new(script.Env),
			Interval: time.Second,
			Due: func() (due []Probe) {
				for range 1000 {
					due = append(due, Probe{Heard: func(int, error) {}})
				}
				return due
			},
			Send: func(ctx context.Context, _ *Ping) (int, error) {
				if n := now.Add(1); n > most.Load() {
					most.Store(n)
				}
				defer now.Add(-1)
				<-ctx.Done()
				return 0, ctx.Err()
			},
		}
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan struct{})
		go func() { p.Run(ctx); close(done) }()
		time.Sleep(5 * time.Second)
		cancel()
		<-done
		if most.Load() != pingsAtOnce {
			t.Errorf("%d at once", most.Load())
		}
	})
}

func TestCodes(t *testing.T) {
	c, ok := ParseCodes(" 501, 403,")
	if !ok || !c.Alive(501, nil) || !c.Alive(200, nil) || c.Alive(404, nil) || c.Alive(200, errors.New("x")) {
		t.Errorf("%v", c)
	}
	for _, bad := range []string{"x", "100", "5xx", "200 300"} {
		if _, ok := ParseCodes(bad); ok {
			t.Errorf("%q are codes", bad)
		}
	}
}
