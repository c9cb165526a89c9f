package load

import (
	"sync"
	"testing"
	"time"
)

func TestLatencyQuantiles(t *testing.T) {
	l := NewLatency()
	for i := 1; i <= 1000; i++ {
		l.Record(time.Duration(i) * time.Millisecond)
	}
	s := l.Summary()
	near := func(name string, got, want time.Duration) {
		if d := got - want; d < -want/100 || d > want/100 {
			t.Errorf("%s %v, want %v", name, got, want)
		}
	}
	near("mean", s.Mean, 500*time.Millisecond)
	near("p50", s.P50, 500*time.Millisecond)
	near("p99", s.P99, 990*time.Millisecond)
	near("p99.9", s.P999, 999*time.Millisecond)
	near("max", s.Max, time.Second)
	if s.Count != 1000 {
		t.Errorf("%d recorded", s.Count)
	}
}

func TestLatencyTakeStartsAnew(t *testing.T) {
	l := NewLatency()
	l.Record(time.Millisecond)
	if s := l.Take(); s.Count != 1 {
		t.Errorf("first: %v", s)
	}
	if s := l.Take(); s.Count != 0 || s.Max != 0 {
		t.Errorf("second: %v", s)
	}
}

func TestLatencyBeyondItsRange(t *testing.T) {
	l := NewLatency()
	l.Record(-time.Second)
	l.Record(0)
	l.Record(24 * time.Hour)
	s := l.Summary()
	if s.Count != 3 || s.P50 > 2*time.Microsecond || s.Max < 59*time.Second {
		t.Errorf("%+v", s)
	}
}

func TestLatencyFromManyGoroutines(t *testing.T) {
	l := NewLatency()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 1000 {
				l.Record(time.Millisecond)
				_ = l.Summary()
			}
		})
	}
	wg.Wait()
	if s := l.Summary(); s.Count != 8000 {
		t.Errorf("%d recorded", s.Count)
	}
}
