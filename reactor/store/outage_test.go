package store_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sipreactor/reactor/store"
	"sipreactor/reactor/store/storetest"
)

// testOutage kills the server under load and brings it back, then freezes it.
func testOutage(t *testing.T, s *storetest.Server, url string) {
	ctx := context.Background()
	var good, bad, gone, downs, ups atomic.Int64
	db := open(t, url+"?", store.Options{Conns: 4, Timeout: 500 * time.Millisecond, Changed: func(_ store.URL, up bool) {
		if up {
			ups.Add(1)
		} else {
			downs.Add(1)
		}
	}})
	var slowest atomic.Int64
	stop := make(chan struct{})
	var wg sync.WaitGroup
	asks := [...]func() error{
		func() error {
			_, err := db.Query(ctx, new(store.Statement).SQL("SELECT table_version FROM version"))
			return err
		},
		func() error {
			return db.Find(ctx, store.Select{Table: "version", Columns: []string{"table_version"}}, func(*store.Row) error { return nil })
		},
	}
	for i := range 8 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				begin := time.Now()
				err := asks[i%len(asks)]()
				for took := int64(time.Since(begin)); ; {
					was := slowest.Load()
					if took <= was || slowest.CompareAndSwap(was, took) {
						break
					}
				}
				switch {
				case err == nil:
					good.Add(1)
				case errors.Is(err, store.ErrDown):
					gone.Add(1)
					time.Sleep(time.Millisecond)
				default:
					bad.Add(1)
				}
			}
		})
	}
	await := func(what string, n *atomic.Int64) {
		t.Helper()
		was := n.Load()
		for end := time.Now().Add(60 * time.Second); n.Load() < was+20; time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%s: %d good, %d bad, %d refused at once", what, good.Load(), bad.Load(), gone.Load())
			}
		}
	}
	await("before", &good)
	for range 2 {
		s.Kill()
		await("killed", &gone)
		s.Start()
		await("back", &good)
	}
	if bad.Load() > 100 {
		t.Errorf("%d statements found out that it was gone", bad.Load())
	}
	s.Freeze()
	await("frozen", &gone)
	s.Thaw()
	await("thawed", &good)
	close(stop)
	wg.Wait()
	if took := time.Duration(slowest.Load()); took > 20*time.Second { // a server that is silent for TCP to find out takes minutes; a busy machine, seconds
		t.Errorf("a statement took %v", took)
	}
	if downs.Load() < 3 || ups.Load() != downs.Load() {
		t.Errorf("told %d times that it is gone, %d times that it is back", downs.Load(), ups.Load())
	}
	f := db.Statistics()
	if f.Refused == 0 || f.Failed == 0 || f.Conns > 4 || f.Waiting != 0 || f.Down {
		t.Errorf("%+v", f)
	}
}
